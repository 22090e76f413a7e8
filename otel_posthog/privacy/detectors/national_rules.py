"""The rules of national identity numbers, country by country: the tables that `national_id` looks up.

A rule gets a number without its gaps and says whether it is one; the first words of its docstring name the country for
`docs/privacy.md`. Only rules strong enough to leave other numbers alone are here: a date within, two check digits, or a
check over groups as the country writes them. What has a single check digit and no more needs its name beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product

from otel_posthog.privacy.detectors.checksums import is_date, luhn, mod11_10, verhoeff, weighted
from otel_posthog.privacy.detectors.prefilter import AS_CLASSES
from otel_posthog.regex import regex

Rule = Callable[[str], bool]


def _cpf(d: str) -> bool:
    """Brazil, Receita Federal: two check digits."""
    if d == d[0] * 11:
        return False
    first = weighted(d, range(10, 1, -1), 11)
    second = weighted(d, range(11, 1, -1), 11)
    return int(d[9]) == (0 if first < 2 else 11 - first) and int(d[10]) == (0 if second < 2 else 11 - second)


def _cnpj(d: str) -> bool:
    """Brazil, companies: two check digits."""
    if d == d[0] * 14:
        return False
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    first, second = weighted(d, weights[1:], 11), weighted(d, weights, 11)
    return int(d[12]) == (0 if first < 2 else 11 - first) and int(d[13]) == (0 if second < 2 else 11 - second)


def _pesel(d: str) -> bool:
    """Poland: the century is in the month."""
    month = int(d[2:4]) % 20
    return is_date(d[:2], f"{month:02d}", d[4:6]) and weighted(d, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10) == 0


def _tckn(d: str) -> bool:
    """Türkiye: two check digits."""
    odd, even = sum(map(int, d[0:9:2])), sum(map(int, d[1:8:2]))
    return d[0] != "0" and (odd * 7 - even) % 10 == int(d[9]) and sum(map(int, d[:10])) % 10 == int(d[10])


def _fodselsnummer(d: str) -> bool:
    """Norway: a date (day + 40 in a D number) and two check digits."""
    day = f"{int(d[:2]) % 40:02d}"
    checks = weighted(d, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1), 11) == 0
    return is_date(d[4:6], d[2:4], day) and checks and weighted(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), 11) == 0


def _steuer_id(d: str) -> bool:
    """Germany: one or two of the first ten digits repeat, and a check digit by ISO/IEC 7064 MOD 11,10."""
    most = max(map(d[:10].count, d[:10]))
    return d[0] != "0" and 2 <= most <= 3 and len(set(d[:10])) in {8, 9} and mod11_10(d)


def _belgian(d: str) -> bool:
    """Belgium: a date and two check digits; for births since 2000, those of the number with a 2 in front."""
    number, check = int(d[:9]), int(d[9:])
    return is_date(d[:2], d[2:4], d[4:6]) and check in {97 - number % 97, 97 - (2_000_000_000 + number) % 97}


def _baltic(d: str) -> bool:
    """Estonia and Lithuania: sex and century, a date, a check digit of two rounds."""
    check = weighted(d, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1), 11)
    if check == 10:
        check = weighted(d, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3), 11) % 10
    return d[0] in "123456" and is_date(d[1:3], d[3:5], d[5:7]) and check == int(d[10])


def _personnummer(d: str) -> bool:
    """Sweden: a date (day + 60 in a coordination number) and a Luhn digit."""
    d = d[-10:]
    return is_date(d[:2], d[2:4], f"{int(d[4:6]) % 60:02d}") and luhn(d)


def _long_personnummer(d: str) -> bool:
    return d[:2] in {"19", "20"} and _personnummer(d)


def _egn(d: str) -> bool:
    """Bulgaria: a date with the century in the month, a check digit."""
    date = is_date(d[:2], f"{int(d[2:4]) % 20:02d}", d[4:6])
    return date and weighted(d, (2, 4, 8, 5, 10, 9, 7, 3, 6), 11) % 10 == int(d[9])


def _rodne_cislo(d: str) -> bool:
    """Czechia and Slovakia: a date (month + 50 for women), divisible by 11."""
    return is_date(d[:2], f"{int(d[2:4]) % 50:02d}", d[4:6]) and int(d) % 11 == 0


def _south_african(d: str) -> bool:
    """South Africa: a date, citizenship 0-2, a Luhn digit."""
    return is_date(d[:2], d[2:4], d[4:6]) and d[10] in "012" and luhn(d)


def _cnp(d: str) -> bool:
    """Romania: sex and century, a date, a county, a check digit."""
    check = weighted(d, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9), 11)
    date = d[0] in "12345678" and is_date(d[1:3], d[3:5], d[5:7]) and 1 <= int(d[7:9]) <= 52
    return date and (1 if check == 10 else check) == int(d[12])


def _korean(d: str) -> bool:
    """South Korea, residents and foreigners: a date, sex and century, a check digit (of numbers before 2020)."""
    check = weighted(d, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), 11)
    own = (11 - check) % 10 if d[6] in "1234" else (13 - check) % 10
    return is_date(d[:2], d[2:4], d[4:6]) and d[6] in "12345678" and own == int(d[12])


def _ahv(d: str) -> bool:
    """Switzerland: 756 and the check digit of an EAN."""
    return d[:3] == "756" and weighted(d, (1, 3) * 6 + (1,), 10) == 0


def _nir(d: str) -> bool:
    """France: sex, year, month, place, order, and 97 minus the remainder."""
    month = int(d[3:5])
    return d[0] in "123478" and (1 <= month <= 12 or month >= 20) and 97 - int(d[:13]) % 97 == int(d[13:])


def _inn(d: str) -> bool:
    """Russia, tax number of a person: two check digits."""
    first = weighted(d, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8), 11) % 10
    return first == int(d[10]) and weighted(d, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8), 11) % 10 == int(d[11])


def _amka(d: str) -> bool:
    """Greece: a date and a Luhn digit."""
    return is_date(d[4:6], d[2:4], d[:2]) and luhn(d)


def _resident_id(d: str) -> bool:
    """China: a place, a date, a check digit by ISO/IEC 7064 MOD 11-2."""
    check = weighted(d, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), 11)
    return is_date(d[6:10], d[10:12], d[12:14]) and "10X98765432"[check] == d[17]


BY_LENGTH: dict[int, tuple[Rule, ...]] = {
    10: (_personnummer, _egn, _rodne_cislo),
    11: (_cpf, _pesel, _tckn, _fodselsnummer, _steuer_id, _belgian, _baltic, _amka),
    12: (_long_personnummer, _inn),
    13: (_south_african, _cnp, _korean, _ahv),
    15: (_nir,),
    18: (_resident_id,),
}
"""Rules for digits without gaps, by how many they are."""


def _nhs(d: str) -> bool:
    """United Kingdom, health service: a check digit."""
    return (11 - weighted(d, range(10, 1, -1), 11)) % 11 == int(d[9])


def _tfn(d: str) -> bool:
    """Australia, tax file number: a check over all digits."""
    return weighted(d, (1, 4, 3, 7, 5, 8, 6, 9, 10), 11) == 0


def _date_first(d: str) -> bool:
    return is_date(d[:2], d[2:4], d[4:6])


def _day_first(d: str) -> bool:
    return is_date(d[4:6], d[2:4], f"{int(d[:2]) % 40:02d}")


def _always(_: str) -> bool:
    return True


def _aadhaar(d: str) -> bool:
    """India: the first digit is 2 or more; a Verhoeff digit."""
    return d[0] not in "01" and verhoeff(d)


def _my_number(d: str) -> bool:
    """Japan: a check digit."""
    rest = weighted(d, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11)
    return int(d[11]) == (0 if rest < 2 else 11 - rest)


def _medicare(d: str) -> bool:
    """Australia, Medicare: a check digit at the ninth place."""
    return d[0] in "23456" and weighted(d, (1, 3, 7, 9, 1, 3, 7, 9), 10) == int(d[8])


def _thai(d: str) -> bool:
    """Thailand: a check digit."""
    return (11 - weighted(d, range(13, 1, -1), 11)) % 10 == int(d[12])


def _cuit(d: str) -> bool:
    """Argentina: a kind and a check digit."""
    return (
        d[:2] in {"20", "23", "24", "27", "30", "33", "34"} and weighted(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), 11) == 0
    )


BY_GROUPS: dict[str, tuple[Rule, ...]] = {
    "3 3 3": (luhn, _tfn),  # Canada (SIN), Australia
    "3-3-3": (luhn, _tfn),
    "3 3 4": (_nhs,),
    "4 4 4": (_aadhaar, _my_number),
    "4-4-4": (_aadhaar, _my_number),
    "4 5 1": (_medicare,),
    "6-4": (_personnummer, _day_first),  # Sweden, Denmark
    "8-4": (_long_personnummer,),
    "6+4": (_personnummer,),
    "6/4": (_rodne_cislo,),
    "6/3": (_date_first,),
    "6-7": (_date_first,),  # South Korea
    "6-2-4": (_date_first,),  # Malaysia
    "6-5": (_date_first, _day_first),  # Latvia, Iceland
    "3.3.3-2": (_cpf, _always),
    "2.3.3/4-2": (_cnpj, _always),  # Brazil, companies
    "3-3-3 2": (_always,),  # Russia (SNILS)
    "3.4.4.2": (_ahv,),
    "2.2.2-3.2": (_always,),  # Belgium
    "1-4-5-2-1": (_thai,),
    "1 4 5 2 1": (_thai,),
    "2-8-1": (_cuit,),
    "3-4-7-1": (_always,),  # Emirates
    "1 2 2 2 3 3 2": (_nir,),
    "2 3 3 3": (_steuer_id,),
    "2-7-1": (_always,),
}
"""Rules for digits in groups, by the lengths of the groups and what is between them."""


def is_alphanumeric_id(word: str) -> bool:
    """Return whether `word` is an identity number with letters or dashes."""
    for pattern, rule in _BY_SHAPE.get(word.encode("ascii", "replace").translate(AS_CLASSES), ()):
        if pattern.fullmatch(word) and rule(word):
            return True
    return False


def may_hold_alphanumeric_id(raw: bytes) -> bool:
    """Return whether a part of `raw`, an ASCII text, has the form of one, with or without spaces between its groups.

    It searches for fixed bytes: it is true of some texts without such a number, and never false of one with it.
    """
    pieces = raw.translate(_AS_GROUPS)
    if not _WHOLE_SHAPES.isdisjoint(pieces.split()):
        return True
    # Spelled out: `any` over the seven takes longer than they do, and `in` for bytes longer than `find`.
    return (
        pieces.find(b"000000 000") >= 0
        or pieces.find(b"000000 a") >= 0
        or pieces.find(b"0 aa00") >= 0
        or pieces.find(b"000 00 0000") >= 0
        or pieces.find(b"0000000 0") >= 0
        or pieces.find(b"000 000 ") >= 0
        or pieces.find(b"00 00 00 a") >= 0
    )


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

# The shapes of each (`a` for a letter, `0` for a digit, `x` for a dash or plus, `?` for a letter or a digit), the exact
# pattern, and the check. A word is looked up by its shape, so that one look-up tells which rules to ask.
ALPHANUMERIC: tuple[tuple[str, str, Rule], ...] = (
    # Spain
    ("0000000a 00000000a 0000000xa 00000000xa a0000000a a0000000xa", r"(?:[0-9]{7,8}|[XYZ][0-9]{7})-?[A-Z]", _dni),
    ("000000x000? 000000a000?", r"[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Y]", _hetu),
    # Italy; a letter may stand for a digit.
    ("aaaaaa??a??a???a", r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]", _shape_is_enough),
    # United Kingdom: national insurance, driving licences.
    (
        "aa000000a",
        r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]",
        _shape_is_enough,
    ),
    (
        "aa???000000???aa",
        r"[A-Z]{2}[A-Z9]{3}[0-9][0156][0-9](?:0[1-9]|[12][0-9]|3[01])[0-9][A-Z9]{2}[0-9A-Z][A-Z]{2}",
        _shape_is_enough,
    ),
    ("aaaaa0000a", r"[A-Z]{3}[ABCFGHJLPT][A-Z][0-9]{4}[A-Z]", _shape_is_enough),  # India
    # United States: Medicare, taxpayers.
    (
        "0a?0a?0aa00 0a?0xa?0xaa00",
        rf"[1-9][{_MBI}][0-9{_MBI}][0-9]-?[{_MBI}][0-9{_MBI}][0-9]-?[{_MBI}]{{2}}[0-9]{{2}}",
        _shape_is_enough,
    ),
    ("000x00x0000", r"9[0-9]{2}-(?:5[0-9]|6[0-5]|7[0-9]|8[0-8]|9[0-24-9])-[0-9]{4}", _shape_is_enough),
    ("a0000000a", r"[STFGM][0-9]{7}[A-Z]", _nric),
    ("0000000a 0000000aa", r"[0-9]{7}[A-W][A-IW]?", _pps),
    ("a000000000", r"[A-Z][1289][0-9]{8}", _taiwan),
    # Mexico
    ("aaaa000000aaaaaa?0", r"[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]", _dated),
    ("aaaa000000???", r"[A-Z]{4}[0-9]{6}[0-9A-Z]{3}", _dated),
    ("00000000a000", r"[0-9]{8}[A-Z][0-9]{3}", _rvnr),
    ("000000a00000000", r"[12][0-9]{4}2[AB][0-9]{8}", _shape_is_enough),  # France, born in Corsica
    ("00000000000000000a", r"[1-9][0-9]{16}X", _resident_x),
    ("0000000x? 00000000x? 0.000.000x? 00.000.000x?", r"(?:[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}|[0-9]{7,8})-[0-9K]", _rut),
)


def _by_shape() -> dict[bytes, tuple[tuple[re.Pattern[str], Rule], ...]]:
    found: dict[bytes, tuple[tuple[re.Pattern[str], Rule], ...]] = {}
    for shapes, pattern, rule in ALPHANUMERIC:
        asked = (regex(pattern, re.IGNORECASE), rule)
        for shape in shapes.split():
            for filled in product(*("a0" if char == "?" else char for char in shape)):
                key = "".join(filled).encode()
                found[key] = (*found.get(key, ()), asked)
    return found


_BY_SHAPE = _by_shape()
_AS_GROUPS = bytes(byte if chr(byte) in "a0" else 32 for byte in AS_CLASSES)
_WHOLE_SHAPES = frozenset(shape for shape in _BY_SHAPE if not {b"x"[0], b"."[0]} & set(shape))
