"""Which key of a section was meant by a word, and what the key does to a list.

A list in a file replaces the built-in one. Where the built-in list says what a filter removes, the advice is therefore
to add to it (`also_<list>`): no advice leads to a filter weaker than the built-in one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, get_args, get_origin

from otel_posthog.policy.fields import FrozenMap, required
from otel_posthog.policy.sections.privacy import HitMethod
from otel_posthog.regex import regex

ALSO = "also_"
# Lists that are in order, and have something to add to: a rule that is added is asked before the others.
_FIRST = frozenset({"rules"})
_ROUTES = frozenset({"api_routes", "ignored_routes", "search_routes", "export_routes"})
_ORDERED = frozenset({"off_switches", "user_key_prefixes"}) | _ROUTES | _FIRST
# Lists of what is let out: shorter is stricter.
_LETS_OUT = frozenset({"allow"})
_HUMP = regex(r"(?<=[a-z])(?=[A-Z])")


def adds_to(name: str, hint: Any) -> bool:
    """Return whether there is `also_<name>` for a field `name` of type `hint`."""
    hint = required(hint) or hint
    origin = get_origin(hint)
    if origin is FrozenMap:
        return get_args(hint)[1] is HitMethod
    return origin is frozenset or (origin is tuple and name in _ORDERED)


def field_of(key: str, names: list[str], hints: Mapping[str, Any]) -> tuple[str | None, bool]:
    """Return the field that `key` sets, and whether it adds to it instead of replacing it."""
    if key in names:
        return key, False
    name = key.removeprefix(ALSO)
    return (name, True) if name != key and name in names and adds_to(name, hints[name]) else (None, False)


def added(name: str, before: Any, new: Any) -> Any:
    """Return `before`, what the field `name` was, with `new` added."""
    if isinstance(before, frozenset):
        return before | new
    if isinstance(before, tuple):
        return new + before if name in _FIRST else before + new
    return FrozenMap({**before, **new})


def key_for(name: str, hint: Any) -> str:
    """Return the key to write for the field `name` so that nothing built in is given up."""
    return ALSO + name if adds_to(name, hint) and name not in _LETS_OUT else name


def other_key(given: str, names: list[str], hints: Mapping[str, Any]) -> str:
    """Return which key was meant by `given`, or which there are.

    Args:
        given: What is written.
        names: The fields that a file may set.
        hints: Their types.
    """
    meant = {name: key_for(name, hints[name]) for name in names}
    meant.update((ALSO + name, ALSO + name) for name in names if adds_to(name, hints[name]))
    return _closest(_HUMP.sub("_", given).lower().replace("-", "_"), meant)


def other_word(given: str, known: Collection[str]) -> str:
    """Return which of `known` was meant, or which there are."""
    return _closest(given, {each: each for each in sorted(known)})


def _closest(given: str, known: Mapping[str, str]) -> str:
    """Return which of `known` was meant, as what to write for it, or what there is to write."""
    import difflib  # noqa: PLC0415 - it is for mistakes only

    close = difflib.get_close_matches(given, list(known), n=1)
    return f"did you mean `{known[close[0]]}`?" if close else f"there are {', '.join(dict.fromkeys(known.values()))}"
