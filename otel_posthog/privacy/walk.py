"""Product properties in, JSON-safe and filtered ones out, with a receipt of what became of the rest.

Runs on the worker (on the application's thread when the queue is full). Bounded in depth, width and length. It never
puts a value into a receipt, nor calls `repr` or `str` on an object it does not know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Sized
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import islice
from typing import Any, cast

from otel_posthog.errors import DropEvent
from otel_posthog.model import REDACTED, Receipt
from otel_posthog.policy import Method
from otel_posthog.privacy.detectors import is_card
from otel_posthog.privacy.json_values import GONE, as_json, may_be_json, parse_json
from otel_posthog.privacy.methods import ValueMethod
from otel_posthog.privacy.rules import Key, Rules
from otel_posthog.privacy.scan import Fired, until
from otel_posthog.privacy.selectors import ValueRule
from otel_posthog.privacy.sensitive import is_harmless, is_same, words_around
from otel_posthog.privacy.siblings import are_pairs, both_halves, is_read_anew, name_of, pair, place_of

REMOVED, REPLACED, TRUNCATED = "removed", "replaced", "truncated"

MAX_VALUES = 20_000
"""Values in one event, at all levels; a map that holds itself twice would else grow with every level."""

LONGEST_ID_CHARS = 2600
"""An id of 200 characters, the most that PostHog takes, percent-encoded six times over."""

CUT = "max_string_chars"

MAX_NAME_CHARS = 8192
"""Of an event's name before it is cleaned; what is encoded has 200 bytes at most."""

Hide = Callable[[str, str], str]
"""`(text, path) -> text` without ids."""

_UNKNOWN_KEY = "[key]"
_MAX_INT_BITS = 64
_FEW = 9
_CARD_DIGITS = range(13, 20)


