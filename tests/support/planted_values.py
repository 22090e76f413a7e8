"""Values of every detector's class, made from the standards behind them, and harmless ones that look alike."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from random import Random

Maker = Callable[[Random], str]

_LOWER, _UPPER, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
_ALNUM = string.ascii_letters + _DIGITS


def text(dice: Random, alphabet: str, count: int) -> str:
    """Return `count` characters of `alphabet`."""
    return "".join(dice.choices(alphabet, k=count))


def luhn(digits: str) -> str:
    """Return `digits` with their check digit."""
    total = sum(d if i % 2 else sum(divmod(2 * d, 10)) for i, d in enumerate(map(int, reversed(digits))))
    return digits + str(-total % 10)


def _opaque(dice: Random, count: int) -> str:
    """Return letters and digits, some of each."""
    return "a7Z" + text(dice, _ALNUM, count - 3)


def _email(dice: Random) -> str:
    local = text(dice, _LOWER, dice.randint(2, 9)) + dice.choice([".", "_", "+", "-", ""]) + text(dice, _LOWER, 4)
    return f"{local}@{text(dice, _LOWER, 6)}.{dice.choice(['com', 'co.uk', 'de', 'example.org', 'museum'])}"


def _phone(dice: Random) -> str:
    """Numbers of many countries with their code, as ITU-T E.164 and E.123 write them."""
    country, groups = dice.choice(
        [("1", (3, 3, 4)), ("44", (4, 6)), ("49", (3, 7)), ("33", (1, 2, 2, 2, 2)), ("34", (3, 3, 3)),
         ("55", (2, 5, 4)), ("81", (2, 4, 4)), ("91", (5, 5)), ("61", (1, 4, 4)), ("48", (3, 3, 3)),
         ("46", (2, 3, 2, 2)), ("90", (3, 3, 4)), ("971", (2, 3, 4)), ("234", (3, 3, 4)), ("358", (2, 3, 4)),
         ("65", (4, 4))]
    )  # fmt: skip
    parts = [dice.choice("23456789") + text(dice, _DIGITS, size - 1) for size in groups]
    gap = dice.choice([" ", "-", ""])
    return f"+{country}{gap}{gap.join(parts)}"


_NATIONAL = (
    "(0#1) ###-####", "0### ### ## ##", "0## ### ## ##", "0# #### ####", "0##-### ## ##", "0## ###-##-##",
    "(#1) 9####-####", "8 (###) ###-##-##", "6## ## ## ##", "2## ### ####", "131 #### ####",
    "Tel. #######", "phone: 5#########", "WhatsApp ### ####", "my number is 2########", "call me at 07########",
    "Telefon: 0#########", "Rufnummer 0#### #####", "phone_number=9########",
)  # fmt: skip
_LABEL_END = re.compile("[^0-9()]*")


def national_phone(dice: Random) -> tuple[str, str]:
    """Return a number as its country writes it, in groups of its own or behind a label, and the digits of it."""
    made = re.sub("#", lambda _: dice.choice("23456789"), dice.choice(_NATIONAL))
    return made, made[len(_LABEL_END.match(made)[0]) :]  # type: ignore[index]


def _card(dice: Random) -> str:
    start, size = dice.choice([("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("37", 15), ("6011", 16), ("3530", 16)])
    number = luhn(start + text(dice, _DIGITS, size - 1 - len(start)))
    if size == 15 or dice.random() < 0.5:
        return number
    return dice.choice(" -").join(number[at : at + 4] for at in range(0, 16, 4))


def _iban(dice: Random) -> str:
    country, length = dice.choice(
        [("DE", 22), ("NL", 18), ("FR", 27), ("ES", 24), ("PL", 28), ("BE", 16), ("NO", 15),
         ("MT", 31), ("LV", 21), ("RO", 24)]
    )  # fmt: skip
    # Malta and others have letters for the bank, and may have them in the account.
    bank = text(dice, _UPPER, 4) if country in {"NL", "MT", "LV", "RO"} else ""
    bban = bank + text(dice, _DIGITS * 4 + _UPPER if bank else _DIGITS, length - 4 - len(bank))
    check = 98 - int("".join(str(int(char, 36)) for char in f"{bban}{country}00")) % 97
    whole = f"{country}{check:02d}{bban}"
    return whole if dice.random() < 0.5 else " ".join(whole[at : at + 4] for at in range(0, length, 4))


def _ip(dice: Random) -> str:
    if dice.random() < 0.5:
        return f"{dice.randint(11, 99)}.{dice.randint(0, 255)}.{dice.randint(0, 255)}.{dice.randint(1, 254)}"
    groups = [f"{dice.randint(0x1000, 0xFFFF):x}" for _ in range(3)]
    return f"2a0{dice.randint(0, 9)}:{groups[0]}:{groups[1]}::{groups[2]}"


def _mac(dice: Random) -> str:
    return dice.choice(":-").join(f"{dice.randint(16, 255):02x}" for _ in range(6))


def _ssn(dice: Random) -> str:
    area = dice.choice([*range(100, 666), *range(667, 900)])
    return f"{area}-{dice.randint(1, 99):02d}-{dice.randint(1, 9999):04d}"


def _cpf(dice: Random) -> str:
    digits = [dice.randint(0, 9) for _ in range(8)] + [1]
    for _ in range(2):
        rest = sum(d * w for d, w in zip(digits, range(len(digits) + 1, 1, -1), strict=True)) % 11
        digits.append(0 if rest < 2 else 11 - rest)
    d = "".join(map(str, digits))
    return dice.choice([d, f"{d[:3]}.{d[3:6]}.{d[6:9]}-{d[9:]}"])


def _pesel(dice: Random) -> str:
    body = f"{dice.randint(40, 99)}{dice.randint(1, 12):02d}{dice.randint(1, 28):02d}{dice.randint(0, 9999):04d}"
    return body + str(-sum(int(d) * w for d, w in zip(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), strict=True)) % 10)


def _dni(dice: Random) -> str:
    number = dice.randint(10_000_000, 99_999_999)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _hetu(dice: Random) -> str:
    day, serial = f"{dice.randint(1, 28):02d}{dice.randint(1, 12):02d}{dice.randint(10, 99)}", dice.randint(100, 899)
    return f"{day}-{serial}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(f'{day}{serial}') % 31]}"


def _nir(dice: Random) -> str:
    body = f"{dice.choice('12')}{dice.randint(10, 99)}{dice.randint(1, 12):02d}{dice.randint(10_000_000, 95_999_999)}"
    return f"{body}{97 - int(body) % 97:02d}"


def _personnummer(dice: Random) -> str:
    body = f"{dice.randint(20, 99)}{dice.randint(1, 12):02d}{dice.randint(1, 28):02d}{dice.randint(0, 999):03d}"
    number = luhn(body)
    return f"{number[:6]}-{number[6:]}"


def _national_id(dice: Random) -> str:
    return dice.choice((_cpf, _pesel, _dni, _hetu, _nir, _personnummer))(dice)


def _jwt(dice: Random) -> str:
    return "ey" + f"J{_opaque(dice, 20)}.{_opaque(dice, 30)}.{_opaque(dice, 30)}"


def _secret(dice: Random) -> str:
    beginnings = ("gh" + "p_", "gl" + "pat-", "xo" + "xb-", "np" + "m_", "sk" + "_live_", "AI" + "za", "SG" + ".")
    return dice.choice(beginnings) + _opaque(dice, 36)


def _gps(dice: Random) -> str:
    return f"{dice.uniform(2, 89):.6f}, {dice.uniform(-179, 179):.6f}"


MAKERS: dict[str, Maker] = {
    "email": _email, "phone": _phone, "card": _card, "iban": _iban, "ip": _ip, "mac": _mac, "ssn": _ssn,
    "national_id": _national_id, "jwt": _jwt, "secret": _secret, "gps": _gps,
    "username": lambda dice: "jq" + text(dice, _LOWER, 6),
}  # fmt: skip
"""By detector. A user name shows only in a path: see `in_text`."""


def in_text(name: str, value: str) -> str:
    """Return `value` of the class `name` as it stands in a text."""
    return f"/home/{value}/app/x.py" if name == "username" else value


def _isbn(dice: Random) -> str:
    body = f"978{text(dice, _DIGITS, 9)}"
    return body + str(-sum(int(d) * w for d, w in zip(body, (1, 3) * 6, strict=True)) % 10)


LOOK_ALIKES: dict[str, Maker] = {
    "version": lambda dice: ".".join(str(dice.randint(0, 40)) for _ in range(3)),
    "uuid": lambda dice: f"{dice.getrandbits(32):08x}-{dice.getrandbits(16):04x}-4{dice.getrandbits(12):03x}-"
    f"a{dice.getrandbits(12):03x}-{dice.getrandbits(48):012x}",
    "hash": lambda dice: f"{dice.getrandbits(160):040x}",
    "trace_id": lambda dice: f"{dice.getrandbits(128):032x}",
    "epoch_s": lambda dice: str(dice.randint(1_500_000_000, 1_999_999_999)),
    "epoch_ms": lambda dice: str(dice.randint(1_500_000_000_000, 1_999_999_999_999)),
    "order": lambda dice: f"{dice.choice(['ORD', 'INV', 'SO', 'RMA'])}-{dice.randint(1000, 99_999_999)}",
    "price": lambda dice: f"{dice.choice(['EUR ', '$', ''])}{dice.randint(1, 9999)}.{dice.randint(0, 99):02d}",
    "size": lambda dice: str(dice.randint(0, 99_999_999)),
    "nine_digits": lambda dice: str(dice.randint(100_000_000, 999_999_999)),
    "isbn": _isbn,
    "private_ip": lambda dice: f"10.{dice.randint(0, 255)}.{dice.randint(0, 255)}.{dice.randint(0, 255)}",
    "moment": lambda dice: f"20{dice.randint(10, 29)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}T"
    f"{dice.randint(0, 23):02d}:{dice.randint(0, 59):02d}:{dice.randint(0, 59):02d}Z",
    "user_agent": lambda dice: "Mozilla/5.0 (X11; Linux x86_64) "
    f"Chrome/{dice.randint(90, 140)}.0.{dice.randint(0, 9999)}.0",
    "chart_point": lambda dice: f"{dice.uniform(-1, 1):.6f}, {dice.uniform(-1, 1):.6f}",
    "sentence": lambda dice: " ".join(text(dice, "bcdfghjklm", dice.randint(2, 7)) for _ in range(8)),
}  # fmt: skip
