"""For all inputs: nothing planted survives anywhere, filtering twice changes nothing more, harmless values stay."""

from __future__ import annotations

import json
from collections import deque
from enum import Enum
from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_posthog.model import Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter

FILTER = Filter(PrivacyPolicy())
# The same examples in every run: a failure is a change of the code, not of the dice.
steady = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)

_LOWER = "abcdefghijklmnopqrstuvwxyz"
_ALNUM = _LOWER + _LOWER.upper() + "0123456789"


def _luhn(digits: str) -> str:
    total = sum(d if i % 2 else sum(divmod(2 * d, 10)) for i, d in enumerate(map(int, reversed(digits))))
    return digits + str(-total % 10)


def _iban(bban: str) -> str:
    rest = int("".join(str(int(char, 36)) for char in bban + "DE00")) % 97
    return f"DE{98 - rest:02d}{bban}"


def _text(alphabet: str, low: int, high: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=low, max_size=high)


def _json(value: object) -> str:
    return json.dumps(value, default=lambda raw: raw.decode())


_octets = st.tuples(st.integers(11, 99), *[st.integers(0, 255)] * 3)
_cards = st.builds(lambda body: _luhn("4" + body), _text("0123456789", 14, 14))
_grouped = st.sampled_from(" -").flatmap(
    lambda gap: _cards.map(lambda card: gap.join(card[at : at + 4] for at in range(0, 16, 4)))
)
PLANTED = st.one_of(
    st.builds("{}.{}@{}.example.org".format, _text(_LOWER, 2, 9), _text(_LOWER, 2, 9), _text(_LOWER, 2, 9)),
    _octets.map(lambda parts: ".".join(map(str, parts))),
    st.builds("2a00:{:x}:{:x}::{:x}".format, *[st.integers(0x1000, 0xFFFF)] * 3),
    st.lists(st.integers(16, 255), min_size=6, max_size=6).map(lambda parts: ":".join(f"{part:02x}" for part in parts)),
    _cards,
    _grouped,
    st.builds(_iban, _text("0123456789", 18, 18)),
    st.builds("+49 {} {}".format, st.integers(200, 999), st.integers(10_000, 9_999_999)),
    st.builds("{}-{}-{}".format, st.integers(100, 600), st.integers(10, 99), st.integers(1000, 9999)),
    _text(_ALNUM, 36, 36).map(lambda body: "gh" + "p_" + body),
    st.text(_LOWER.upper() + "0123456789", min_size=16, max_size=16).map(lambda body: "AK" + "IA" + body),
    st.builds(lambda a, b: "ey" + f"J{a}.{b}.sig", _text(_ALNUM, 12, 30), _text(_ALNUM, 8, 30)),
)
_words = _text("bcdfghjklm", 1, 7)  # no vowel, no sensitive word
_sentences = st.builds("{} {} {}".format, _words, PLANTED, _words)
_encoded = PLANTED.map(lambda value: "/p/" + quote(value, safe="") + "?q=1")
_twice = PLANTED.map(lambda value: "/p?u=" + quote(quote(value, safe=""), safe=""))
_leaves = st.one_of(PLANTED, _sentences, _encoded, _twice)
_nested = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.dictionaries(_words, inner, min_size=1, max_size=3),
        st.dictionaries(PLANTED, inner, min_size=1, max_size=2),
        inner.map(_json),
        inner.map(lambda value: _json(value).encode()),
        st.tuples(inner, inner),
    ),
    max_leaves=6,
)


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes):
        return [value.decode("latin-1")]
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in _strings(each)]
    return [text for each in value for text in _strings(each)] if isinstance(value, (list, tuple)) else []


def _unpacked(value: object) -> str:
    """Return every string in `value`, with all encodings taken off, as one text."""
    text = "\n".join(_strings(value))
    for _ in range(3):
        text = unquote(text)
    return text.replace("\\", "")


@steady
@given(PLANTED, st.data())
def test_a_planted_value_survives_nowhere(planted: str, data: st.DataObject) -> None:
    """Wherever in a structure a value is put, and however encoded, it comes out on neither side, nor in the receipt."""
    forms = [planted, f"see {planted} there", "/p?u=" + quote(quote(planted, safe=""), safe=""), json.dumps([planted])]
    form = data.draw(st.sampled_from(forms))
    place = data.draw(
        st.sampled_from([lambda v: v, lambda v: [1, {"a": (v,)}], lambda v: {v: 1}, lambda v: json.dumps({"a": [v]}),
                         lambda v: json.dumps({"a": json.dumps([v])}), lambda v: v.encode(), lambda v: {"x": [[v], v]}])
    )  # fmt: skip
    receipt = Receipt()
    out = FILTER.properties({"k": place(form), form: 1}, receipt)
    assert planted not in _unpacked(out)
    assert planted not in repr(receipt.entries)
    assert planted not in _unpacked(FILTER.scrub_value("k", place(form)))
    assert planted not in FILTER.name(form, Receipt())


