"""Personal values that the demo plants, made anew from a seed at every start.

Nothing here is written out in the sources, so that no scanner, search engine or reader takes a value for a real one;
the shapes are those that detectors have to know. What the demo searches for later is the tell-tale part of each value
(an e-mail's local part, a number's last groups, a token's signature), so that half a removal counts as none.
"""

from __future__ import annotations

import base64
import json
import random
import string
from dataclasses import dataclass

FIRST_NAMES = ("ada", "grace", "edsger", "barbara", "alan", "hedy", "linus", "radia")
LAST_NAMES = ("okafor", "lindqvist", "moreau", "tanaka", "silva", "novak", "haddad", "byrne")
CUSTOMERS = len(FIRST_NAMES)
ALPHANUMERIC = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted value.

    Attributes:
        kind: What it is, e.g. `e-mail`.
        value: As it is put into the app.
        telltale: The part of it that is looked for afterwards.
    """

    kind: str
    value: str
    telltale: str


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of the helpdesk, with all that is personal about them."""

    email: Planted
    phone: Planted
    card: Planted
    address: Planted
    number: Planted
    password: Planted
    api_key: Planted
    token: Planted

    def values(self) -> tuple[Planted, ...]:
        """Return every planted value of this customer."""
        return (
            *(self.email, self.phone, self.card, self.address),
            *(self.number, self.password, self.api_key, self.token),
        )


def customers(seed: int) -> tuple[Customer, ...]:
    """Return the customers of the demo; the same seed makes the same ones."""
    rng = random.Random(seed)  # noqa: S311 (repeatable; guards nothing)
    return tuple(_customer(rng, index) for index in range(CUSTOMERS))


def owner(seed: int) -> Planted:
    """Return the address that stands in the app's resource attributes, as `service.owner`."""
    rng = random.Random(seed + 1)  # noqa: S311 (repeatable; guards nothing)
    return _email(rng, "ops", "oncall")


def _customer(rng: random.Random, index: int) -> Customer:
    return Customer(
        email=_email(rng, FIRST_NAMES[index], LAST_NAMES[index]),
        phone=_phone(rng, index),
        card=_card(rng, index),
        address=_address(rng, index),
        number=_whole("user id", f"cust-{_text(rng, 12, string.ascii_lowercase)}"),
        password=_whole("password", f"{_text(rng, 9)}-{_text(rng, 5)}"),
        api_key=_api_key(rng, index),
        token=_token(rng, index),
    )


def _email(rng: random.Random, first: str, last: str) -> Planted:
    local_part = f"{first}.{last}.{_text(rng, 4, string.digits)}"
    return Planted(
        "e-mail", f"{local_part}@{rng.choice(('example.com', 'mail.example.org', 'example.net'))}", local_part
    )


def _phone(rng: random.Random, index: int) -> Planted:
    first, last = _text(rng, 3, "23456789"), _text(rng, 4, "23456789")
    if index % 4 == 3:
        return _whole("phone", f"+3361{first}{last}")  # too few of its digits stand out to look for a part
    prefix, glue = (("+49 151 ", " "), ("+1 (415) ", "-"), ("+44 7911 ", " "))[index % 4]
    return Planted("phone", f"{prefix}{first}{glue}{last}", f"{first}{glue}{last}")


def _card(rng: random.Random, index: int) -> Planted:
    digits = "4" + _text(rng, 14, string.digits)
    digits += str(-_luhn_sum(digits + "0") % 10)
    glue = (" ", "-", "")[index % 3]
    groups = [digits[start : start + 4] for start in range(0, 16, 4)]
    return Planted("card", glue.join(groups), glue.join(groups[1:]))


def _luhn_sum(digits: str) -> int:
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled)


def _address(rng: random.Random, index: int) -> Planted:
    if index % 4 == 3:
        groups = (f"{rng.randint(0x1000, 0xFFFF):x}" for _ in range(6))
        return _whole("IP address", f"2a02:8{rng.randint(100, 199)}:" + ":".join(groups))
    return _whole("IP address", f"93.184.{rng.randint(100, 199)}.{rng.randint(100, 254)}")


def _api_key(rng: random.Random, index: int) -> Planted:
    makers = (
        lambda: "sk_" + "live_" + _text(rng, 24),
        lambda: "gh" + "p_" + _text(rng, 36),
        lambda: "AK" + "IA" + _text(rng, 16, string.ascii_uppercase + "234567"),
        lambda: "xox" + "b-" + "-".join((_text(rng, 12, string.digits), _text(rng, 12, string.digits), _text(rng, 24))),
    )
    value = makers[index % len(makers)]()
    return Planted("API key", value, value[-12:])


def _token(rng: random.Random, index: int) -> Planted:
    if index % 2:
        return _whole("bearer token", _text(rng, 40))
    header = _base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    payload = _base64url(json.dumps({"sub": _text(rng, 10), "iat": 1700000000 + index}).encode())
    signature = _base64url(rng.randbytes(32))
    return Planted("JWT", f"{header}.{payload}.{signature}", signature)


def _whole(kind: str, value: str) -> Planted:
    return Planted(kind, value, value)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _text(rng: random.Random, size_chars: int, alphabet: str = ALPHANUMERIC) -> str:
    return "".join(rng.choices(alphabet, k=size_chars))
