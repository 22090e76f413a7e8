"""Check digits: the methods that issuers of numbers share. What a country makes of them is in `national_rules`."""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul


def luhn(digits: str) -> bool:
    """Return whether `digits` pass the Luhn check (ISO/IEC 7812-1)."""
    return (sum(map(int, digits[-1::-2])) + sum(map(int, digits[-2::-2].translate(_DOUBLED)))) % 10 == 0


def weighted(digits: str, weights: Sequence[int], modulus: int) -> int:
    """Return the weighted sum of the first digits, modulo `modulus`."""
    total: int = sum(map(mul, weights, map(int, digits)))
    return total % modulus


def is_date(year: str, month: str, day: str) -> bool:
    """Return whether the parts could be a date; month and day have two digits, the year two or four."""
    return "01" <= day <= _LAST_DAYS.get(month, "") and (len(year) == 2 or year[:2] in _CENTURIES)


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


# Each digit as the sum of its double's digits.
_DOUBLED = str.maketrans("0123456789", "0246813579")
_LAST_DAYS = dict(
    zip(
        ("01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"),
        ("31", "29", "31", "30", "31", "30", "31", "31", "30", "31", "30", "31"),
        strict=True,
    )
)
_CENTURIES = frozenset(("18", "19", "20"))
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