class Walk:
    """One pass over the properties of one event.

    Args:
        rules: The compiled policy.
        receipt: Gets what fired.
        hide: Takes ids out of a text, told where it stands; called after the detectors and before a text is cut, so
            that no cut leaves half of an id.
    """

    __slots__ = ("_hide", "_left", "_policy", "_receipt", "_rules", "_texts")

    def __init__(self, rules: Rules, receipt: Receipt, hide: Hide | None = None) -> None:
        self._rules, self._policy, self._receipt = rules, rules.policy, receipt
        self._hide = hide
        self._left = MAX_VALUES
        self._texts = 0

    def properties(self, properties: Mapping[str, object]) -> dict[str, object]:
        """Return the properties that may leave."""
        kept: dict[str, object] = {}
        depends: list[str] = []
        most = self._policy.max_properties
        for key, value in properties.items():
            read = self._rules.key(key) if type(key) is str else self._key(key)
            if read.reserved:
                self._receipt.add(read.name, "reserved", REMOVED)
            elif len(kept) >= most:
                self._receipt.add(read.name, "max_properties", REMOVED)
            elif read.is_plain and type(value) is str and read.name not in kept:
                cleaned = self._string(value, read.name, read, 0)
                if cleaned is not GONE:
                    kept[read.name] = cleaned
            elif read.half or read.names:
                depends.append(read.name)
                self._one_of(kept, read, value, read.name, 0, properties)
            else:
                self._entry(kept, read, value, read.name, 0)
        return self._beside(kept, depends, properties) if depends else kept

    def name(self, text: str, path: str) -> str:
        """Return a text that cannot be left out, with the detectors' hits replaced.

        It is not cut: half of a name is another name.

        Raises:
            DropEvent: `name_invalid`, for one that is longer than any that may be sent.
        """
        if len(text) > MAX_NAME_CHARS:
            raise DropEvent("name_invalid")
        fired: Fired = []
        cleaned = self._rules.scanner.clean(text, 2 * MAX_NAME_CHARS, fired=fired, methods=self._rules.methods)
        self._note(path, fired)
        return cleaned

    def _text(self, text: str, path: str, key: Key) -> object:
        limit = self._policy.max_string_chars
        rule = key.rule
        if rule is not None and rule.method is Method.TRUNCATE:
            limit = min(limit, rule.max_chars)
        spare = 0 if self._hide is None else LONGEST_ID_CHARS
        fired: Fired = []
        cleaned = self._rules.scanner.clean(text, limit + spare, key.facts, fired, key.methods)
        if fired:
            for name in key.methods.dropping.intersection(fired) if key.methods.dropping else ():
                self._receipt.add(path, name, REMOVED)
                return GONE
            self._note(path, fired)
        return cleaned if self._hide is None else self._hidden(cleaned, path, limit, is_cut=CUT in fired)

    def _hidden(self, text: str, path: str, limit: int, *, is_cut: bool) -> str:
        """Return `text` without ids, and only then cut."""
        text = self._hide(text, path) if self._hide is not None else text
        if is_cut:
            # What was cut before may end in half of an id; that end served to be looked at, and goes.
            return until(text, min(limit, max(0, len(text) - LONGEST_ID_CHARS)))
        if len(text) > limit:
            self._receipt.add(path, CUT, TRUNCATED)
        return until(text, limit)

    def _note(self, path: str, fired: Iterable[str]) -> None:
        for rule in fired:
            self._receipt.add(path, rule, TRUNCATED if rule == CUT else REPLACED)

    def _key(self, key: object) -> Key:
        if isinstance(key, str):
            return self._rules.key(key)
        name = as_json(key)
        if name is None or isinstance(name, (str, int, float)):
            return self._rules.key(str(name))
        return self._rules.key(_UNKNOWN_KEY)

    def _one_of(  # noqa: PLR0913, PLR0917 - called for every entry there is
        self,
        kept: dict[str, object],
        key: Key,
        value: object,
        path: str,
        depth: int,
        among: Mapping[Any, object],
        inherited: ValueRule | None = None,
    ) -> None:
        """Put what may leave of one entry into `kept`, given the entries beside it."""
        if key.names:
            key = self._rules.named(key, name_of(key.names, among))
        both = both_halves(value, among.get(key.half)) if key.half and "gps" not in key.methods.skipped else None
        self._entry(kept, key, both or value, path, depth, inherited)

    def _beside(  # noqa: PLR0913, PLR0917 - what a map is walked with
        self,
        kept: dict[str, object],
        depends: list[str],
        among: Mapping[Any, object],
        outer: Key | None = None,
        path: str = "",
        depth: int = 0,
    ) -> dict[str, object]:
        """Return `kept`, with those of `depends` looked at again of which only what is left beside them tells what."""
        anew = {name for name in depends if name in kept and self._rules.is_told_anew(name, kept, among)}
        if not anew:
            return kept
        again: dict[str, object] = {}
        for name, value in kept.items():
            if name in anew:
                read = self._rules.key(name)
                key, rule = (read, None) if outer is None else (self._rules.inside(outer, read), outer.rule)
                self._one_of(again, key, value, f"{path}{name}", depth, kept, rule)
            else:
                again[name] = value
        return again

    def _entry(  # noqa: PLR0913, PLR0917 - called for every entry there is
        self,
        kept: dict[str, object],
        key: Key,
        value: object,
        path: str,
        depth: int,
        inherited: ValueRule | None = None,
    ) -> None:
        """Put what may leave of one entry of a map into `kept`; a rule holds for all that is under its key."""
        if key.fired:
            self._note(path, key.fired)
        if key.rule is None:
            if key.facts.sensitive and not is_harmless(key.facts, as_json(value)):
                self._sensitive(kept, key, value, path)
                return
        elif key.rule.method is Method.DROP:
            self._receipt.add(path, key.rule.name, REMOVED)
            return
        if inherited is not None and key.rule is None:
            key = replace(key, rule=inherited)
        cleaned = self._value(value, path, key, depth)
        if cleaned is not GONE:
            kept[unused(key.name, kept)] = cleaned

    def _sensitive(self, kept: dict[str, object], key: Key, value: object, path: str) -> None:
        """Keep of a sensitive entry the words around what makes it so; in a text that is JSON, also its key."""
        left = self._around(value, key, path)
        if left is not None and is_same(left, value):
            kept[unused(key.name, kept)] = left
            return
        rule = "id_key" if key.facts.identifier else "sensitive_key"
        if left is None and not self._texts:
            self._receipt.add(path, rule, REMOVED)
            return
        self._receipt.add(path, rule, REPLACED)
        kept[unused(key.name, kept)] = REDACTED if left is None else left

    def _around(self, value: object, key: Key, path: str) -> object:
        """Return the words around what makes a text sensitive, of each text in a list; None where none may stay."""
        if isinstance(value, (list, tuple)):
            # The values of a header are judged one by one.
            each = [self._around(text, key, path) for text in value[: self._policy.max_items] if type(text) is str]
            return [REDACTED if left is None else left for left in each] if any(each) else None
        if type(value) is not str:
            return None
        limit, fired = self._policy.max_string_chars, list[str]()
        left = words_around(value, key.facts, lambda text: self._rules.scanner.clean(text, limit, key.facts, fired))
        if left is not None and (CUT in fired or len(left) > limit):
            self._receipt.add(path, CUT, TRUNCATED)
        return left if left is None else until(left, limit)

    def _value(self, value: object, path: str, key: Key, depth: int) -> object:  # noqa: PLR0911 - one line per type
        if type(value) is str and key.rule is None:
            return self._string(value, path, key, depth)
        value = as_json(value)
        if key.rule is not None and key.rule.apply is not None and isinstance(value, (str, bool, int, float)):
            return self._ruled(value, path, key.rule, key.rule.apply)
        if isinstance(value, str):
            return self._string(value, path, key, depth)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return self._number(value, path, key)
        if isinstance(value, Mapping):
            return self._nested(value, path, key, depth)
        if isinstance(value, (Sequence, AbstractSet)):
            return self._list(value, path, key, depth)
        self._receipt.add(path, "not_json", REMOVED)
        return GONE

    def _ruled(self, value: object, path: str, rule: ValueRule, apply: ValueMethod) -> object:
        new = apply(value)
        if new is None:
            self._receipt.add(path, rule.name, REMOVED)
            return GONE
        if new != value:
            self._receipt.add(path, rule.name, REPLACED)
        return new

    def _string(self, text: str, path: str, key: Key, depth: int) -> object:
        embedded = parse_json(text) if may_be_json(text) and len(text) <= self._policy.max_string_chars else None
        if embedded is None:
            left = self._text(text, path, key)
            # What kept a text from being JSON may have been what was replaced.
            is_new = left is not text and isinstance(left, str) and may_be_json(left) and parse_json(left) is not None
            return self._string(left, path, key, depth) if is_new and isinstance(left, str) else left
        self._texts += 1
        cleaned = self._value(embedded.document, path, key, depth)
        self._texts -= 1
        if cleaned is GONE:
            return GONE
        if cleaned == embedded.document and not embedded.repeats_keys:
            return text
        written = embedded.text_of(cleaned)
        # Markers may be longer than what they stand for; cut, it is no JSON any more and read as any text.
        return written if len(written) <= self._policy.max_string_chars else self._text(written, path, key)

    def _number(self, number: float, path: str, key: Key) -> object:
        if isinstance(number, float) and not math.isfinite(number):
            self._receipt.add(path, "not_finite", REMOVED)
            return GONE
        if isinstance(number, int) and number.bit_length() > _MAX_INT_BITS:
            self._receipt.add(path, "not_json", REMOVED)
            return GONE
        if not is_card_number(number) or "card" in key.methods.skipped:
            return number
        return self._hit("card", str(int(number)), path, key)

    def _hit(self, detector: str, hit: str, path: str, key: Key) -> object:
        """Return what stands for a value that is a hit though it is no text."""
        if detector in key.methods.dropping:
            self._receipt.add(path, detector, REMOVED)
            return GONE
        self._receipt.add(path, detector, REPLACED)
        return key.methods.replace(detector, hit)

    def _nested(self, value: Mapping[object, object], path: str, outer: Key, depth: int) -> object:
        if self._too_deep(path, depth):
            return GONE
        where = place_of(value.values(), outer.facts) if "gps" in outer.facts.kinds else None
        if where is not None and "gps" not in outer.methods.skipped:
            return self._hit("gps", where, path, outer)
        kept: dict[str, object] = {}
        depends: list[str] = []
        for key, each in islice(value.items(), self._width(value, path)):
            read = self._rules.inside(outer, self._key(key))
            if read.half or read.names:
                depends.append(read.name)
            self._one_of(kept, read, each, f"{path}.{read.name}", depth + 1, value, outer.rule)
        if "gps" in outer.facts.kinds and len(kept) < len(value) and place_of(kept.values(), outer.facts) is not None:
            return self._nested(cast("dict[object, object]", kept), path, outer, depth)
        return self._beside(kept, depends, value, outer, f"{path}.", depth + 1) if depends else kept

    def _list(self, value: Collection[object], path: str, key: Key, depth: int) -> object:
        if self._too_deep(path, depth):
            return GONE
        whole = self._whole(value, path, key, depth)
        if whole is not None:
            return whole
        kept: list[object] = []
        sure = are_pairs(value)
        width = self._width(value, path)
        after: object = None
        for index, each in enumerate(islice(value, width)):
            at = f"{path}.{index}"
            cleaned: object = each
            hidden = self._rules.is_flag_value(after, each)
            if not hidden:
                paired = self._pair(each, at, key, depth + 1) if sure else None
                cleaned = self._value(each, at, key, depth + 1) if paired is None else paired
                # Also as it is left: with an address gone from the flag, or from the beginning of the value.
                hidden = bool(kept) and self._rules.is_flag_value(kept[-1], cleaned)
            if hidden:
                self._receipt.add(at, "sensitive_key", REPLACED)
                cleaned = REDACTED
            after = each
            if cleaned is not GONE:
                kept.append(cleaned)
        if len(kept) < width or is_read_anew(kept, value, sure=sure):
            return self._list(kept, path, key, depth)
        return kept

    def _whole(self, value: Collection[object], path: str, key: Key, depth: int) -> object:
        """Return what stands for a list that is a place, or a name and its value; None for any other."""
        where = place_of(value, key.facts)
        if where is not None and "gps" not in key.methods.skipped:
            return self._hit("gps", where, path, key)
        return self._pair(value, path, key, depth, sure=False)

    def _pair(self, value: object, path: str, key: Key, depth: int, *, sure: bool = True) -> object:
        """Return what may leave of a list that is a name and its value; None where the name says nothing of it."""
        named = pair(value, sure=sure)
        read = key if named is None else self._rules.named(key, named[0])
        if named is None or read is key:
            return None
        kept: dict[str, object] = {}
        # Nothing of a pair can be left out.
        self._texts += 1
        self._entry(kept, read, named[1], f"{path}.1", depth + 1)
        self._texts -= 1
        name = self._value(named[0], f"{path}.0", key, depth + 1)
        return [REDACTED if name is GONE else name, next(iter(kept.values()), REDACTED)]

    def _too_deep(self, path: str, depth: int) -> bool:
        if depth < self._policy.max_depth:
            return False
        self._receipt.add(path, "max_depth", REMOVED)
        return True

    def _width(self, value: Sized, path: str) -> int:
        """Return how many entries of `value` are looked at, of what is left for the whole event."""
        width = min(len(value), self._policy.max_items, self._left)
        if width < len(value):
            self._receipt.add(path, "max_items", TRUNCATED)
        self._left -= width
        return width


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
    # A few are counted up; of many the next is one more than there are, or the last would be asked for all before it.
    number = 2 if f"{name}_{_FEW}" not in kept else len(kept) + 1
    while (free := f"{name}_{number}") in kept:
        number += 1
    return free
