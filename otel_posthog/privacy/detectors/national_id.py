"""National identity numbers: by check digits, by a country's own way to write them, or by the name beside them.

A number that has a weak check, or none, is one only where its name stands before it (`NHS 943 476 5919`) or where its
key speaks of it. Everywhere else nine digits are an order, a size or a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from otel_posthog.privacy.detectors.checksums import is_date, weighted
from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.issuers import BY_GROUPS, BY_LENGTH
from otel_posthog.privacy.detectors.look import DIGIT, FOUR_DIGITS
from otel_posthog.privacy.keys import KeyFacts

NAME = "national_id"

_PIECE = re.compile(r"(?<![0-9A-Za-z_.+-])[0-9]{10,18}(?![0-9A-Za-z_]|[.-][0-9])")
_GROUPED = re.compile(r"(?<![0-9A-Za-z_.+/-])[0-9]{1,8}(?:[ ./+-][0-9]{1,8}){1,6}(?![0-9A-Za-z_]|[.:-][0-9])")
_MOMENT_LENGTHS = (10, 13)
_GROUP = re.compile("[0-9]+")
_NO_GAPS = str.maketrans("", "", " ./+-")


def _in_runs(text: str, runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    for run in runs:
        start, end = max(0, run.start() - 1), run.end() + 1
        for piece in _PIECE.finditer(text, start, end):
            digits = piece.group()
            # Seconds since 1970 of our time, and milliseconds, hold dates of birth by chance.
            if len(digits) in _MOMENT_LENGTHS and "15" <= digits[:2] <= "19":
                continue
            if any(rule(digits) for rule in BY_LENGTH.get(len(digits), ())):
                spans.append(piece.span())
        if not run.group().isdecimal():
            spans += (found.span() for found in _GROUPED.finditer(text, start, end) if _is_grouped(found.group()))
    return spans


def _is_grouped(written: str) -> bool:
    digits = written.translate(_NO_GAPS)
    if len(digits) < 9:
        return False
    shape = _GROUP.sub(lambda group: str(len(group.group())), written)
    return any(rule(digits) for rule in BY_GROUPS.get(shape, ()))


def _dni(text: str) -> bool:
    """Spain: the letter is the number modulo 23; foreigners' begin with X, Y or Z for 0, 1 or 2."""
    number = int(text[:-1].strip("- ").upper().translate(_FOREIGNER))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == text[-1].upper()


def _hetu(text: str) -> bool:
    """Finland: a date, then the number modulo 31 as a letter or digit."""
    number = int(text[:6] + text[7:10])
    return (
        is_date(text[4:6], text[2:4], text[:2]) and "0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == text[10].upper()
    )


def _nric(text: str) -> bool:
    """Singapore: a weighted sum as a letter, by series."""
    text = text.upper()
    rest = (weighted(text[1:8], (2, 7, 6, 5, 4, 3, 2), 11) + {"T": 4, "G": 4, "M": 3}.get(text[0], 0)) % 11
    return _NRIC[text[0]][rest] == text[8]


def _pps(text: str) -> bool:
    """Ireland: a weighted sum modulo 23 as a letter; a second letter counts nine times."""
    second = ord(text[8].upper()) - 64 if len(text) > 8 and text[8].upper() != "W" else 0
    rest = (sum(int(digit) * weight for digit, weight in zip(text[:7], range(8, 1, -1), strict=True)) + 9 * second) % 23
    return "WABCDEFGHIJKLMNOPQRSTUV"[rest] == text[7].upper()


def _taiwan(text: str) -> bool:
    """Taiwan: the letter stands for two digits, then a weighted sum."""
    place = _TAIWAN.index(text[0].upper()) + 10
    rest = place // 10 + place % 10 * 9
    return (rest + sum(int(d) * w for d, w in zip(text[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1), strict=True))) % 10 == 0


def _rut(text: str) -> bool:
    """Chile: a weighted sum modulo 11, ten as K."""
    digits = text[:-2].replace(".", "")
    rest = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(digits))) % 11
    return "0123456789K0"[11 - rest] == text[-1].upper()


def _rvnr(text: str) -> bool:
    """Germany, pension insurance: a date (the day may be raised by 50), a letter, a serial."""
    return is_date(text[6:8], text[4:6], f"{int(text[2:4]) % 50:02d}")


def _dated(text: str) -> bool:
    """Mexico: a date after three or four letters."""
    date = re.sub(r"\A[^0-9]+", "", text)[:6]
    return is_date(date[:2], date[2:4], date[4:6])


def _resident_x(text: str) -> bool:
    """China, with an X for ten."""
    return any(rule(text.upper()) for rule in BY_LENGTH[18])


def _shape_is_enough(_: str) -> bool:
    return True


_FOREIGNER = str.maketrans("XYZ", "012")
_TAIWAN = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_NRIC = {
    "S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "KLJNPQRTUWX",
}  # fmt: skip
_MBI = "AC-HJKMNP-RT-Y"

