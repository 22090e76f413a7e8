"""The methods: what each makes of a value, that it tells nothing of it, and that twice is once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from otel_posthog.errors import ConfigurationError
from otel_posthog.model import Receipt
from otel_posthog.policy import FrozenMap, HitMethod, Method, PrivacyPolicy, Rule
from otel_posthog.privacy import Filter
from otel_posthog.privacy.methods import MASK, Tokens, bucket, hit_methods, ip_prefix, labels, mask

KEY = b"k" * 32
TOKENS = Tokens(KEY)
MAIL = "ada.lovelace@example.org"
steady = settings(max_examples=150, deadline=None, derandomize=True)

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
BOUNDS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5, unique=True).map(sorted)


def cleaned(properties: Mapping[str, object], *rules: Rule, **detectors: HitMethod) -> dict[str, object]:
    """Return what rules and detectors' methods leave."""
    return filter_of(*rules, **detectors).properties(properties, Receipt())


def filter_of(*rules: Rule, **detectors: HitMethod) -> Filter:
    """Return a filter with these rules, and these methods on top of the built-in ones."""
    methods = FrozenMap({**PrivacyPolicy().detectors, **detectors})
    return Filter(PrivacyPolicy(rules=rules, detectors=methods, hmac_secret=KEY))


@pytest.mark.parametrize(
    ("method", "left"),
    [
        (HitMethod.REPLACE, {"note": "to [email] now"}),
        (HitMethod.MASK, {"note": "to **** now"}),
        (HitMethod.HMAC, {"note": f"to {TOKENS.token('email', MAIL)} now"}),
        (HitMethod.DROP, {}),
        (HitMethod.OFF, {"note": f"to {MAIL} now"}),
    ],
)
def test_each_detector_has_a_method_of_its_own(method: HitMethod, left: dict[str, object]) -> None:
    """What a detector finds is replaced, masked, keyed or drops its property; others go on as before."""
    out = cleaned({"note": f"to {MAIL} now", "call": "+49 30 901820"}, email=method)
    assert out == {**left, "call": "[phone]"}


def test_a_hit_that_drops_takes_its_property_and_nothing_else() -> None:
    """In a list the entry goes, in a map the key; a name cannot go, so its hit is replaced by the marker."""
    filter_ = filter_of(card=HitMethod.DROP)
    card = "4111 1111 1111 1111"
    receipt = Receipt()
    given = {"a": ["x", card], "b": {"n": 1, "c": card}, "d": 4111111111111111, card: 1}
    assert filter_.properties(given, receipt) == {"a": ["x"], "b": {"n": 1}, "[card]": 1}
    assert ("a.1", "card", "removed") in receipt.entries
    assert filter_.name(f"paid {card}", Receipt()) == "paid [card]"
    assert filter_.scrub_value("k", f"paid {card}") == "[redacted]"


def test_an_address_becomes_its_network() -> None:
    """IPv4 to /24, IPv6 to /48, in text and under a key; what is no address under such a key goes."""
    out = cleaned({"note": "from 93.184.216.34 and 2a00:1450:4001:81b::200e."}, ip=HitMethod.IP_PREFIX)
    assert out == {"note": "from 93.184.216.0/24 and 2a00:1450:4001::/48."}
    rule = Rule(keys=("peer",), method=Method.IP_PREFIX)
    assert cleaned({"peer": "10.1.2.3"}, rule) == {"peer": "10.1.2.0/24"}
    assert cleaned({"peer": ["::ffff:8.8.4.4", "fe80::1%eth0"]}, rule) == {"peer": ["8.8.4.0/24", "fe80::/48"]}
    assert cleaned({"peer": "somebody"}, rule) == {}


