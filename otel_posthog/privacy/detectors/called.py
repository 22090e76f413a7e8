"""Phone numbers told by the word before them (`Tel. 5321234567`) or by their key: there a row of digits is enough."""

from __future__ import annotations

import re
from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span, apart
from otel_posthog.privacy.detectors.look import DATE, SEVEN_DIGITS
from otel_posthog.privacy.keys import KeyFacts

NAME = "phone"

_NUMBER = r"\+?\(?[0-9](?:[ ().-]{0,2}[0-9]|/[0-9]{2}){6,14}(?![0-9A-Za-z_]|[.,:/-][0-9]|%)"
# ITU-T E.123 has the first three; the others are what people write.
_NAMES = (
    r"phone|telephone|mobile|tele(?:fon[eos]?|foon|fone)|tel|fax|mob|cell|cellphone|cellular|whatsapp|sms|gsm|handy"
    r"|(?:ruf|telefon|handy|mobil|fax)nummer|telefoonnummer|tlf|puh|puhelin|telefax|celular|cellulare|portable"
    r"|t[ée]l(?:[ée]phone|[ée]fono)?|m[óo]vil|komórka|телефон|тел|моб|τηλ(?:έφωνο)?|电话|電話|电话号码|電話番号|手机|手機|携帯|전화|전화번호|휴대폰"
    r"|(?:phone|mobile|cell|contact|telephone|fax|whatsapp)[ _-]?(?:number|num|no|nr)|my number|number to call"
    r"|call (?:me|us|him|her|them)(?: back)?|reach (?:me|us|him|her|them)|text (?:me|us|him|her)"
)
_NAMED = re.compile(
    rf"(?<![0-9A-Za-z_])(?!(?<=\[)phone\])(?:{_NAMES})(?:(?<=[^\x00-\x7f])|(?![0-9A-Za-z]))"
    r"[^0-9A-Za-z\n(+]{0,4}(?:(?:number|nummer|num|no|nr|n[úu]mero|is|at|on|to|now)\b[^0-9A-Za-z\n(+]{0,4}){0,2}"
    rf"({_NUMBER})",
    re.IGNORECASE,
)
# Mobile numbers of China, in a text of its letters.
_CHINESE = re.compile(r"(?<![0-9A-Za-z_.-])1[3-9][0-9]{9}(?![0-9A-Za-z_]|[.-][0-9])")
_HAN = re.compile("[\u4e00-\u9fff]")
_ANY = re.compile(rf"(?<![0-9A-Za-z_.+-]){_NUMBER}")


def _find(text: str, facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    if NAME in facts.kinds and not facts.lenient and not facts.max_number:
        return [match.span() for match in _ANY.finditer(text) if not DATE.match(text, match.start())]
    if not _may_name(text.lower()):
        return []
    spans = [match.span(1) for match in _NAMED.finditer(text) if not DATE.match(text, match.start(1))]
    if not text.isascii() and _HAN.search(text):
        spans += (match.span() for match in _CHINESE.finditer(text))
    return apart(spans) if len(spans) > 1 else spans


def _may_name(low: str) -> bool:
    # Without a letter, nothing is named.
    if low.isascii() and not low.islower():
        return False
    # Spelled out: `any` over them takes longer than the search it saves.
    return (
        "tel" in low or "phone" in low or "fax" in low or "mob" in low or "cell" in low or "whatsapp" in low
        or "number" in low or "call" in low or "reach" in low or "text" in low or "numm" in low or "handy" in low
        or "sms" in low or "gsm" in low or "tlf" in low or "puh" in low or "cel" in low or "portable" in low
        or not low.isascii()
    )  # fmt: skip


CALLED = Detector(NAME, _find, needs=SEVEN_DIGITS, in_versions=False)