# Numbers with letters; by name, so that a hit tells which rule to ask.
_MIXED_RULES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "dni": (r"(?:[0-9]{7,8}|[XYZ][0-9]{7})[- ]?[A-Z]", _dni),
    "hetu": (r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y]", _hetu),
    "codice": (r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]", _shape_is_enough),  # Italy
    # United Kingdom: national insurance, driving licences.
    "nino": (
        r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?[0-9]{2}){3} ?[A-D]", _shape_is_enough,
    ),
    "licence": (
        r"[A-Z]{2}[A-Z9]{3}[0-9][0156][0-9](?:0[1-9]|[12][0-9]|3[01])[0-9][A-Z9]{2}[0-9A-Z][A-Z]{2}", _shape_is_enough,
    ),
    "pan": (r"[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]", _shape_is_enough),  # India
    # United States, Medicare.
    "mbi": (
        rf"[1-9][{_MBI}][0-9{_MBI}][0-9]-?[{_MBI}][0-9{_MBI}][0-9]-?[{_MBI}]{{2}}[0-9]{{2}}", _shape_is_enough,
    ),
    "nric": (r"[STFGM][0-9]{7}[A-Z]", _nric),
    "pps": (r"[0-9]{7}[A-W][A-IW]?", _pps),
    "taiwan": (r"[A-Z][1289][0-9]{8}", _taiwan),
    "curp": (r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]", _dated),
    "rfc": (r"[A-Z]{4}[0-9]{6}[0-9A-Z]{3}", _dated),
    "rvnr": (r"[0-9]{8}[A-Z][0-9]{3}", _rvnr),
    "nir": (r"[12][0-9]{4}2[AB][0-9]{8}", _shape_is_enough),  # France, born in Corsica
    "resident": (r"[1-9][0-9]{16}X", _resident_x),
    "rut": (r"(?:[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}|[0-9]{7,8})-[0-9K]", _rut),
    "itin": (r"9[0-9]{2}-(?:5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-24-9])-[0-9]{4}", _shape_is_enough),
}  # fmt: skip
_MIXED = re.compile(
    r"(?<![0-9A-Za-z_.+/-])(?:"
    + "|".join(f"(?P<{name}>{shape})" for name, (shape, _) in _MIXED_RULES.items())
    + r")(?![0-9A-Za-z_]|[.-][0-9A-Za-z])",
    re.IGNORECASE,
)


def _mixed(text: str) -> list[Span]:
    found = _MIXED.finditer(text)
    return [match.span() for match in found if _MIXED_RULES[match.lastgroup or ""][1](match.group())]


# What such a number is called, in front of it. Short names only in capitals: `sin`, `run` and `pan` are words.
_CAPITALS = (
    "SSN ITIN EIN NIN NINO NHS DNI NIF NIE NIR CPF CNPJ BSN PESEL NIP CPR CNP SIN TFN ABN PAN MBI NRIC FIN TCK TCKN "
    "RRN FRN CURP RFC RUT CUIT CUIL PPS PPSN AMKA AFM OIB EGN HETU hetu PNR pnr RVNR SVNR KVNR TIN TNIN SNILS INN NIK"
)
_WORDS = (
    r"social security|national insurance|national id|identity (?:number|card|code)|identification (?:number|code)"
    r"|id (?:number|card|code|no\b)|tax(?:payer)?[ -]?(?:id|number|file)|steuer-?id|steuernummer|versichertennummer"
    r"|codice fiscale|burgerservicenummer|personnummer|henkil[oö]tunnus|f[oø]dselsnummer|aadha+r|kimlik|voter|medicare"
    r"|passport|pasaporte|reisepass|passeport|paspoort|passaporto|pass-?nr|ausweis|driv(?:er|ing)(?:'?s)? licen[cs]e"
    r"|licen[cs]e (?:number|no)|(?:thai|turkish|rsa|finnish|swedish) id|여권|주민등록번호|身份证"
    r"|マイナンバー|เลขประจำตัวประชาชน"
)
_NAMES = re.compile(rf"(?<![0-9A-Za-z])(?:{_CAPITALS.replace(' ', '|')})(?![0-9A-Za-z])|(?i:{_WORDS})")
_AFTER_NAME = re.compile(
    r"(?:[^0-9A-Za-z\n]{0,3}(?:[a-z]{1,9}|No|Nr|ID|Number|Num|NUMBER))?[^0-9A-Za-z\n]{0,3}(?:is|are|code)?"
    r"[^0-9A-Za-z\n]{1,4}"
    r"((?=(?:[ .-]?[0-9A-Za-z]){5,})(?=(?:[ .-]?[0-9A-Za-z]){0,6}[0-9]{2})"
    r"[0-9A-Za-z]{1,18}(?:[ ./-][0-9A-Z]{1,8}){0,5})"
)
_FEWEST_DIGITS = 5
_DIGIT = re.compile("[0-9]")


def _named(text: str) -> list[Span]:
    spans: list[Span] = []
    for name in _NAMES.finditer(text):
        number = _AFTER_NAME.match(text, name.end())
        if number and len(_DIGIT.findall(number[1])) >= _FEWEST_DIGITS:
            spans.append(number.span(1))
    return spans


_ANY = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{1,18}(?:[ ./-][0-9A-Za-z]{1,9}){0,5}(?![0-9A-Za-z])")


def _find(text: str, facts: KeyFacts, runs: Sequence[Run]) -> list[Span]:
    if NAME in facts.kinds:
        found = _ANY.finditer(text)
        return [match.span() for match in found if len(_DIGIT.findall(match.group())) >= _FEWEST_DIGITS]
    spans = _in_runs(text, runs) if runs else []
    if not text.isdecimal():
        spans += _mixed(text)
        spans += _named(text)
    return _apart(spans) if len(spans) > 1 else spans


def _apart(spans: list[Span]) -> list[Span]:
    apart: list[Span] = []
    for start, end in sorted(spans):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


NATIONAL_ID = Detector(NAME, _find, needs=DIGIT | FOUR_DIGITS, in_versions=False)
