"""The way through a value, for both sides: entries, maps, lists, and JSON in a text.

`Properties` walks what an event carries and makes a JSON-safe copy, with a receipt. `Scrub` walks operational values
and keeps each object in which there is nothing to hide. What is done with a single value is theirs; what is read
together, and what a name beside a value says of it, is decided here, once. It never calls `repr` or `str` on an object
of a class that it does not know.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sized
from itertools import islice
from typing import Any

from otel_posthog.model import GONE, REDACTED
from otel_posthog.privacy.detectors import is_card
from otel_posthog.privacy.json_values import JSON_STARTS, parse_json
from otel_posthog.privacy.methods import ValueMethod
from otel_posthog.privacy.rules import Key, Rules
from otel_posthog.privacy.selectors import ValueRule
from otel_posthog.privacy.siblings import are_pairs, became_pairs, both_halves, name_of, pair, place_of

REMOVED, REPLACED, TRUNCATED = "removed", "replaced", "truncated"

AddEntry = Callable[[str, str, str], None]
"""`(path, rule, action)`: called with what is done with a value."""

_FEW = 9
_CARD_DIGITS = range(13, 20)


class Walk(ABC):
    """What both walks have in common.

    Args:
        rules: The compiled policy.
        note: Called with what is done with each value.
        gone: What stands for a value that may not stay.
        max_json_chars: Up to which length a text is opened as JSON.
        copies: Whether everything is copied, with paths for a receipt. Otherwise what does not change stays the same
            object, what changes keeps its type, and there are no paths.
    """

    __slots__ = ("_copies", "_gone", "_max_json_chars", "_note", "_policy", "_rules")

    _pair_levels = 1
    """How many levels a pair of a name and a value counts for in a list of such pairs."""

    def __init__(self, rules: Rules, note: AddEntry, *, gone: object, max_json_chars: int, copies: bool) -> None:
        self._rules, self._policy, self._note = rules, rules.policy, note
        self._gone, self._max_json_chars, self._copies = gone, max_json_chars, copies

    @abstractmethod
    def _value(self, value: object, path: str, key: Key, depth: int) -> object:
        """Return what may stay of a value whose key does not decide alone."""

    @abstractmethod
    def _text(self, text: str, path: str, key: Key) -> object:
        """Return what may stay of a text that is not JSON."""

    @abstractmethod
    def _entry(  # noqa: PLR0913, PLR0917 - called for every entry there is
        self, key: Key, value: object, path: str, depth: int, inherited: ValueRule | None = None, both: object = None
    ) -> object:
        """Return what may stay of the value under `key`; `both` is the place of which it is a half, if it is one."""

    @abstractmethod
    def _document(self, value: object, path: str, key: Key, depth: int) -> object:
        """Return what may stay of the map or list that a text is."""

    @abstractmethod
    def _half_of_pair(self, key: Key, value: object, path: str, depth: int) -> object:
        """Return what may stay of the value of a pair, from which nothing can be removed without a replacement."""

    @abstractmethod
    def _key(self, key: object) -> Key:
        """Return the reading of a key that is not exactly a `str`."""

    @abstractmethod
    def _width(self, value: Sized, path: str) -> int:
        """Return how many entries of `value` are looked at."""

    def _entry_among(  # noqa: PLR0913, PLR0917 - called for every entry there is
        self,
        key: Key,
        value: object,
        path: str,
        depth: int,
        among: Mapping[Any, object],
        inherited: ValueRule | None = None,
    ) -> object:
        """Return what may stay of one entry, given the entries beside it and the rule that all of them inherit."""
        if key.names:
            key = self._rules.named(key, name_of(key.names, among))
        both = both_halves(value, among.get(key.half)) if key.half and "gps" not in key.methods.skipped else None
        return self._entry(key, value, path, depth, inherited, both)

    def _string(self, text: str, path: str, key: Key, depth: int) -> object:
        embedded = parse_json(text) if text[:1] in JSON_STARTS and len(text) <= self._max_json_chars else None
        if embedded is None:
            left = self._text(text, path, key)
            if left is text or not isinstance(left, str) or left[:1] not in JSON_STARTS:
                return left
            # The replaced part may be all that kept the text from being JSON.
            return left if parse_json(left) is None else self._string(left, path, key, depth)
        document = embedded.document
        cleaned = self._document(document, path, key, depth)
        if cleaned is GONE:
            return GONE
        if (cleaned is document or (self._copies and cleaned == document)) and not embedded.repeats_keys:
            return text
        written = embedded.text_of(cleaned)
        # Markers may be longer than what they replace: a JSON text that gets too long is filtered like any other.
        return self._text(written, path, key) if self._copies and len(written) > self._max_json_chars else written

    def _ruled(self, value: object, path: str, rule: ValueRule, apply: ValueMethod) -> object:
        new = apply(value)
        if new is None:
            self._note(path, rule.name, REMOVED)
            return self._gone if self._copies else self._marker(value)
        if new == value:
            return value
        self._note(path, rule.name, REPLACED)
        return new

    def _number(self, number: float, path: str, key: Key) -> object:
        if not is_card_number(number) or "card" in key.methods.skipped:
            return number
        return self._hit("card", str(int(number)), path, key)

    def _marker(self, value: object) -> object:  # noqa: ARG002 - not every side marks every value
        """Return what stands for a whole value where something has to."""
        return REDACTED

    def _hit(self, detector: str, hit: str, path: str, key: Key) -> object:
        """Return what stands for a hit that is not part of a text."""
        if not self._copies and self._gone is GONE:
            return GONE
        if detector in key.methods.dropping:
            self._note(path, detector, REMOVED)
            return self._gone
        self._note(path, detector, REPLACED)
        return key.methods.replace(detector, hit)

    def _map(self, value: Mapping[Any, object], path: str, outer: Key, depth: int) -> object:
        """Return what may stay of a map; the rule of its key holds for every entry without a rule of its own."""
        is_place = "gps" in outer.facts.kinds
        where = place_of(value.values(), outer.facts, outer.name) if is_place else None
        if where is not None and "gps" not in outer.methods.skipped:
            return self._hit("gps", where, path, outer)
        rules, copies = self._rules, self._copies
        kept: dict[Any, object] = {}
        depends: list[str] = []
        changed = False
        for key, each in islice(value.items(), self._width(value, path)) if copies else value.items():
            read = rules.inside(outer, rules.key(key) if type(key) is str else self._key(key))
            name = read.name
            if read.half or read.names:
                depends.append(name)
            new = self._entry_among(read, each, f"{path}.{name}" if copies else path, depth + 1, value, outer.rule)
            # An operational key stays as it is, unless a marker replaced a part of it.
            name = (name if name not in kept else unused(name, kept)) if copies or read.fired else key
            changed = changed or new is not each or name is not key
            if new is not GONE:
                kept[name] = new
        if not copies and not changed:
            return value
        if is_place and len(kept) < len(value) and place_of(kept.values(), outer.facts, outer.name) is not None:
            return self._map(kept, path, outer, depth)
        return self._recheck(kept, depends, value, outer, f"{path}.", depth + 1) if depends else kept

    def _recheck(  # noqa: PLR0913, PLR0917 - what a map is walked with
        self,
        kept: dict[Any, object],
        depends: list[str],
        among: Mapping[Any, object],
        outer: Key | None = None,
        path: str = "",
        depth: int = 0,
    ) -> dict[Any, object]:
        """Return `kept`, with those of `depends` filtered again whose meaning depends on what is left beside them."""
        again = {name for name in depends if name in kept and self._rules.gains_meaning(name, kept, among)}
        if not again:
            return kept
        result: dict[Any, object] = {}
        for name, value in kept.items():
            if name not in again:
                result[name] = value
                continue
            read = self._rules.key(name)
            key, rule = (read, None) if outer is None else (self._rules.inside(outer, read), outer.rule)
            new = self._entry_among(key, value, f"{path}{name}", depth, kept, rule)
            if new is not GONE:
                result[unused(key.name, result)] = new
        return result

    def _list(self, value: Collection[object], path: str, key: Key, depth: int) -> object:
        whole = self._whole(value, path, key, depth)
        if whole is not None:
            return whole
        copies, is_flag_value = self._copies, self._rules.is_flag_value
        sure = are_pairs(value)
        width = self._width(value, path) if copies else len(value)
        kept: list[object] = []
        changed = width < len(value)
        after: object = None
        for index, each in enumerate(islice(value, width)):
            at = f"{path}.{index}" if copies else path
            cleaned: object = each
            hidden = is_flag_value(after, each)
            if not hidden:
                paired = self._pair(each, at, key, depth + self._pair_levels) if sure else None
                cleaned = self._value(each, at, key, depth + 1) if paired is None else paired
                # Again as they are left: a marker may have replaced a part of the flag, or the beginning of the value.
                hidden = bool(kept) and is_flag_value(kept[-1], cleaned)
            if hidden:
                self._note(at, "sensitive_key", REPLACED)
                cleaned = self._marker(each)
            after = each
            changed = changed or cleaned is not each
            if cleaned is not GONE:
                kept.append(cleaned)
        if not changed:
            if not copies:
                return value
            if type(value) is list or type(value) is tuple:
                return kept
        left = kept if copies or not isinstance(value, tuple) else tuple(kept)
        if len(left) < width or became_pairs(left, value, sure=sure):
            return self._list(left, path, key, depth)
        return left

    def _whole(self, value: Collection[object], path: str, key: Key, depth: int) -> object:
        """Return what may stay of a list that is a place, or a name and its value; None for any other list."""
        where = place_of(value, key.facts, key.name)
        if where is not None and "gps" not in key.methods.skipped:
            return self._hit("gps", where, path, key)
        return self._pair(value, path, key, depth, sure=False)

    def _pair(self, value: Any, path: str, key: Key, depth: int, *, sure: bool = True) -> object:
        """Return what may stay of a list that is a name and its value; None where the name says nothing of it."""
        named = pair(value, sure=sure)
        read = key if named is None else self._rules.named(key, named[0])
        if named is None or read is key:
            return None
        copies = self._copies
        given, name = (named[1], named[0]) if copies else (value[1], value[0])
        value_left = self._half_of_pair(read, given, f"{path}.1" if copies else path, depth + 1)
        name_left = self._value(name, f"{path}.0" if copies else path, key, depth + 1)
        if not copies and value_left is given and name_left is name:
            return value
        left = [self._marker(given) if value_left is GONE else value_left]
        both = [each for each in (self._marker(name) if name_left is GONE else name_left, *left) if each is not GONE]
        return tuple(both) if isinstance(value, tuple) and not copies else both


def is_card_number(number: float) -> bool:
    """Return whether a number is a payment card's, written without quotes."""
    if isinstance(number, float) and not number.is_integer():
        return False
    digits = str(int(number)) if 10**12 <= number < 10**19 else ""
    return len(digits) in _CARD_DIGITS and is_card(digits)


def unused(name: str, kept: Mapping[str, object]) -> str:
    """Return `name`, numbered where two keys have become one marker."""
    if name not in kept:
        return name
    # The first few are counted up. With many, counting from 2 for each would take quadratic time.
    number = 2 if f"{name}_{_FEW}" not in kept else len(kept) + 1
    while (free := f"{name}_{number}") in kept:
        number += 1
    return free
