"""Rules, reasons and values in words for a person at a terminal, and where two texts differ."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable

from otel_posthog.text import visible

MAX_SHOWN_CHARS = 240
_LEAD_CHARS = 40
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")

Pieces = list[tuple[str, bool]]
"""A text in pieces, each with whether the other text lacks it."""

RULES = {
    "allow_list": "not on the allow-list",
    "card": "card number",
    "catalog_type": "not of the type that the catalog declares",
    "catalog_undeclared": "not declared in the catalog",
    "catalog_value": "not a value that the catalog declares",
    "email": "e-mail address",
    "exceptions": "more of an exception than the policy allows",
    "gps": "place",
    "group_key": "repeats a group's key",
    "iban": "IBAN",
    "id_key": "the key names an id that this mode does not send",
    "ip": "IP address",
    "jwt": "JSON web token",
    "mac": "MAC address",
    "max_depth": "nested deeper than the policy keeps",
    "max_event_bytes": "too large for one event",
    "max_items": "longer than the policy keeps",
    "max_properties": "more properties than the policy keeps",
    "max_reads": "not clean after as many rounds of reading as are allowed",
    "max_string_chars": "longer than the policy keeps",
    "national_id": "national identity number",
    "not_finite": "not a finite number",
    "not_json": "not a value of JSON",
    "phone": "phone number",
    "reserved": "PostHog acts on this name",
    "route": "its route says what this part is",
    "secret": "secret",
    "sensitive_key": "the key is a sensitive one",
    "session_id": "repeats the session's id",
    "ssn": "social security number",
    "trace_name": "named like what an event says of its trace",
    "user_id": "repeats the user's id",
    "username": "name of a user",
    "window_id": "repeats the window's id",
}
DROPS = {
    "catalog_event": "the catalog does not declare it",
    "catalog_group": "the catalog does not declare its group",
    "group_invalid": "its group may not leave",
    "consent": "there is no consent",
    "exceptions_off": "the policy sends no exceptions",
    "name_invalid": "its name is not 1-200 bytes long",
    "name_reserved": "PostHog keeps this name for itself",
    "no_change": "it says nothing that could be changed",
    "person_event": "it changes a person, and this identity mode sends none",
    "person_unknown": "it changes a person, and there is no user",
    "time_invalid": "its time is no date",
    "too_large": "it is larger than the policy allows",
}


def rule_in_words(rule: str) -> str:
    """Return what a rule of a receipt is about."""
    return RULES.get(rule) or rule.replace("_", " ")


def drop_in_words(reason: str) -> str:
    """Return why an event was dropped."""
    return DROPS.get(reason) or reason.replace("_", " ")


def listed(words: Iterable[str]) -> str:
    """Return `words` without repetition, with commas."""
    return ", ".join(dict.fromkeys(words))


def shown(value: object) -> str:
    """Return `value` on one line, cut to a length that can be read, with nothing that a terminal would obey."""
    text = _text(value)
    if len(text) > MAX_SHOWN_CHARS:
        text = f"{text[:MAX_SHOWN_CHARS]}… ({len(text):,} characters)"
    return visible(text)


def shown_apart(before: object, after: object) -> tuple[str, str]:
    """Return both in the same way; of long ones the part from a little before where they begin to differ."""
    old, new = _text(before), _text(after)
    if max(len(old), len(new)) <= MAX_SHOWN_CHARS:
        return shown(old), shown(new)
    differ = next((at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), len(new))
    start = max(0, differ - _LEAD_CHARS)
    lead = "…" if start else ""
    return lead + shown(old[start:]), lead + shown(new[start:])


def difference(before: str, after: str) -> tuple[Pieces, Pieces]:
    """Return both texts in pieces that are words or signs, each with whether the other text lacks it."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    left: Pieces = []
    right: Pieces = []
    for tag, old_start, old_end, new_start, new_end in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        left.append(("".join(old[old_start:old_end]), tag != "equal"))
        right.append(("".join(new[new_start:new_end]), tag != "equal"))
    return left, right


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
