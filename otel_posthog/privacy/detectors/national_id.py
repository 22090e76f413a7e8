"""National identity numbers: `national_id`, and `ssn` for those of the United States.

A number is one by its check digits, by the way in which a country groups it, or by a label. One with a weak check, or
none, needs a label before it (`NHS 943 476 5919`) or a key that speaks of it: elsewhere nine digits are an order, a
size or a time. The rules of each country are in `national_rules`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.checksums import verhoeff
from otel_posthog.privacy.detectors.detector import Detector, Find, Run, Span, merge_overlaps
from otel_posthog.privacy.detectors.first_words import NATIONAL_LABEL, NATIONAL_LABELS
from otel_posthog.privacy.detectors.national_rules import (
    BY_GROUPS,
    BY_LENGTH,
    is_alphanumeric_id,
    may_hold_alphanumeric_id,
)
from otel_posthog.privacy.detectors.prefilter import DATE, DIGIT, FOUR_DIGITS, GROUPS, NOT_ASCII, NUMBER
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.regex import by_first_letter, regex

_PIECE = regex(r"(?<![0-9A-Za-z_.+-])[0-9]{10,18}(?![0-9A-Za-z_]|[.-][0-9])")
_GROUPED = regex(r"(?<![0-9A-Za-z_.+-])(?<![0-9]/)[0-9]{1,8}(?:[ ./+-][0-9]{1,8}){1,6}(?![0-9A-Za-z_]|[.:-][0-9])")
_BETWEEN_SPACES = regex(r"[^ ]+")
_MOMENT_LENGTHS = (10, 13)
_AS_ZEROS = str.maketrans("123456789", "0" * 9)
_BY_FORM = {re.sub("[0-9]", lambda size: "0" * int(size[0]), groups): rules for groups, rules in BY_GROUPS.items()}
"""`BY_GROUPS` by the form of a number: as it is written, with `0` for every digit."""
_NO_GAPS = str.maketrans("", "", " ./+-")


def _in_runs(text: str, runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    for run in runs:
        if DATE.match(text, run.start()):
            continue
        written, end = run.group(), run.end() + 1
        if written.isdecimal():
            # Digits alone are one number or none.
            piece = _PIECE.match(text, run.start(), end) if len(written) in BY_LENGTH else None
            if piece is not None and _is_one(written):
                spans.append(piece.span())
            continue
        start = max(0, run.start() - 1)
        spans += (piece.span() for piece in _PIECE.finditer(text, start, end) if _is_one(piece.group()))
        for found in _GROUPED.finditer(text, start, end):
            spans += _grouped(found.group(), found.start())
    return spans


def _is_one(digits: str) -> bool:
    # Seconds and milliseconds since 1970 contain dates of birth by chance.
    if len(digits) in _MOMENT_LENGTHS and "15" <= digits[:2] <= "19":
        return False
    return any(rule(digits) for rule in BY_LENGTH.get(len(digits), ()))


def _grouped(written: str, start: int) -> list[Span]:
    """Return where in groups of digits, which begin at `start`, the number is that they are, or that is among them."""
    if _is_grouped(written):
        return [(start, start + len(written))]
    if " " not in written:
        return []
    # `529.982.247-25 200`: a status or a time may stand beside it.
    return [
        (start + each.start(), start + each.end())
        for each in _BETWEEN_SPACES.finditer(written)
        if not each.group().isdecimal() and _is_grouped(each.group())
    ]


def _is_grouped(written: str) -> bool:
    rules = _BY_FORM.get(written.translate(_AS_ZEROS))
    if rules is None:
        return False
    digits = written.translate(_NO_GAPS)
    return any(rule(digits) for rule in rules)


_WORD = regex(r"[0-9A-Za-z][0-9A-Za-z.+-]{7,}")
_LONGEST = 18
_SPACED_NINO = regex(
    r"(?<![0-9A-Za-z])(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: [0-9]{2}){3} [A-D](?![0-9A-Za-z])",
    re.IGNORECASE,
)


def _alphanumeric(text: str) -> list[Span]:
    spans: list[Span] = []
    for match in _WORD.finditer(text):
        word = match.group().rstrip(".+-")
        start, end = match.start(), match.start() + len(word)
        joined = text[start - 1 : start] == "_" or text[end : end + 1] == "_"
        if len(word) <= _LONGEST and not joined and not word.isdecimal() and is_alphanumeric_id(word):
            spans.append((start, end))
    if text.count(" ") > 3:
        spans += (match.span() for match in _SPACED_NINO.finditer(text))
    return spans


# Labels in front of a number. Short ones count in capitals only: `sin`, `run` and `pan` are words.
LABELS = NATIONAL_LABELS
LABELS_IN_WORDS = (
    r"social security|my social|c[ée]dula|kennitala|isikukood|asmens kodas|personas kods|rodn[ée] [čc][íi]slo|ИНН|СНИЛС"
    r"|national insurance|national id|identity (?:number|card|code)|identification (?:number|code)"
    r"|id (?:number|card|code|no\b)|tax(?:payer)?[ -]?(?:id|number|file)|steuer-?id|steuernummer|versichertennummer"
    r"|codice fiscale|burgerservicenummer|personnummer|henkil[oö]tunnus|f[oø]dselsnummer|aadha+r|uidai|आधार|kimlik"
    r"|voter|medicare|passport|pasaporte|reisepass|passeport|paspoort|passaporto|pass-?nr|ausweis"
    r"|driv(?:er|ing)(?:'?s)? licen[cs]e|licen[cs]e (?:number|no)|(?:thai|turkish|rsa|finnish|swedish) id"
    r"|여권|주민등록번호|身份证|マイナンバー|เลขประจำตัวประชาชน"
)
_LABEL = regex(
    rf"(?<![0-9A-Za-z])(?:{by_first_letter(LABELS.replace(' ', '|'))})(?![0-9A-Za-z])"
    rf"|(?:{by_first_letter(LABELS_IN_WORDS, ignore_case=True)})"
)
_AFTER_LABEL = regex(
    # No bracket: a marker is not a word of the sentence.
    r"(?:[^0-9A-Za-z\n\[]{0,3}(?:[a-z]{1,9}|No|Nr|ID|Number|Num|NUMBER))?(?:[^0-9A-Za-z\n\[]{0,3}(?:no|nr|num|number|card|code)\b)?[^0-9A-Za-z\n\]]{0,3}(?:is|are|code)?"
    r"[^0-9A-Za-z\n\]]{1,4}"
    r"((?=(?:[ .-]?[0-9A-Za-z]){5})(?=(?:[ .-]?[0-9A-Za-z]){0,6}[0-9]{2})"
    r"[0-9A-Za-z]{1,18}(?:[ ./-][0-9A-Z]{1,8}){0,5})"
)
_FEWEST_DIGITS = 5
_DIGIT = regex("[0-9]")


def _labelled(text: str) -> list[Span]:
    spans: list[Span] = []
    for label in _LABEL.finditer(text):
        number = _AFTER_LABEL.match(text, label.end())
        if number and len(_DIGIT.findall(number[1])) >= _FEWEST_DIGITS:
            spans.append(number.span(1))
    return spans


_ANY = regex(r"(?<![0-9A-Za-z])[0-9A-Za-z]{1,18}(?:[ ./-][0-9A-Za-z]{1,9}){0,5}(?![0-9A-Za-z])")


def _for_features(features: int) -> Find:
    """Return what finds a number in texts with `features`: what a label needs is known, what a form needs is not."""
    is_ascii = not features & NOT_ASCII
    may_be_labelled = bool(features & NATIONAL_LABEL)
    may_be_said = may_be_labelled or not is_ascii

    def find(text: str, facts: KeyFacts, runs: Sequence[Run]) -> list[Span]:
        if facts.version:
            return _labelled(text) if may_be_labelled else []
        if "national_id" in facts.kinds:
            found = _ANY.finditer(text)
            return [match.span() for match in found if len(_DIGIT.findall(match.group())) >= _FEWEST_DIGITS]
        spans = _in_runs(text, runs) if runs else []
        if text.isdecimal():
            return spans
        if not is_ascii or may_hold_alphanumeric_id(text.encode()):
            spans += _alphanumeric(text)
        if may_be_said and (" " in text or ":" in text):
            spans += _labelled(text)
        return merge_overlaps(spans) if len(spans) > 1 else spans

    return find


# Aadhaar, grouped as lists and paths group.
_ODDLY_GROUPED = regex(
    r"(?<![0-9A-Za-z])(?<![0-9][\t\n_,:|.-])[2-9][0-9]{3}([\t\n_,:|])[0-9]{4}\1[0-9]{4}(?![0-9A-Za-z]|[\t\n_,:|.-][0-9])"
)


def _find_national_id_groups(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    found = _ODDLY_GROUPED.finditer(text)
    return [match.span() for match in found if verhoeff("".join(_DIGIT.findall(match.group())))]


NATIONAL_ID_GROUPS = Detector("national_id", _find_national_id_groups, needs=GROUPS, in_versions=False)
NATIONAL_ID = Detector("national_id", _for_features(-1), needs=DIGIT | FOUR_DIGITS, for_features=_for_features)


# What must not be in front is looked up behind the first group: a pattern that begins with a digit is found faster.
_SSN_CHARS = len("078-05-1120")
_SSN = regex(
    r"[0-9]{3}([- ])(?<![0-9A-Za-z_.+-][0-9]{3}.)(?<!000.)(?<!666.)(?<!9[0-9][0-9].)(?!00)[0-9]{2}\1(?!0000)[0-9]{4}"
    r"(?![0-9A-Za-z_+]|[.-][0-9])"
)


def _find_ssn(text: str, _facts: KeyFacts, runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    for run in runs:
        if run.end() - run.start() >= _SSN_CHARS:
            spans += (match.span() for match in _SSN.finditer(text, run.start(), run.end() + 1))
    return spans


SSN = Detector("ssn", _find_ssn, needs=NUMBER)