@steady
@given(_nested)
def test_filtering_twice_is_filtering_once(value: object) -> None:
    """What has been filtered holds nothing more to find, on both sides."""
    once = FILTER.properties({"k": value}, Receipt())
    receipt = Receipt()
    assert FILTER.properties(once, receipt) == once
    assert receipt.entries == []
    scrubbed = FILTER.scrub_value("k", value)
    assert FILTER.scrub_value("k", scrubbed) is scrubbed


class _Field(Enum):
    NAME = "password"
    GIVEN = "hunter2x1"


_BEARER = "Bearer " + "x1" * 9
_LONG_NAME = "a" * 40 + " " + "b" * 40 + "@example.org password"  # of a name's length only when the address is gone
_GONE = object()  # no JSON: left out

# Each reads differently when something of it is gone: as a name, a flag, a place, JSON.
_ANEW: tuple[dict[str, object], ...] = (
    {"authorization": _BEARER},
    {"authorization": [_BEARER]},
    {"k": json.dumps({"authorization": _BEARER})},
    {"k": [["authorization", _BEARER], ["accept", "text/html"]]},
    {"email": "write to the user jo@example.org about the order please"},
    {"k": '{"email": ["[email] of the user and the order", 7]}'},
    {"cookie": "a=b; c=d"},
    {"k": [_LONG_NAME, "hunter2x1"]},
    {"k": (_LONG_NAME, "hunter2x1")},
    {"k": [["a" * 60 + " jo@example.org", "otp"], ["password", "hunter"]]},
    {"k": {"name": _LONG_NAME, "value": "hunter2x1"}},
    {"name": _LONG_NAME, "value": "hunter2x1"},
    {"k": {"name": _Field.NAME, "value": _Field.GIVEN}},
    {"k": {"name": b"password", "value": b"hunter2x1"}},
    {"k": {b"name": "password", b"value": "hunter2x1"}},
    {"k": {"8.8.8.8 name": "password", "9.9.9.9 value": "hunter2x1"}},
    {"k": {"8.8.8.8 location.x": 48.85831, "9.9.9.9 location.y": 2.29451}},
    {"k": ["password", _GONE, "hunter2x1"]},
    {"k": deque(["password", "hunter2x1"])},
    {"k": dict.fromkeys(("password", "hunter2x1")).keys()},  # a set in this order
    {"k": ["run", "--password", _GONE, "hunter2x1"]},
    {"k": ["run", "-x https://u:p=q@example.org --password", "hunter2x1"]},
    {"k": ["run", "--password", "-jo@example.org"]},
    {"k": [48.85831, float("nan"), 2.29451]},
    {"location": {"a": 48.85831, "b": _GONE, "c": 2.29451, "d": _GONE}},
    {"password: x_type": "hunter"},
    {"token 8.8.8.8 count": 7},
    {"k": {"cookie: 8.8.8.8 count": 7}},
    {"k": '{"password":"hunter2x1\\x"}'},
    {"k": '["password", "jo@example.org\\q"]'},
)


@pytest.mark.parametrize("value", _ANEW, ids=[str(number) for number in range(len(_ANEW))])
def test_what_is_left_says_no_more_than_what_was_there(value: dict[str, object]) -> None:
    """Names, flags, places and JSON are seen where they come to be by what goes, in the first pass."""
    once = FILTER.properties(value, Receipt())
    receipt = Receipt()
    assert FILTER.properties(once, receipt) == once
    assert receipt.entries == []
    assert "hunter2x1" not in repr(once)
    for key, each in value.items():
        scrubbed = FILTER.scrub_value(key, each)
        assert FILTER.scrub_value(key, scrubbed) is scrubbed


