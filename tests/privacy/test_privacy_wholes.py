"""What is to stay stays whole: detectors that are off leave no pieces, names are not cut, lists are read one by one."""

from __future__ import annotations

import pytest

from otel_posthog.errors import DropEvent
from otel_posthog.model import GONE, Receipt
from otel_posthog.policy import FrozenMap, HitMethod, Method, PrivacyPolicy, Rule
from otel_posthog.privacy import Filter
from otel_posthog.privacy.methods import mask

OFF = HitMethod.OFF
BEARER = "Bearer " + "abcDEF123456"


def filter_without(*off: str, **policy: object) -> Filter:
    """Return a filter whose detectors `off` are switched off."""
    detectors = FrozenMap({**PrivacyPolicy().detectors, **dict.fromkeys(off, OFF)})
    return Filter(PrivacyPolicy(detectors=detectors, **policy))  # type: ignore[arg-type]


WHOLE = [
    ("iban", "to DE89 3704 0044 0532 0130 00 today"),
    ("iban", "GB82 WEST 1234 5698 7654 32"),
    ("iban", "FR14 2004 1010 0505 0001 3M02 606"),
    ("iban", "NO93 8601 1117 947"),
    ("card", "pay 4111 1111 1111 1111 now"),
    ("card", "5500-0000-0000-0004"),
    ("phone", "call +49 30 1234567 or 0532 123 45 67"),
    ("ssn", "it is 078-05-1120."),
    ("national_id", "a 529.982.247-25 and 756.9217.0769.85, 811218-9876"),
    ("ip", "at 2001:4860:4860::8888 and 8.8.8.8"),
    ("mac", "6c:7e:f4:cd:24:2e"),
    ("gps", "at 48.858370, 2.294481"),
    ("email", "jo@93.184.216.34 and 415-555-0132@sms.example.org"),
]


@pytest.mark.parametrize(("name", "text"), WHOLE)
def test_a_detector_that_is_off_leaves_its_values_whole(name: str, text: str) -> None:
    """No other detector takes a piece of a value that is to stay; with the detector on its marker stands there."""
    off = filter_without(name)
    assert off.properties({"k": text}, Receipt()) == {"k": text}
    assert off.scrub_value("k", text) is text
    assert f"[{name}]" in Filter(PrivacyPolicy()).scrub_text(text)


@pytest.mark.parametrize("name", ["iban", "card", "phone", "email"])
def test_a_rule_that_keeps_what_a_detector_finds_keeps_all_of_it(name: str) -> None:
    """`method: keep` for a detector under a key is as `off` there."""
    text = next(text for each, text in WHOLE if each == name)
    kept = Filter(PrivacyPolicy(rules=(Rule(keys=("k",), detector=name, method=Method.KEEP),)))
    assert kept.properties({"k": text}, Receipt()) == {"k": text}
    assert f"[{name}]" in str(kept.properties({"other": text}, Receipt())["other"])


def test_what_stays_shields_no_secret() -> None:
    """A surer hit within what stays, and one that covers it, goes all the same."""
    assert filter_without("email").scrub_text("jo+4111111111111111@example.org") == "jo+[card]@example.org"
    assert filter_without("phone").scrub_text("password=+49301234567 x") == "password=[secret] x"
    assert filter_without("iban", "phone").scrub_text("DE89370400440532013000 jo@example.org") == (
        "DE89370400440532013000 [email]"
    )
    assert filter_without("secret").scrub_text("password=4111111111111111") == "password=[card]"


def test_an_event_name_is_never_cut() -> None:
    """Of a name longer than texts may be all is left, so that what a catalog declares is what is sent."""
    short = Filter(PrivacyPolicy(max_string_chars=6))
    receipt = Receipt()
    assert short.name("order_placed", receipt) == "order_placed"
    assert short.name("order_placed_by jo@example.org", receipt) == "order_placed_by [email]"
    assert [rule for _, rule, _ in receipt.entries] == ["email"]
    with pytest.raises(DropEvent, match="name_invalid"):
        short.name("x" * 10_000, receipt)


LISTS = [
    ("http.request.header.authorization", [BEARER], ["Bearer [secret]"]),
    ("http.request.header.authorization", [BEARER, "x1y2z3"], ["Bearer [secret]", "[redacted]"]),
    ("http.request.header.cookie", ["theme=dark; sid=abc"], ["theme=dark; sid=[redacted]"]),
    ("http.response.header.set_cookie", ["a=b; secure", "c=d"], ["a=[redacted]; secure", "c=[redacted]"]),
]


@pytest.mark.parametrize(("key", "values", "left"), LISTS)
def test_each_value_of_a_header_keeps_what_a_text_would(key: str, values: list[str], left: list[str]) -> None:
    """The scheme, a cookie's names: in a list and in a tuple as in a text, on both sides."""
    filter_ = Filter(PrivacyPolicy())
    assert filter_.properties({key: values}, Receipt()) == {key: left}
    assert filter_.scrub_value(key, values) == left
    assert filter_.scrub_value(key, tuple(values)) == tuple(left)
    if len(values) == 1:
        assert filter_.scrub_value(key, values[0]) == left[0]


@pytest.mark.parametrize("values", [["hunter2"], ["a", "b"], [7, BEARER[7:]], [["x"]], [b"x"]])
def test_a_list_of_which_nothing_may_stay_goes_whole(values: list[object]) -> None:
    """Where no value keeps anything, the list is removed; operationally a marker stands for each text."""
    filter_ = Filter(PrivacyPolicy())
    assert filter_.properties({"password": values}, Receipt()) == {}
    markers = ["[redacted]" for each in values if isinstance(each, str)]
    assert filter_.scrub_value("password", values) == (markers or GONE)


def test_a_mask_shows_no_more_than_a_quarter_of_a_value() -> None:
    """`keep_last: 4` shows four characters of sixteen or more, two of eight digits, none of three."""
    assert [mask("1" * size, keep_last=4).count("1") for size in (3, 4, 8, 15, 16, 40)] == [0, 1, 2, 3, 4, 4]
