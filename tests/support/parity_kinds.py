"""One example of each kind that the filters find, made from the detectors' own tables, with check digits that hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from random import Random

from from_pattern import matching
from planted_values import MAKERS, in_text, luhn, national_phone

from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter
from otel_posthog.privacy.detectors.national_rules import ALPHANUMERIC, BY_GROUPS, BY_LENGTH
from otel_posthog.privacy.detectors.vendor_keys import (
    CHARACTERS,
    FOR_A_PURPOSE,
    LONG_WITHOUT_BEGINNING,
    VENDOR_KEYS,
    WITHOUT_BEGINNING,
)
from otel_posthog.privacy.words import IBAN_LENGTHS

_CARDS = ("4", "51", "2221", "34", "36", "60", "62", "35", "5019", "6759", "9792", "5060", "1800")


@cache
def kinds() -> dict[str, tuple[str, str]]:
    """Return by name a text with one of each kind, and what of it must not get through."""
    made = {**_vendor_keys(), **_national(), **_payment(), **_others(), **_named()}
    return {name: both for name, both in made.items() if found_here(both[0])}


def found_here(text: str) -> bool:
    """Return whether the filters here find anything in `text`."""
    return bool(Filter(PrivacyPolicy()).scrub_value("note", text) != text)


def _vendor_keys() -> dict[str, tuple[str, str]]:
    dice, made = Random(1), {}
    for line in VENDOR_KEYS.splitlines():
        beginning, least, kind, *vendor = line.split()
        # Of one length where the kind has one; else of a length of which no part is short.
        alphabet, count = (CHARACTERS[kind], least) if kind in "hux" else ("[0-9A-Za-z]", max(int(least), 24))
        key = beginning + matching(
            f"{alphabet}{{{count}}}", dice, lambda each: bool(re.search("[0-9].*[A-Z]", each, re.IGNORECASE))
        )
        made[f"a key of {' '.join(vendor)} ({beginning})"] = (f"use {key} here", key)
    for hint, pattern in (*WITHOUT_BEGINNING, *LONG_WITHOUT_BEGINNING):
        key = matching(pattern.pattern, dice, lambda each: found_here(f"use {each} here"))
        made[f"a key with {hint} in it ({pattern.pattern[-24:]})"] = (f"use {key} here", key)
    for purpose in ("live", "test", "prod", "sandbox", "api", "oauth", "pat", "tkn", "key", "token", "secret"):
        key = f"rk_{purpose}_" + matching("[0-9A-Za-z]{24}", dice)
        assert FOR_A_PURPOSE.search(key)
        made[f"a key for a purpose (_{purpose}_)"] = (f"use {key} here", key)
    return made


def _national() -> dict[str, tuple[str, str]]:
    dice, made = Random(2), {}
    for length, rules in BY_LENGTH.items():
        for rule in rules:
            number = matching(f"[0-9]{{{length}}}", dice, partial(_is_found, rule))
            made[f"a national id of {length} digits ({_country(rule)})"] = (f"id {number} here", number)
    for form, rules in BY_GROUPS.items():
        pattern = re.sub(
            "[0-9]+|[^0-9]", lambda part: f"[0-9]{{{part[0]}}}" if part[0].isdecimal() else re.escape(part[0]), form
        )
        number = matching(pattern, dice, lambda each: found_here(f"id {each} here"))
        made[f"a national id in groups {form} ({_country(rules[0])})"] = (f"id {number} here", number)
    for _, pattern, rule in ALPHANUMERIC:
        number = matching(pattern, dice, lambda each: found_here(f"id {each} here"))
        made[f"a national id with letters ({_country(rule)}, {pattern[:18]})"] = (f"id {number} here", number)
    for label in (
        "SSN",
        "DNI",
        "NHS",
        "BSN",
        "CURP",
        "passport",
        "driver's license",
        "codice fiscale",
        "aadhaar",
        "RRN",
    ):
        number = matching("[A-Z][0-9]{8}", dice)
        made[f"a number behind {label}"] = (f"{label} {number} here", number)
    made["a social security number"] = ("id 078-05-1121 here", "078-05-1121")
    made["an insurance number with spaces"] = ("id AB 12 34 56 C here", "AB 12 34 56 C")
    made["an Aadhaar number with tabs"] = ("id 2341\t2341\t2346 here", "2341\t2341\t2346")
    return made


def _is_found(rule: Callable[[str], bool], number: str) -> bool:
    return rule(number) and found_here(f"id {number} here")


def _country(rule: object) -> str:
    said = str(rule.__doc__ or getattr(rule, "__name__", ""))
    return said.split(":", maxsplit=1)[0].split(".", maxsplit=1)[0].strip().strip("_").replace("_", " ")


def _payment() -> dict[str, tuple[str, str]]:
    dice, made = Random(3), {}
    for start in _CARDS:
        size = 15 if start in {"34", "1800"} else 14 if start == "36" else 16
        number = luhn(start + matching(f"[0-9]{{{size - 1 - len(start)}}}", dice))
        made[f"a card of {start}"] = (f"card {number} here", number)
    number = luhn("4" + "012888888881" + "88")
    groups = [number[at : at + 4] for at in range(0, 16, 4)]
    for name, gap in (("spaces", " "), ("dashes", "-"), ("no-break spaces", "\u00a0"), ("%20", "%20"),
                      ("plus signs", "+"),
                      ("thin spaces", "\u2009"), ("tabs", "\t"), ("dots", "."), ("commas", ",")):  # fmt: skip
        written = gap.join(groups)
        made[f"a card with {name}"] = (f"card {written} here", written)
    for country, length in IBAN_LENGTHS.items():
        bban = matching(f"[0-9]{{{length - 4}}}", dice)
        check = 98 - int("".join(str(int(char, 36)) for char in f"{bban}{country}00")) % 97
        iban = f"{country}{check:02d}{bban}"
        made[f"an IBAN of {country}"] = (f"to {iban} here", iban)
        if country in {"DE", "FR", "NL", "MT"}:
            spaced = " ".join(iban[at : at + 4] for at in range(0, length, 4))
            made[f"an IBAN of {country} in groups"] = (f"to {spaced} here", spaced)
    return made


def _others() -> dict[str, tuple[str, str]]:
    dice, made = Random(4), {}
    for detector, maker in MAKERS.items():
        for turn in range(6):
            value = maker(dice)
            made[f"{detector} {turn + 1}"] = (f"see {in_text(detector, value)} now", value)
    for turn in range(40):
        text, _ = national_phone(dice)
        made[f"a national phone number {turn + 1}"] = (f"see {text} now", re.sub("^[^0-9(]*", "", text))
    for name, value in {
        "an address with %40": "jo.doe%40example.org",
        "an address with an entity": "jo.doe&#64;example.org",
        "an address with letters that are not ASCII": "jürgen@müller.example.de",
        "a quoted address": '"jo doe"@example.org',
        "a home directory": "/home/jdoefoo/app.py",
        "a home directory with a space": "C:\\Users\\Ada Smithson\\app.py",
        "a home directory of Windows in JSON": "C:\\\\Users\\\\jdoefoo\\\\app.py",
        "a place in degrees": "52°31'12\"N 13°24'18\"E",
        "a place with its names": "lat: 52.520008, lng: 13.404954",
        "a public IPv6 address": "2a00:1450:4001:81b::200e",
        "a MAC address with dots": "001b.6384.45e6",
        "a private key": "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END " + "PRIVATE KEY-----",
    }.items():
        secret = re.search("jdoefoo|Ada Smithson", value)
        made[name] = (f"see {value} now", secret[0] if secret else value)
    return made


def _named() -> dict[str, tuple[str, str]]:
    """Return secrets and ids that are told by what stands before them."""
    made = {}
    for number, (name, text) in enumerate(
        {
            "a password in a query": "/x?password={}&a=1",
            "a password in a log line": "failed, password: {} ok",
            "a password in JSON": '{{"user": 1, "password": "{}"}}',
            "a password in JSON in JSON": '{{\\"password\\":\\"{}\\"}}',
            "a password in JSON in JSON in JSON": '{{\\\\\\"password\\\\\\":\\\\\\"{}\\\\\\"}}',
            "a password with a quote in JSON": '{{"password": "a\\"{}"}}',
            "a password in a URL": "postgres://app:{}@db/x",
            "a bearer token": "Authorization: Bearer {}",
            "a signature of Azure": "/x?sv=1&sig={}%3D&se=2",
            "a signature of AWS": "/x?X-Amz-Signature={}&a=1",
            "a credential of AWS": "/x?X-Amz-Credential={}&a=1",
            "a user's id in a log line": "login ok user_id={} took=5ms",
            "a session's id in a log line": "session_id={} ok",
            "a user's id in JSON": '{{"user_id": "{}"}}',
            "an API key in a header": "x-api-key: {}",
        }.items()
    ):
        secret = f"hunter{number}horse9"
        made[name] = (text.format(secret), secret)
    return made
