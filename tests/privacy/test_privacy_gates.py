"""The features of a text rule out no detector that would have found something in it."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_posthog.policy.defaults import DETECTORS
from otel_posthog.privacy.detectors import detectors
from otel_posthog.privacy.detectors.first_words import FEATURES
from otel_posthog.privacy.detectors.national_id import LABELS, LABELS_IN_WORDS
from otel_posthog.privacy.detectors.phone import LABELS as PHONE_LABELS
from otel_posthog.privacy.detectors.prefilter import features_of
from otel_posthog.privacy.keys import NO_FACTS, KeyFacts, KeyRules
from otel_posthog.regex import by_first_letter

parser: Any = import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")
ALL = detectors(DETECTORS, KeyRules(["password", "token"]).facts)
FACTS = [
    NO_FACTS,
    KeyFacts(version=True),
    KeyFacts(page=True),
    *(KeyFacts(kinds=frozenset((each,))) for each in DETECTORS),
]


def spellings(pattern: str) -> list[str]:
    """Return every text that a pattern of finitely many matches."""
    return ["".join(each) for each in _spelled(list(parser.parse(pattern)))]


def _spelled(items: list[tuple[object, Any]]) -> list[str]:
    return ["".join(parts) for parts in product(*(_spelled_one(str(kind), told) for kind, told in items))]


def _spelled_one(kind: str, told: Any) -> list[str]:
    if kind == "LITERAL":
        return [chr(told)]
    if kind == "IN":
        return [each for item in told for each in _spelled_one(str(item[0]), item[1])]
    if kind == "BRANCH":
        return [each for branch in told[1] for each in _spelled(list(branch))]
    if kind == "MAX_REPEAT":
        once = _spelled(list(told[2]))
        return (["", *once] if told[0] == 0 else once) + ([f"{each}{each}" for each in once] if told[1] > 1 else [])
    return _spelled(list(told[3])) if kind == "SUBPATTERN" else [""]


PHONES, NUMBERS = spellings(PHONE_LABELS), [*LABELS.split(), *spellings(LABELS_IN_WORDS)]
SCHEMES = ["bearer", "Basic", "DIGEST", "token", "apikey", "negotiate"]
FOLDERS = ["/home/jo/x", "C:\\Users\\jo\\x", "C:\\Documents and Settings\\jo\\", "/Users/jo", "/var/home/jo"]
digits = st.text("0123456789", min_size=1, max_size=12)
# What each detector reads first: its labels, its signs, the forms of its numbers.
labels = st.one_of(
    st.sampled_from(NUMBERS), st.sampled_from(PHONES), st.sampled_from([*SCHEMES, "my password is", "lat", "lon: "])
)
cased = st.builds(lambda text, how: how(text), labels, st.sampled_from([str, str.upper, str.lower, str.title]))
forms = st.one_of(
    digits,
    st.lists(digits, min_size=2, max_size=5).flatmap(
        lambda parts: st.sampled_from([by.join(parts) for by in " -./+:_,|"])
    ),
    st.from_regex(r"[A-Za-z]{0,5}[0-9]{2,9}[A-Za-z]{0,2}", fullmatch=True),
    st.sampled_from([
        "4111 1111 1111 1111", "4111111111111111", "078-05-1120", "+49 30 1234567", "DE89 3704 0044 0532 0130 00",
        *FOLDERS, "01:23:45:67:89:ab", "8.8.8.8", "2a00:1450::8", "jo@example.org", "dXNlcjpwYXNzd29yZDEyMw==",
        "0123456789abcdefABCD", "x://u:p@h", "abcd.ef01.2345",
        "(415) 555-0132", "48.85837, 2.29448", "529.982.247-25", "2341 2341 2346", "QQ 12 34 56 C", "password=x1y2",
        "ghp" + "_" + "0123456789abcdefABCDEF0123456789", "13812345678",
    ]),
)  # fmt: skip
joints = st.text(" :=/\\._-+\"'(,;\n\té%&[]手", min_size=1, max_size=3)
texts = st.lists(st.tuples(joints, st.one_of(cased, forms, forms)), min_size=1, max_size=6).map(
    lambda parts: "".join(joint + part for joint, part in parts)
)


@given(texts, st.sampled_from(FACTS))
@example("passport no 123456789", NO_FACTS)
@example("tel:5551234567", NO_FACTS)
@example("SSN-12345", KeyFacts(version=True))
@example("Authorization%20basic dXNlcjpwYXNzd29yZDEyMw==", NO_FACTS)
def test_no_gate_rules_out_a_hit(text: str, facts: KeyFacts) -> None:
    """What a detector finds it also finds by the features of the text, which may spare it a part of the work."""
    assert_same_by_features(text, facts)


def assert_same_by_features(text: str, facts: KeyFacts = NO_FACTS) -> list[str]:
    """Return what was found, by name."""
    seen, runs = features_of(text)
    names = []
    for each in ALL:
        found = each.find(text, facts, runs)
        fits = each.fits(seen, version=False)
        assert (each.finder(seen)(text, facts, runs) if fits else []) == found, (each.name, text)
        names += [each.name] if found else []
    return names


def test_no_label_is_ruled_out() -> None:
    """A number behind any label, a credential behind any scheme, a folder of any kind are found by features."""
    for label in NUMBERS:
        for number in (" 123456789", ":12345", ": AB12345"):
            assert "national_id" in assert_same_by_features(f"{label}{number}"), label
    for label in PHONES:
        assert "phone" in assert_same_by_features(f"{label}: 5321234567"), label
        assert_same_by_features(f"{label.upper()}.532-12-34567")
    for text in [*(f"{scheme} dXNlcjpwYXNzd29yZDEyMw==" for scheme in SCHEMES), *FOLDERS]:
        assert assert_same_by_features(text), text


@pytest.mark.parametrize(
    ("alternatives", "ignore_case"),
    [(LABELS.replace(" ", "|"), False), (LABELS_IN_WORDS, True), (PHONE_LABELS, True)],
    ids=["capitals", "words", "phones"],
)
def test_labels_by_their_first_letters_are_the_same_labels(alternatives: str, ignore_case: bool) -> None:
    """Alternatives that are put together by their first letters match what they matched one by one, in any case."""
    plain = re.compile(alternatives, re.IGNORECASE if ignore_case else 0)
    grouped = re.compile(by_first_letter(alternatives, ignore_case=ignore_case))
    # Letters that are others in another case: the Kelvin sign, the long s, the dotted and the dotless i.
    odd = str.maketrans("ksiI", "\u212a\u017f\u0130\u0131")
    for label in spellings(alternatives):
        for text in (label, label.upper(), label.title(), label.translate(odd), f"{label}s", label[:-1]):
            one, other = plain.fullmatch(text), grouped.fullmatch(text)
            assert (one is None) == (other is None), text
    assert not ignore_case or grouped.fullmatch(spellings(alternatives)[0].translate(odd))


def test_first_words_are_words() -> None:
    """A first word is one that a text can have: small letters without a break."""
    assert all(re.fullmatch(b"[a-z]+", word) for word in FEATURES)
