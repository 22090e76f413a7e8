"""Phone numbers: `phone`.

With a country code (`+49 30 …`, `0049…`), grouped as national numbers are written, or behind a label (`Tel. 532…`).
Digits without a gap need the label, or a key that speaks of phones: order numbers and times look the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Find, Run, Span, merge_overlaps
from otel_posthog.privacy.detectors.first_words import PHONE_LABEL
from otel_posthog.privacy.detectors.prefilter import DATE, NOT_ASCII, NUMBER, SEVEN_DIGITS
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.regex import by_first_letter, regex

_EXTENSION = r"(?:\s?(?:x|ext\.?)\s?[0-9]{1,6})?"
_END = r"(?![0-9A-Za-z_]|[.,:-][0-9])"

_INTERNATIONAL = regex(
    r"(?:(?<![0-9A-Za-z_+])\+\(?|(?<![0-9A-Za-z_.+:-])(?<![0-9]/)00[ ]?)(?=[1-9])[0-9](?:[ .()/-]{0,3}[0-9]){6,14}"
    + _EXTENSION
    + r"(?![0-9A-Za-z]|-[0-9A-Za-z]{4})"
)
# `q=%2B49+30+123+4567`: a form writes each space as a plus. Only as a value's beginning, since 1+2+3 is a sum.
_FORM_ENCODED = regex(r"(?<==)\+\(?(?=[1-9])[0-9](?:[ +.()/-]{0,3}[0-9]){6,14}(?![0-9A-Za-z])")
_NATIONAL = regex(
    r"(?<![0-9A-Za-z_.+-])(?<![0-9][ :])(?:"
    # (415) 555-0132, 415-555-0132, 415.555.0132, 1-415-555-0132; with 91 or 001 before it
    r"(?:(?:00)?[0-9]{1,2}[ .-])?(?:\([0-9]{3}\)[ -]?|[0-9]{3}[.-])[0-9]{3}[.-][0-9]{4}"
    # (0807) 152328, 0807-152328, 090-3600-7651, 02 30 26 46 55, 0532 123 45 67
    r"|\(0-?[0-9]{1,5}\)[ -]{0,2}[0-9]{2,8}(?:[ -][0-9]{2,5}){0,3}"
    r"|0[ -]?[0-9]{3}[ -][0-9]{3}[ -][0-9]{2}[ -][0-9]{2}"
    r"|0[0-9](?:[ .-][0-9]{2}){4}"
    # 032 212 70 44, 06 20 123 0409, 08-123 456 78; but no 01-02-2024
    r"|(?![0-9]{2}([ -])[0-9]{2}\1(?:19|20)[0-9]{2})0[0-9]{1,5}(?:[ -][0-9]{2,5}){2,4}"
    r"|0[0-9]{1,5}[ -][0-9]{3,8}(?:[ -][0-9]{3,4}){0,2}"
    # (11) 96123-1041, 8 (029) 491-58-32
    r"|\([1-9][0-9]{1,2}\)[ -]?[0-9]{3,5}[ -][0-9]{3,4}"
    r"|(?:8[ -])?(?:\([0-9]{3,5}\)|[0-9]{3,5})[ -][0-9]{2,3}-[0-9]{2}-[0-9]{2}"
    # 222 123 6780, 329 950 42 45, 612 34 86 03, 131 2345 2845: groups of no other number
    r"|(?:[2-9][0-9]{2} [0-9]{3} [0-9]{4}|[2-9][0-9]{2} [0-9]{3} [0-9]{2} [0-9]{2}"
    r"|[6-9][0-9]{2}(?: [0-9]{2}){3}|1[3-9][0-9] [0-9]{4} [0-9]{4}"
    # 678 102 383, 98765 43210
    r"|[67][0-9]{2} [0-9]{3} (?!000)[0-9]{3}|(?:91[ -])?[6-9][0-9]{4} [0-9]{5})(?! [0-9])"
    # 138-1234-5678
    r"|1[3-9][0-9]-[0-9]{4}-[0-9]{4}"
    # 84 0700-5809, 34-3183-8895
    r"|[0-9]{2}[ -][0-9]{4}-[0-9]{4}"
    r")" + _EXTENSION + _END
)
_BEGINS = r"(?<![0-9A-Za-z_.+/-])(?<![0-9][ :])"
_BEGINS_PART = r"(?<![0-9A-Za-z_.+-])(?<![0-9][ :/])"
# 030/1234567, 0171 / 123 45 67
_SLASHED = regex(rf"{_BEGINS}0[1-9][0-9]{{1,4}} ?/ ?[0-9]{{2,9}}(?:[ -][0-9]{{2,4}}){{0,3}}{_END}")
# 532.123.45.67, which is no address; 0 (917) 123 4567
_DOTTED = regex(rf"{_BEGINS_PART}[3-9][0-9]{{2}}\.[0-9]{{3}}\.[0-9]{{2}}\.[0-9]{{2}}{_END}")
_AFTER_ZERO = regex(rf"{_BEGINS_PART}0 ?\([0-9]{{3}}\)[ -]?[0-9]{{3}}[ -][0-9]{{4}}{_END}")
# 678 102 383 may also be an amount.
_THREE_THREES = regex(r"[67][0-9]{2} [0-9]{3} [0-9]{3}")
_CURRENCIES = frozenset("$€£¥")
_UNIT = regex(r" ?(?:[$€£¥%]|[A-Z]{3}\b|[kKMGT]?[Bb]\b|bytes|rows|items)")
_EXTENSION_CHARS = 16
_DIGIT = regex(r"[0-9]")


def _find(text: str, _facts: KeyFacts, runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    for run in runs:
        if DATE.match(text, run.start()):
            continue
        # From the plus before the run to the extension behind it; what begins behind the run belongs to the next.
        start, stop, written = max(0, run.start() - 1), run.end() + _EXTENSION_CHARS, run.group()
        found: list[re.Match[str]] = []
        if text[start] == "+" or "00" in written or "+" in written:
            found = _international(text, start, stop)
        if not written.isdecimal():
            found += _national(text, start, stop, written)
        if found:
            spans += [match.span() for match in found if match.start() < run.end()]
    return merge_overlaps(spans) if len(spans) > 1 else spans


def _international(text: str, start: int, stop: int) -> list[re.Match[str]]:
    pattern = _FORM_ENCODED if text[start] == "+" and text[start - 1 : start] == "=" else _INTERNATIONAL
    found = [match for match in pattern.finditer(text, start, stop) if _is_plausible(match.group())]
    # A part of a path may be a number with zeros in front; with gaps it is none.
    return [match for match in found if text[match.start() - 1 : match.start()] != "/" or not match.group().isdecimal()]


def _national(text: str, start: int, stop: int, written: str) -> list[re.Match[str]]:
    found = [*_NATIONAL.finditer(text, start, stop)]
    if "/" in written:
        found += _SLASHED.finditer(text, start, stop)
    if "." in written:
        found += _DOTTED.finditer(text, start, stop)
    if "(" in written:
        found += _AFTER_ZERO.finditer(text, start, stop)
    return [match for match in found if _is_national(text, match)] if found else found


def _is_national(text: str, match: re.Match[str]) -> bool:
    number = match.group()
    if _THREE_THREES.fullmatch(number):
        is_amount = text[match.start() - 2 : match.start()].rstrip()[-1:] in _CURRENCIES
        return not is_amount and _UNIT.match(text, match.end()) is None
    return _fewest(number) <= len(_DIGIT.findall(number)) <= 17


def _fewest(number: str) -> int:
    """Return how many digits a number must have; eight may also be a date or a part number, unless they are spaced."""
    return 8 if number.startswith("(0") or (number[0] == "0" and number.count(" ") > 1) else 9


def _is_plausible(number: str) -> bool:
    digits = len(_DIGIT.findall(number))
    # After `00` nothing tells a padded number from a phone number but its length.
    return digits >= 12 if number.startswith("00") else digits >= 8


PHONE = Detector("phone", _find, needs=NUMBER)


# A label before a number (`Tel. 5321234567`), or a key that speaks of phones: there a row of digits is enough.
_LABELLED_NUMBER = r"\+?\(?[0-9](?:[ ().-]{0,2}[0-9]|/[0-9]{2}){6,14}(?![0-9A-Za-z_]|[.,:/-][0-9]|%)"
# ITU-T E.123 has the first three; the others are what people write.
LABELS = (
    r"phone|telephone|mobile|tele(?:fon[eos]?|foon|fone)|tel|fax|mob|cell|cellphone|cellular|whatsapp|sms|gsm|handy"
    r"|(?:ruf|telefon|handy|mobil|fax)nummer|telefoonnummer|tlf|puh|puhelin|telefax|celular|cellulare|portable"
    r"|t[ée]l(?:[ée]phone|[ée]fono)?|m[óo]vil|komórka|телефон|тел|моб|τηλ(?:έφωνο)?|电话|電話|电话号码|電話番号|手机|手機|携帯|전화|전화번호|휴대폰"
    r"|(?:phone|mobile|cell|contact|telephone|fax|whatsapp)[ _-]?(?:number|num|no|nr)|my number|number to call"
    r"|call (?:me|us|him|her|them)(?: back)?|reach (?:me|us|him|her|them)|text (?:me|us|him|her)"
)
_LABELLED = regex(
    rf"(?<![0-9A-Za-z_])(?!(?<=\[)phone\])(?:{by_first_letter(LABELS, ignore_case=True)})"
    r"(?:(?<=[^\x00-\x7f])|(?![0-9A-Za-z]))"
    r"[^0-9A-Za-z\n(+]{0,4}(?:(?:number|nummer|num|no|nr|n[úu]mero|is|at|on|to|now)\b[^0-9A-Za-z\n(+]{0,4}){0,2}"
    rf"({_LABELLED_NUMBER})",
    re.IGNORECASE,
)
# Mobile numbers of China, in a text of its letters.
_CHINESE = regex(r"(?<![0-9A-Za-z_.-])1[3-9][0-9]{9}(?![0-9A-Za-z_]|[.-][0-9])")
_HAN = regex("[\u4e00-\u9fff]")
_ANY_NUMBER = regex(rf"(?<![0-9A-Za-z_.+-]){_LABELLED_NUMBER}")


def _find_by_key(text: str, facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    if "phone" in facts.kinds and not (facts.lenient or facts.max_number or facts.version):
        return [match.span() for match in _ANY_NUMBER.finditer(text) if not DATE.match(text, match.start())]
    return []


def _find_labelled(text: str, facts: KeyFacts, runs: Sequence[Run]) -> list[Span]:
    if "phone" in facts.kinds and not (facts.lenient or facts.max_number or facts.version):
        return _find_by_key(text, facts, runs)
    spans = [match.span(1) for match in _LABELLED.finditer(text) if not DATE.match(text, match.start(1))]
    if facts.version:
        # `Mobile/1234567890` is a build.
        return [span for span in spans if text[span[0] - 1] != "/"]
    if not text.isascii() and _HAN.search(text):
        spans += (match.span() for match in _CHINESE.finditer(text))
    return merge_overlaps(spans) if len(spans) > 1 else spans


def _for_features(features: int) -> Find:
    return _find_labelled if features & (PHONE_LABEL | NOT_ASCII) else _find_by_key


LABELLED_PHONE = Detector("phone", _find_labelled, needs=SEVEN_DIGITS, for_features=_for_features)
