"""The properties of an event in, JSON-safe and filtered ones out, with a receipt of what became of the rest.

Runs on the worker (on the application's thread when the queue is full), one object for each event. Bounded in depth,
width and length. It never puts a value into a receipt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from collections.abc import Set as AbstractSet
from dataclasses import replace

from otel_posthog.errors import DropEvent
from otel_posthog.model import GONE, REDACTED, Receipt
from otel_posthog.policy import Method
from otel_posthog.privacy.json_values import as_json
from otel_posthog.privacy.rules import Key, Rules
from otel_posthog.privacy.scan import CUT, Fired, until
from otel_posthog.privacy.selectors import ValueRule
from otel_posthog.privacy.sensitive import is_harmless, is_same, words_around
from otel_posthog.privacy.walk import REMOVED, REPLACED, TRUNCATED, Walk, is_card_number, unused

MAX_VALUES = 20_000
"""Values in one event, at all levels; else a map that contains itself twice would double with each."""

LONGEST_ID_CHARS = 2600
"""An id of 200 characters, the most that PostHog takes, percent-encoded six times over."""

MAX_NAME_CHARS = 8192
"""Of an event's name before it is cleaned; what is encoded has 200 bytes at most."""

Hide = Callable[[str, str], str]
"""`(text, path) -> text` without ids."""

_UNKNOWN_KEY = "[key]"
_MAX_INT_BITS = 64


