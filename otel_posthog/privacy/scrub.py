"""The operational side's values in, the same ones out, scrubbed; the same objects wherever there is nothing to hide.

Runs wherever an exporter is called. Keeps types as they are (a tuple stays a tuple), notes nothing, and never holds on
to a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from otel_posthog.model import REDACTED
from otel_posthog.policy import Method
from otel_posthog.privacy.json_values import may_be_json, parse_json
from otel_posthog.privacy.methods import HitMethods, ValueMethod
from otel_posthog.privacy.rules import Key, Rules
from otel_posthog.privacy.scan import Fired
from otel_posthog.privacy.selectors import ValueRule
from otel_posthog.privacy.sensitive import is_harmless, is_same, words_around
from otel_posthog.privacy.siblings import are_pairs, both_halves, is_read_anew, name_of, pair, place_of
from otel_posthog.privacy.walk import is_card_number, unused

# Long stack traces are worth keeping whole on this side; what is longer still is cut.
MAX_CHARS = 256 * 1024

NO_OTHERS: Mapping[str, object] = MappingProxyType({})


class Scrub:
    """Scrubs values by key and content.

    Args:
        rules: The compiled policy.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def value(self, key: str, value: object, among: Mapping[str, object] = NO_OTHERS) -> object:
        """Return `value` of the attribute `key`, scrubbed; `among` are the attributes beside it."""
        if value is None:
            return value
        return self._one_of(self._rules.key(key), value, among, 0)

    def depends(self, key: str) -> bool:
        """Return whether what stands beside the attribute `key` may say more of its value."""
        read = self._rules.key(key)
        return bool(read.half or read.names)

    def _one_of(
        self, key: Key, value: object, among: Mapping[str, object], depth: int, inherited: ValueRule | None = None
    ) -> object:
        """Return the value of one entry, scrubbed, given the entries beside it and a rule for all of them."""
        if key.names:
            key = self._rules.named(key, name_of(key.names, among))
        if _hides(key, value):
            return self._hidden(key, value)
        if inherited is not None and key.rule is None:
            key = replace(key, rule=inherited)
        both = both_halves(value, among.get(key.half)) if key.half and "gps" not in key.methods.skipped else None
        return self._value(both or value, key, depth)

    def _hidden(self, key: Key, value: object) -> object:
        """Return the words around what makes a value sensitive, if they may stay."""
        if key.rule is not None:
            return REDACTED
        if isinstance(value, (list, tuple)):
            # The values of a header are judged one by one.
            left = [self._hidden(key, each) if isinstance(each, str) else REDACTED for each in value]
            if set(map(str, left)) <= {REDACTED}:
                return REDACTED
            return value if is_same(left, value) else left if isinstance(value, list) else tuple(left)
        return self._around(key, value) if isinstance(value, str) else REDACTED

    def _around(self, key: Key, value: str) -> str:
        left = words_around(value, key.facts, lambda text: self._rules.scanner.clean(text, MAX_CHARS, key.facts))
        return REDACTED if left is None else value if left == value else left

    def text(self, text: str) -> str:
        """Return `text`, scrubbed."""
        return self._rules.scanner.clean(text, max_chars=MAX_CHARS, methods=self._rules.methods)

    def _text(self, text: str, key: Key) -> str:
        fired: Fired = []
        limit = MAX_CHARS
        if key.rule is not None and key.rule.method is Method.TRUNCATE:
            limit = key.rule.max_chars
        cleaned = self._rules.scanner.clean(text, max_chars=limit, facts=key.facts, fired=fired, methods=key.methods)
        return REDACTED if key.methods.dropping.intersection(fired) else cleaned

    def _value(self, value: object, key: Key, depth: int) -> object:  # noqa: PLR0911 - one line per type
        if key.rule is not None and key.rule.apply is not None and isinstance(value, (str, bool, int, float, bytes)):
            return _ruled(value, key.rule.apply)
        if isinstance(value, str):
            return self._string(value, key, depth)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return _number(value, key.methods)
        if isinstance(value, bytes):
            return self._bytes(value, key)
        if depth >= self._rules.policy.max_depth:
            return REDACTED
        if isinstance(value, Mapping):
            return self._mapping(value, key, depth + 1)
        if isinstance(value, (list, tuple)):
            return self._sequence(value, key, depth + 1)
        return value

    def _string(self, text: str, key: Key, depth: int) -> str:
        embedded = parse_json(text) if may_be_json(text) and len(text) <= MAX_CHARS else None
        if embedded is None:
            left = self._text(text, key)
            # What kept a text from being JSON may have been what was replaced.
            is_new = left is not text and may_be_json(left) and parse_json(left) is not None
            return self._string(left, key, depth) if is_new else left
        scrubbed = self._value(embedded.document, key, depth)
        return text if scrubbed is embedded.document and not embedded.repeats_keys else embedded.text_of(scrubbed)

    def _bytes(self, value: bytes, key: Key) -> bytes:
        # Latin-1 reads any bytes, and writes back those that were not touched.
        text = value.decode("latin-1")
        scrubbed = self._text(text, key)
        return value if scrubbed is text else scrubbed.encode("latin-1", "replace")

    def _mapping(self, value: Mapping[str, object], outer: Key, depth: int) -> object:
        where = place_of(value.values(), outer.facts) if "gps" in outer.facts.kinds else None
        if where is not None and "gps" not in outer.methods.skipped:
            return _hit("gps", where, outer.methods)
        scrubbed: dict[str, object] = {}
        changed = depends = False
        for key, each in value.items():
            read = self._rules.inside(outer, self._rules.key(key if isinstance(key, str) else str(key)))
            depends = depends or bool(read.half or read.names)
            new = self._one_of(read, each, value, depth, outer.rule)
            name = unused(read.name, scrubbed) if read.fired else key
            changed = changed or new is not each or name is not key
            scrubbed[name] = new
        if not changed:
            return value
        return self._beside(scrubbed, value, outer, depth) if depends else scrubbed

    def _beside(
        self, left: dict[str, object], among: Mapping[str, object], outer: Key, depth: int
    ) -> dict[str, object]:
        """Return `left`, with those looked at again of which only what is left beside them says what they are."""
        again = left.copy()
        for name, value in left.items():
            if isinstance(name, str) and self._rules.is_told_anew(name, left, among):
                read = self._rules.inside(outer, self._rules.key(name))
                again[name] = self._one_of(read, value, left, depth, outer.rule)
        return again

    def _sequence(self, value: list[object] | tuple[object, ...], key: Key, depth: int) -> object:
        whole = self._whole(value, key, depth)
        if whole is not None:
            return whole
        scrubbed: list[object] = []
        changed = False
        sure = are_pairs(value)
        after: object = None
        for each in value:
            hidden = self._rules.is_flag_value(after, each)
            if not hidden:
                new = (self._pair(each, key, depth) if sure else None) or self._value(each, key, depth)
                hidden = bool(scrubbed) and self._rules.is_flag_value(scrubbed[-1], new)
            new = REDACTED if hidden else new
            changed = changed or new is not each
            scrubbed.append(new)
            after = each
        if not changed:
            return value
        left = scrubbed if isinstance(value, list) else tuple(scrubbed)
        return self._sequence(left, key, depth) if is_read_anew(left, value, sure=sure) else left

    def _whole(self, value: list[object] | tuple[object, ...], key: Key, depth: int) -> object:
        """Return what stands for a list that is a place, or a name and its value; None for any other."""
        where = place_of(value, key.facts)
        if where is not None and "gps" not in key.methods.skipped:
            return _hit("gps", where, key.methods)
        return self._pair(value, key, depth, sure=False)

    def _pair(self, value: object, key: Key, depth: int, *, sure: bool = True) -> object:
        """Return a list that is a name and its value, scrubbed; None where the name says nothing of it."""
        named = pair(value, sure=sure)
        read = key if named is None else self._rules.named(key, named[0])
        if named is None or read is key or not isinstance(value, (list, tuple)):
            return None
        given = self._one_of(read, value[1], NO_OTHERS, depth)
        name = self._value(value[0], key, depth)
        if given is value[1] and name is value[0]:
            return value
        return [name, given] if isinstance(value, list) else (name, given)


def _hides(key: Key, value: object) -> bool:
    """Return whether a value goes whole because of its key."""
    if key.rule is not None:
        return key.rule.method is Method.DROP
    return key.facts.sensitive and not is_harmless(key.facts, value)


def _ruled(value: object, apply: ValueMethod) -> object:
    new = apply(value.decode("latin-1") if isinstance(value, bytes) else value)
    if new is None:
        return REDACTED
    return value if new == value else new


def _number(number: float, methods: HitMethods) -> object:
    if not is_card_number(number) or "card" in methods.skipped:
        return number
    return _hit("card", str(int(number)), methods)


def _hit(detector: str, hit: str, methods: HitMethods) -> object:
    """Return what stands for a value that is a hit though it is no text."""
    return REDACTED if detector in methods.dropping else methods.replace(detector, hit)
