"""National identity numbers of digits and letters: each country's shape, and its check where there is one.

A word is looked up by its shape (`a` for a letter, `0` for a digit, `x` for a dash or plus): one look at a table tells
whether any rule needs to be asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product

from otel_posthog.privacy.detectors.checksums import is_date, weighted
from otel_posthog.privacy.detectors.issuers import BY_LENGTH
from otel_posthog.privacy.detectors.look import AS_CLASSES

Rule = Callable[[str], bool]


def is_mixed_id(word: str) -> bool:
    """Return whether `word` is an identity number with letters or dashes."""
    for pattern, rule in _BY_SHAPE.get(word.encode("ascii", "replace").translate(AS_CLASSES), ()):
        if pattern.fullmatch(word) and rule(word):
            return True
    return False


def may_hold_mixed_id(raw: bytes) -> bool:
    """Return whether a part of `raw`, an ASCII text, looks like one, also one with spaces between its groups.

    Fixed bytes are looked for: it is true of some texts that hold none, and never false of one that does.
    """
    pieces = raw.translate(_AS_PIECES)
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

# The shapes of each (`?` stands for a letter or a digit), the exact pattern, and the check.
RULES: tuple[tuple[str, str, Rule], ...] = (
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
    for shapes, pattern, rule in RULES:
        asked = (re.compile(pattern, re.IGNORECASE), rule)
        for shape in shapes.split():
            for filled in product(*("a0" if char == "?" else char for char in shape)):
                key = "".join(filled).encode()
                found[key] = (*found.get(key, ()), asked)
    return found


_BY_SHAPE = _by_shape()
_AS_PIECES = bytes(byte if chr(byte) in "a0" else 32 for byte in AS_CLASSES)
_WHOLE_SHAPES = frozenset(shape for shape in _BY_SHAPE if not {b"x"[0], b"."[0]} & set(shape))