_entries = st.sampled_from(_ANEW).flatmap(lambda value: st.sampled_from(sorted(value.items(), key=repr)))
_pieces = st.one_of(
    _entries.map(lambda entry: entry[1]),
    _sentences,
    st.sampled_from(
        ("password", "--password", "hunter2x1", 48.85831, 2.29451, "48.85831", 7, None, True, _GONE, "otp")
    ),
    st.sampled_from((float("nan"), 10**30, b"password", b"\xff", _Field.NAME, _LONG_NAME, _BEARER, "[redacted]")),
)
_names = st.one_of(
    _words,
    _entries.map(lambda entry: entry[0]),
    st.sampled_from(("name", "key", "value", "content", "x", "y", "0", "1", "lat", "long", "location", "users", "id")),
    st.builds("{} {}".format, PLANTED, st.sampled_from(("name", "value", "x", "y", "id", "count", "type"))),
)
_odd = st.recursive(
    _pieces,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.lists(inner, max_size=3).map(deque),
        st.dictionaries(_names | st.sampled_from((b"name", b"value", _Field.NAME)), inner, max_size=4),
        inner.map(lambda value: json.dumps(value, default=str, skipkeys=True)),
    ),
    max_leaves=8,
)


@settings(steady, max_examples=400)
@given(st.dictionaries(_names, _odd, min_size=1, max_size=3))
def test_structures_that_change_by_what_goes_settle_in_one_pass(value: dict[str, object]) -> None:
    """However names, values, places and what is left out are put together, a second pass has nothing to do."""
    first, second = Receipt(), Receipt()
    once = FILTER.properties(value, first)
    if any(action == "truncated" for _, _, action in first.entries):
        return
    assert FILTER.properties(once, second) == once
    assert second.entries == []
    for key, each in value.items():
        scrubbed = FILTER.scrub_value(key, each)
        assert FILTER.scrub_value(key, scrubbed) is scrubbed


@pytest.mark.parametrize("room", range(24))
def test_no_marker_is_cut_in_two(room: int) -> None:
    """Half of a marker reads like a value, in a text, in a key and in what may stay under a sensitive key."""
    limited = Filter(PrivacyPolicy(max_string_chars=1000))
    pairs = "p" * room + " password: hunter2x1" * 60
    words = "w" * room + " the user of the order is [email] and" * 40
    for value in (
        {"k": pairs},
        {pairs: 1},
        {"k": {pairs: 1}},
        {"k": "x" * (1000 - room) + " jo@example.org"},
        {"email": words},
    ):
        once = limited.properties(value, Receipt())
        assert limited.properties(once, Receipt()) == once
        assert all(part.count("[") == part.count("]") for part in _strings(once))


_harmless = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(-1e9, 1e9),
    _words,
    st.uuids().map(str),
    st.datetimes().map(lambda moment: moment.isoformat() + "+00:00"),
    st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}"),
    st.builds("{}.{}.{}".format, *[st.integers(0, 30)] * 3),
    st.builds("10.{}.{}.{}".format, *[st.integers(0, 255)] * 3),
)


@steady
@given(st.recursive(_harmless, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3)))
def test_a_harmless_value_is_identical_in_type_and_value(value: object) -> None:
    """Nothing is lost of what says nothing about anyone."""
    deep = Filter(PrivacyPolicy(max_depth=100))
    receipt = Receipt()
    out = deep.properties({"k": value}, receipt)["k"]
    assert repr(out) == repr(value)
    assert receipt.entries == []
    assert deep.scrub_value("k", value) is value


@steady
@given(st.text(max_size=300) | st.text("ab1@.:%40=+-/ \"'\\[]{}&?", max_size=200), st.binary(max_size=60))
def test_no_input_breaks_the_filter(text: str, raw: bytes) -> None:
    """Any text and bytes give JSON-safe properties, and a text of the operational side."""
    out = FILTER.properties({text: text, "raw": raw, "json": '{"' + text}, Receipt())
    json.dumps(out, allow_nan=False)
    assert isinstance(FILTER.scrub_text(text), str)


def test_a_text_that_does_not_settle_goes_whole() -> None:
    """Where each look brings something more to light, a marker stands for the text, not for what was found so far."""
    assert FILTER.name("order " + "02 30 26 46 55 " * 40, Receipt()) == "[redacted]"
    assert FILTER.name("order " + "02 30 26 46 55 " * 4, Receipt()).startswith("order ")


def test_json_that_markers_made_too_long_is_cut_and_read_as_text() -> None:
    """A text with JSON in it keeps to the limit of texts, and filtering it again changes nothing."""
    text = json.dumps(["a@b.de " * 600, "c@d.de " * 560])
    once = FILTER.properties({"k": text}, Receipt())
    assert len(str(once["k"])) <= PrivacyPolicy().max_string_chars
    assert FILTER.properties(once, Receipt()) == once
