"""Siblings: entries that say what the value beside them is.

Two numbers are a place only together (`location.x` and `location.y`). A name may be the value of another entry:
`{"name": "password", "value": …}`, `["password", …]`, `header.0.key` and `header.0.value`; such a name is read like a
key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from otel_posthog.privacy.detectors import place
from otel_posthog.privacy.json_values import as_json
from otel_posthog.privacy.keys import KeyFacts, names_measure
from otel_posthog.privacy.words import HALVES, NAME_KEYS, VALUE_KEYS
from otel_posthog.regex import regex

_MAX_COORDINATES = 3
_MAX_NAME_CHARS = 64
_ENDS = (*HALVES, *VALUE_KEYS)
# `["password", "otp"]` is a list of two names.
_NAME = regex(r"[a-z][a-z_-]{1,31}")


def other_half(key: str, kinds: frozenset[str]) -> str:
    """Return the key of the other half of a place (`location.y` for `location.x`); empty where there is none."""
    for half in _ends(key, HALVES):
        if "gps" in kinds or half == "long":
            return _ending_in(key, half, HALVES[half])
    return ""


def names_beside(key: str) -> tuple[str, ...]:
    """Return the keys whose value may be the name of the value of `key`: `form.name` for `form.value`."""
    return tuple(_ending_in(key, end, name) for end in _ends(key, VALUE_KEYS) for name in NAME_KEYS)


def _ends(key: str, words: Iterable[str]) -> Iterator[str]:
    """Yield those of `words` that `key` ends in, as whole words."""
    low = key.lower().rstrip("]")
    if not low.endswith(_ENDS):
        return
    for word in words:
        at = len(low) - len(word)
        before, first = key[at - 1 : at], key[at : at + 1]
        is_whole = not before.isalnum() or (first.isupper() and not before.isupper())
        if low.endswith(word) and is_whole:
            yield word


def _ending_in(key: str, end: str, other: str) -> str:
    """Return `key` with `other` in place of its last word, capitalised in the same way."""
    at = key.lower().rfind(end)
    written = key[at : at + len(end)]
    spelled = other.upper() if written.isupper() else other.title() if written[:1].isupper() else other
    return f"{key[:at]}{spelled}{key[at + len(end) :]}"


def name_of(names: tuple[str, ...], among: Mapping[Any, object]) -> str | None:
    """Return the name that siblings give a value; None where there is none.

    Args:
        names: The keys whose value it may be.
        among: The entries.
    """
    for key in names if len(among) > 1 else ():
        name = among.get(key)
        if name is not None and isinstance(name := as_json(name), str) and len(name) <= _MAX_NAME_CHARS:
            return name
    return None


def both_halves(value: object, other: object) -> tuple[object, object] | None:
    """Return the two halves of a place as a pair; None where they are not a place."""
    both = (as_json(value), as_json(other))
    return None if place(both, named=True) is None else both


def place_of(values: Collection[object], facts: KeyFacts, name: str) -> str | None:
    """Return the place that the numbers of a list or map are, as text; None where they are not one.

    Args:
        values: The numbers.
        facts: What their key says.
        name: Their key, of which a word may say that they are measured (`latency_ms`).
    """
    if len(values) > _MAX_COORDINATES:
        return None
    named = "gps" in facts.kinds
    found = place([as_json(each) for each in values], named=named)
    return None if found is not None and not named and names_measure(name) else found


def pair(value: object, *, sure: bool) -> tuple[str, object] | None:
    """Return the name and the value that a list of two may be.

    Args:
        value: Anything.
        sure: It is part of a list of pairs; a single one may be a list of two names.
    """
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return None
    name, given = as_json(value[0]), as_json(value[1])
    if not isinstance(name, str) or len(name) > _MAX_NAME_CHARS or given is None or isinstance(given, bool):
        return None
    return None if not sure and isinstance(given, str) and _NAME.fullmatch(given) else (name, given)


def are_pairs(values: Collection[object]) -> bool:
    """Return whether `values` is a list of names and values: headers, items of a map."""
    if not isinstance(values, (list, tuple, Sequence)) or not values or not isinstance(values[0], (list, tuple)):
        return False
    return all(pair(each, sure=True) is not None for each in values)


def became_pairs(kept: Collection[object], values: Collection[object], *, sure: bool) -> bool:
    """Return whether what is left of a list looks like names and values, though the list did not.

    A name may have become short enough, or a set has become a list.

    Args:
        kept: What is left.
        values: The list as it was.
        sure: Whether that was a list of pairs.
    """
    if not sure and are_pairs(kept):
        return True
    return pair(kept, sure=False) is not None and pair(values, sure=False) is None