@pytest.mark.parametrize(
    ("rule", "value", "left"),
    [
        (Rule(method=Method.DROP), "x", None),
        (Rule(method=Method.REPLACE), "x", "[redacted]"),
        (Rule(method=Method.MASK), "open sesame", "****"),
        (Rule(method=Method.MASK, keep_last=4), "4111111111111111", "****1111"),
        (Rule(method=Method.MASK, keep_last=4), "abcdefgh", "****gh"),
        (Rule(method=Method.MASK, keep_last=4), "abc", "****"),
        (Rule(method=Method.MASK), True, "****"),
        (Rule(method=Method.BUCKET, bounds=(10, 100)), 5, "<10"),
        (Rule(method=Method.BUCKET, bounds=(10, 100)), 10, "10-100"),
        (Rule(method=Method.BUCKET, bounds=(10, 100)), "99.5", "10-100"),
        (Rule(method=Method.BUCKET, bounds=(10, 100)), 1e9, ">=100"),
        (Rule(method=Method.BUCKET, bounds=(10, 100)), "about ten", None),
        (Rule(method=Method.BUCKET, bounds=(10, 100)), True, None),
        (Rule(method=Method.TRUNCATE, max_chars=5), "0 abc def", "0 abc"),
        (Rule(method=Method.TRUNCATE, max_chars=8), f"x {MAIL}", "x "),
        (Rule(method=Method.HMAC, name="ref"), 4711, TOKENS.token("ref", "4711")),
    ],
)
def test_what_a_rule_makes_of_a_value(rule: Rule, value: object, left: object) -> None:
    """Each method on a value under a key that a rule picks."""
    picked = Rule(**{**{name: getattr(rule, name) for name in Rule.__slots__}, "keys": ("k",)})
    assert cleaned({"k": value}, picked).get("k") == left


def test_a_cut_is_made_after_the_detectors_have_looked() -> None:
    """No half of an address is left by a rule that truncates."""
    for shift in range(30):
        out = cleaned({"k": "x" * shift + " " + MAIL}, Rule(keys=("k",), method=Method.TRUNCATE, max_chars=20))
        assert "ada" not in str(out["k"])


def test_a_token_is_the_same_for_the_same_value_and_key_only() -> None:
    """Joins are possible within a label and a key, and nowhere else."""
    one = TOKENS.token("email", MAIL)
    assert one == Tokens(KEY).token("email", MAIL)
    others = {Tokens(b"j" * 32).token("email", MAIL), TOKENS.token("user", MAIL), TOKENS.token("email", MAIL[1:])}
    assert one not in others
    assert len(others) == 3
    assert re.fullmatch(r"\[email#[a-p]{30}\]", one)


def test_a_forged_token_is_a_value_like_any_other() -> None:
    """What only looks like a token does not pass for one."""
    forged = "[ref#" + "a" * 30 + "]"
    assert TOKENS.token("ref", forged) != forged
    changed = TOKENS.token("ref", "x").replace("[ref#", "[reg#")
    assert TOKENS.token("ref", changed) != changed


def test_a_token_without_its_last_bracket_is_left_alone() -> None:
    """A detector that takes that bracket for the end of a list does not make a token of a token."""
    token = TOKENS.token("secret", "hunter2")
    methods = hit_methods({"secret": HitMethod.HMAC}, TOKENS)
    assert methods.replace("secret", token[:-1], "]") == token[:-1]
    assert methods.replace("secret", token[:-1], " ") != token[:-1]


def test_hmac_without_a_key_cannot_be_compiled() -> None:
    """A filter never falls back to a hash that anybody can compute."""
    rule = Rule(keys=("k",), method=Method.HMAC)
    with pytest.raises(ConfigurationError, match="hmac"):
        Filter(PrivacyPolicy(rules=(rule,)))
    with pytest.raises(ConfigurationError, match="hmac"):
        Filter(PrivacyPolicy(detectors=FrozenMap({"email": HitMethod.HMAC})))


@steady
@given(st.text(max_size=60), st.integers(0, 9))
def test_a_mask_twice_is_a_mask_and_shows_at_most_a_quarter(text: str, keep_last: int) -> None:
    """However it is configured, no more than four characters and no more than a quarter of the value stay."""
    once = mask(text, keep_last)
    assert mask(once, keep_last) == once
    shown = once.removeprefix(MASK)
    assert len(shown) <= 4
    assert text.startswith(MASK) or len(shown) <= len(text) // 4