class Properties(Walk):
    """One pass over the properties of one event.

    Args:
        rules: The compiled policy.
        receipt: Gets what fired.
        hide: Removes ids from a text, given its path; called after the detectors and before a text is cut, so that no
            cut leaves half of an id.
    """

    __slots__ = ("_hide", "_left", "_texts")

    def __init__(self, rules: Rules, receipt: Receipt, hide: Hide | None = None) -> None:
        super().__init__(rules, receipt.add, gone=GONE, max_json_chars=rules.policy.max_string_chars, copies=True)
        self._hide = hide
        self._left = MAX_VALUES
        self._texts = 0

    def cleaned(self, properties: Mapping[str, object]) -> dict[str, object]:
        """Return the properties that may leave."""
        kept: dict[str, object] = {}
        depends: list[str] = []
        most = self._policy.max_properties
        for key, value in properties.items():
            read = self._rules.key(key) if type(key) is str else self._key(key)
            name = read.name
            if read.reserved:
                self._note(name, read.reserved, REMOVED)
                continue
            if len(kept) >= most:
                self._note(name, "max_properties", REMOVED)
                continue
            if read.is_plain and type(value) is str:
                cleaned = self._string(value, name, read, 0)
            elif read.half or read.names:
                depends.append(name)
                cleaned = self._entry_among(read, value, name, 0, properties)
            else:
                cleaned = self._entry(read, value, name, 0)
            if cleaned is not GONE:
                kept[name if name not in kept else unused(name, kept)] = cleaned
        return self._recheck(kept, depends, properties) if depends else kept

    def name(self, text: str, path: str) -> str:
        """Return a text that cannot be left out, with the detectors' hits replaced.

        It is not cut: half of a name would be another name.

        Raises:
            DropEvent: `name_invalid`, for one that is longer than any that may be sent.
        """
        if len(text) > MAX_NAME_CHARS:
            raise DropEvent("name_invalid")
        fired: Fired = []
        cleaned = self._rules.scanner.clean(text, 2 * MAX_NAME_CHARS, fired=fired, methods=self._rules.methods)
        self._note_all(path, fired)
        return cleaned

    def _text(self, text: str, path: str, key: Key) -> object:
        limit, rule = self._policy.max_string_chars, key.rule
        if rule is not None and rule.method is Method.TRUNCATE:
            limit = min(limit, rule.max_chars)
        hide = self._hide
        fired: Fired = []
        spare = 0 if hide is None else LONGEST_ID_CHARS
        cleaned = self._rules.scanner.clean(text, limit + spare, key.facts, fired, key.methods)
        if fired:
            for name in key.methods.dropping.intersection(fired) if key.methods.dropping else ():
                self._note(path, name, REMOVED)
                return GONE
            self._note_all(path, fired)
        if hide is None:
            return cleaned
        cleaned = hide(cleaned, path)
        if fired and CUT in fired:
            # A text that was cut may end in half of an id: the spare characters at its end are dropped.
            return until(cleaned, min(limit, max(0, len(cleaned) - LONGEST_ID_CHARS)))
        if len(cleaned) <= limit:
            return cleaned
        self._note(path, CUT, TRUNCATED)
        return until(cleaned, limit)

    def _note_all(self, path: str, fired: Iterable[str]) -> None:
        for rule in fired:
            self._note(path, rule, TRUNCATED if rule == CUT else REPLACED)

    def _key(self, key: object) -> Key:
        if isinstance(key, str):
            return self._rules.key(key)
        name = as_json(key)
        if name is None or isinstance(name, (str, int, float)):
            return self._rules.key(str(name))
        return self._rules.key(_UNKNOWN_KEY)

    def _entry(  # noqa: PLR0913, PLR0917 - called for every entry there is
        self, key: Key, value: object, path: str, depth: int, inherited: ValueRule | None = None, both: object = None
    ) -> object:
        value = both or value
        if key.fired:
            self._note_all(path, key.fired)
        if key.rule is None:
            if key.facts.sensitive and not is_harmless(key.facts, as_json(value)):
                return self._sensitive(key, value, path)
            if inherited is not None:
                key = replace(key, rule=inherited)
        elif key.rule.method is Method.DROP:
            self._note(path, key.rule.name, REMOVED)
            return GONE
        return self._value(value, path, key, depth)

    def _sensitive(self, key: Key, value: object, path: str) -> object:
        """Return what may stay of a sensitive entry; within JSON text and pairs a marker replaces what may not."""
        left = self._around(value, key, path)
        if left is not None and is_same(left, value):
            return left
        rule = "id_key" if key.facts.identifier else "sensitive_key"
        if left is None and not self._texts:
            self._note(path, rule, REMOVED)
            return GONE
        self._note(path, rule, REPLACED)
        return REDACTED if left is None else left

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
            self._note(path, CUT, TRUNCATED)
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
        # The usual types first: to ask whether a list is a Mapping takes longer.
        if isinstance(value, dict) or (not isinstance(value, list) and isinstance(value, Mapping)):
            return GONE if self._too_deep(path, depth) else self._map(value, path, key, depth)
        if isinstance(value, (list, tuple, Sequence, AbstractSet)):
            return GONE if self._too_deep(path, depth) else self._list(value, path, key, depth)
        self._note(path, "not_json", REMOVED)
        return GONE

    def _document(self, value: object, path: str, key: Key, depth: int) -> object:
        self._texts += 1
        cleaned = self._value(value, path, key, depth)
        self._texts -= 1
        return cleaned

    def _half_of_pair(self, key: Key, value: object, path: str, depth: int) -> object:
        self._texts += 1
        cleaned = self._entry(key, value, path, depth)
        self._texts -= 1
        return cleaned

    def _number(self, number: float, path: str, key: Key) -> object:
        if isinstance(number, float) and not math.isfinite(number):
            self._note(path, "not_finite", REMOVED)
            return GONE
        if isinstance(number, int) and number.bit_length() > _MAX_INT_BITS:
            self._note(path, "not_json", REMOVED)
            return GONE
        if not is_card_number(number) or "card" in key.methods.skipped:
            return number
        return self._hit("card", str(int(number)), path, key)

    def _too_deep(self, path: str, depth: int) -> bool:
        if depth < self._policy.max_depth:
            return False
        self._note(path, "max_depth", REMOVED)
        return True

    def _width(self, value: Sized, path: str) -> int:
        """Return how many entries of `value` are looked at, and take them off what the whole event may have."""
        width = min(len(value), self._policy.max_items, self._left)
        if width < len(value):
            self._note(path, "max_items", TRUNCATED)
        self._left -= width
        return width
