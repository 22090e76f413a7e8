"""The check digits of national identity numbers, each after its issuer's published rule."""

from __future__ import annotations

from collections.abc import Sequence


def luhn(digits: str) -> bool:
    """Return whether `digits` pass the Luhn check (ISO/IEC 7812-1)."""
    return sum(map(int, digits[-1::-2])) % 10 == -sum(_DOUBLED[int(digit)] for digit in digits[-2::-2]) % 10


def weighted(digits: str, weights: Sequence[int], modulus: int) -> int:
    """Return the weighted sum of the first digits, modulo `modulus`."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % modulus


def is_date(year: str, month: str, day: str) -> bool:
    """Return whether the parts could be a date; the year may have two digits."""
    return (
        1 <= int(month) <= 12 and 1 <= int(day) <= _DAYS[int(month) - 1] and (len(year) == 2 or year[:2] in _CENTURIES)
    )


def verhoeff(digits: str) -> bool:
    """Return whether `digits` pass the Verhoeff check."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _dihedral(check, _permuted(int(digit), place % 8))
    return check == 0


def mod11_10(digits: str) -> bool:
    """Return whether `digits` pass ISO/IEC 7064 MOD 11,10."""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def _permuted(digit: int, times: int) -> int:
    for _ in range(times):
        digit = _PERMUTATION[digit]
    return digit


def _dihedral(one: int, other: int) -> int:
    """Return the product in the dihedral group of order ten."""
    turn = one if one < 5 else one - 5
    if one < 5:
        return (turn + other) % 5 if other < 5 else (turn + other - 5) % 5 + 5
    return (turn - other) % 5 + 5 if other < 5 else (turn - (other - 5)) % 5


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_CENTURIES = frozenset(("18", "19", "20"))
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