@steady
@given(st.one_of(st.integers(), st.floats(allow_nan=False), st.text(max_size=20)), BOUNDS)
def test_a_bucket_twice_is_a_bucket(value: float | str, bounds: list[float]) -> None:
    """A range of these bounds stays, and a value lands in one of the ranges or nowhere."""
    once = bucket(value, bounds)
    assert once is None or (once in labels(bounds) and bucket(once, bounds) == once)


@steady
@given(ADDRESSES)
def test_a_network_twice_is_a_network_that_holds_the_address(address: str) -> None:
    """The prefix is the address's own, and stays."""
    once = ip_prefix(address)
    assert once is not None
    assert ip_prefix(once) == once
    base, _, length = once.partition("/")
    if length == "24" and ":" not in address:
        assert int(IPv4Address(base)) >> 8 == int(IPv4Address(address)) >> 8
    elif length == "48":
        assert int(IPv6Address(base)) >> 80 == int(IPv6Address(address)) >> 80


_HIT_METHODS = st.fixed_dictionaries(
    {name: st.sampled_from([HitMethod.REPLACE, HitMethod.MASK, HitMethod.HMAC, HitMethod.DROP])
     for name in ("email", "card", "phone", "iban", "mac", "secret", "jwt")}
)  # fmt: skip
_IP_METHODS = st.sampled_from([HitMethod.REPLACE, HitMethod.IP_PREFIX, HitMethod.HMAC])
_VALUES = st.sampled_from(
    [MAIL, f"write to {MAIL}, now", "+49 30 901820", "4111 1111 1111 1111", "DE89370400440532013000", "93.184.216.34",
     "at 2a00:1450:4001:81b::200e", "from 8.8.8.0/24 to 8.8.4.4", "aa:bb:cc:dd:ee:ff", f"/u/{MAIL}?t=1&password=abcdef",
     '{"a": "' + MAIL + '"}', 4111111111111111, 12, True, "plain words", 'q="93.184.216.34"', "x=8.8.8.8&y=1.1.1.1"]
)  # fmt: skip
_RULE_SETS = st.lists(
    st.sampled_from(
        [Rule("a", ("k",), method=Method.MASK, keep_last=3), Rule("b", ("k",), method=Method.HMAC),
         Rule("c", ("n.*",), method=Method.BUCKET, bounds=(1.0, 10.0)),
         Rule("d", ("k",), method=Method.TRUNCATE, max_chars=12),
         Rule("e", (), ("note",), method=Method.REPLACE), Rule("f", ("k",), detector="email", method=Method.MASK),
         Rule("g", ("ip*",), method=Method.IP_PREFIX), Rule("h", (), detector="phone", method=Method.KEEP)]
    ),
    max_size=4,
)  # fmt: skip


@steady
@given(
    st.dictionaries(
        st.sampled_from(["k", "note", "n.x", "ip", "other", MAIL]), _VALUES | st.lists(_VALUES, max_size=3)
    ),
    _RULE_SETS,
    _HIT_METHODS,
    _IP_METHODS,
)
def test_filtering_twice_is_filtering_once_whatever_the_policy(
    given_: dict[str, object], rules: list[Rule], methods: dict[str, HitMethod], ip: HitMethod
) -> None:
    """What any combination of methods leaves, the same combination leaves alone; no address of a person is in it."""
    # A cut may go through what stands in the place of a hit, and leave an address that is one no more.
    assume(ip is not HitMethod.IP_PREFIX or all(rule.method is not Method.TRUNCATE for rule in rules))
    filter_ = filter_of(*rules, **methods, ip=ip)
    once = filter_.properties(given_, Receipt())
    receipt = Receipt()
    assert filter_.properties(once, receipt) == once
    assert [entry for entry in receipt.entries if entry[2] != "truncated"] == []
    assert "lovelace@" not in repr(once)
    assert "216.34" not in repr(once)


def test_a_filter_is_shared_by_threads() -> None:
    """Sixteen threads get what one gets."""
    filter_ = filter_of(Rule(keys=("k",), method=Method.HMAC), email=HitMethod.HMAC)
    given_ = [{"k": number, "note": f"user{number}@example.org", f"key{number}": MAIL} for number in range(200)]
    expected = [filter_.properties(each, Receipt()) for each in given_]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda each: filter_.properties(each, Receipt()), given_)) == expected
