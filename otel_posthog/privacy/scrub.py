"""Operational values in, the same values scrubbed out; the same objects where there is nothing to hide.

Runs on the thread that calls an exporter. Keeps types as they are: a text that goes whole is a marker, anything else
goes with its key, or its place in a list, since columns of backends have types. Makes no receipt, and never holds on to
a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType

from otel_posthog.model import GONE, REDACTED
from otel_posthog.policy import Method
from otel_posthog.privacy.json_values import JSON_STARTS
from otel_posthog.privacy.keys import NO_FACTS
from otel_posthog.privacy.rules import Key, Rules
from otel_posthog.privacy.scan import Fired
from otel_posthog.privacy.selectors import ValueRule
from otel_posthog.privacy.sensitive import is_harmless, is_same, words_around
from otel_posthog.privacy.walk import Walk

# Long enough for stack traces; longer texts are cut.
MAX_CHARS = 256 * 1024

NO_OTHERS: Mapping[str, object] = MappingProxyType({})


def _unnoted(_path: str, _rule: str, _action: str) -> None:
    """Take no note: this side has no receipts."""


class Scrub(Walk):
    """Scrubs values by key and content; safe to share between threads.

    Args:
        rules: The compiled policy.
        gone: What stands for a value that is no text and may not stay; a marker in JSON, which is a text whatever it
            holds.
    """

    __slots__ = ("_documents", "_plain")

    # A list of pairs is not much deeper than a map, which is one level.
    _pair_levels = 0

    def __init__(self, rules: Rules, gone: object = GONE) -> None:
        super().__init__(rules, _unnoted, gone=gone, max_json_chars=MAX_CHARS, copies=False)
        methods = rules.methods
        # A text that has no key cannot be dropped.
        methods = replace(methods, dropping=frozenset()) if methods.dropping else methods
        self._plain = Key("", NO_FACTS, reserved="", methods=methods)
        self._documents = self if gone is REDACTED else Scrub(rules, REDACTED)

    def value(self, key: str, value: object, among: Mapping[str, object] = NO_OTHERS) -> object:
        """Return `value` of the attribute `key`, scrubbed, or `GONE`; `among` are the attributes beside it."""
        if value is None:
            return value
        read = self._rules.key(key)
        return (
            self._entry_among(read, value, "", 0, among) if read.names or read.half else self._entry(read, value, "", 0)
        )

    def inside(self, value: object, path: str, key: Key, depth: int) -> object:
        """Return what may stay of a value in another one, whose key does not decide alone."""
        return self._value(value, path, key, depth)

    def depends(self, key: str) -> bool:
        """Return whether what stands beside the attribute `key` may say more of its value."""
        read = self._rules.key(key)
        return bool(read.half or read.names)

    def text(self, text: str) -> str:
        """Return `text`, scrubbed; a JSON list or map like one under a key that says nothing."""
        if text[:1] in JSON_STARTS:
            left = self._string(text, "", self._plain, 0)
            return left if isinstance(left, str) else REDACTED
        return self._rules.scanner.clean(text, max_chars=MAX_CHARS, methods=self._rules.methods)

    def _entry(  # noqa: PLR0913, PLR0917 - called for every entry there is
        self, key: Key, value: object, path: str, depth: int, inherited: ValueRule | None = None, both: object = None
    ) -> object:
        if key.rule is None:
            if key.facts.sensitive and not is_harmless(key.facts, value):
                return self._sensitive(key, value)
            if inherited is not None:
                key = replace(key, rule=inherited)
        elif key.rule.method is Method.DROP:
            return self._marker(value)
        if both is None:
            return self._value(value, path, key, depth)
        # Half of a place: a marker where it is a text.
        walk = self._documents if isinstance(value, str) else self
        return walk.inside(both, path, key, depth)

    def _half_of_pair(self, key: Key, value: object, path: str, depth: int) -> object:
        return self._entry(key, value, path, depth)

    def _sensitive(self, key: Key, value: object) -> object:
        """Return the words around what makes a value sensitive, if they may stay."""
        if isinstance(value, (list, tuple)):
            # The values of a header are judged one by one.
            left = [self._sensitive(key, each) if isinstance(each, str) else self._gone for each in value]
            if is_same(left, value):
                return value
            left = [each for each in left if each is not GONE]
            if not left or (self._gone is REDACTED and set(map(str, left)) <= {REDACTED}):
                return self._gone
            return left if isinstance(value, list) else tuple(left)
        return self._around(key, value) if isinstance(value, str) else self._gone

    def _around(self, key: Key, value: str) -> str:
        left = words_around(value, key.facts, lambda text: self._rules.scanner.clean(text, MAX_CHARS, key.facts))
        return REDACTED if left is None else value if left == value else left

    def _text(self, text: str, path: str, key: Key) -> str:  # noqa: ARG002 - there are no paths on this side
        limit, rule, methods = MAX_CHARS, key.rule, key.methods
        if rule is not None and rule.method is Method.TRUNCATE:
            limit = rule.max_chars
        if not methods.dropping:
            return self._rules.scanner.clean(text, limit, key.facts, None, methods)
        fired: Fired = []
        cleaned = self._rules.scanner.clean(text, limit, key.facts, fired, methods)
        return REDACTED if methods.dropping.intersection(fired) else cleaned

    def _value(self, value: object, path: str, key: Key, depth: int) -> object:  # noqa: PLR0911 - one line per type
        rule = key.rule
        if rule is not None and rule.apply is not None and isinstance(value, (str, bool, int, float, bytes)):
            plain = _as_text(value)[0] if isinstance(value, bytes) else value
            return self._ruled(plain, path, rule, rule.apply)
        if isinstance(value, str):
            return self._string(value, path, key, depth)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return self._number(value, path, key)
        if isinstance(value, bytes):
            return self._bytes(value, path, key)
        if depth >= self._policy.max_depth:
            return self._gone
        if isinstance(value, (list, tuple)):
            return self._list(value, path, key, depth)
        if isinstance(value, (dict, Mapping)):
            return self._map(value, path, key, depth)
        return value

    def _document(self, value: object, path: str, key: Key, depth: int) -> object:
        return self._documents.inside(value, path, key, depth)

    def _marker(self, value: object) -> object:
        return REDACTED if isinstance(value, str) else self._gone

    def _bytes(self, value: bytes, path: str, key: Key) -> bytes:
        text, encoding = _as_text(value)
        scrubbed = self._text(text, path, key)
        return value if scrubbed is text else scrubbed.encode(encoding, "replace")

    def _key(self, key: object) -> Key:
        return self._rules.key(key if isinstance(key, str) else str(key))

    def _width(self, value: Sized, path: str) -> int:  # noqa: ARG002 - there are no paths on this side
        return len(value)


def _as_text(value: bytes) -> tuple[str, str]:
    """Return bytes as the text that they are, and its encoding; Latin-1 reads what is none."""
    for encoding in _encodings(value):
        with suppress(UnicodeDecodeError):
            return value.decode(encoding), encoding
    return value.decode("latin-1"), "latin-1"


def _encodings(value: bytes) -> Iterator[str]:
    # Most letters of UTF-16 are a byte and a zero, which UTF-8 would take for letters with zeros between them.
    if b"\0" in value and len(value) % 2 == 0:
        for encoding, upper in (("utf-16-le", value[1::2]), ("utf-16-be", value[::2])):
            if 2 * upper.count(0) > len(upper):
                yield encoding
    yield "utf-8"
