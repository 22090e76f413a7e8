"""The operational side's values in, the same ones out, scrubbed; the same objects wherever there is nothing to hide.

Runs wherever an exporter is called. Keeps types as they are (a tuple stays a tuple), notes nothing, and never holds on
to a value.
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_posthog.model import REDACTED
from otel_posthog.privacy.embedded import parse
from otel_posthog.privacy.keys import NO_FACTS, KeyFacts, is_harmless
from otel_posthog.privacy.rules import Rules
from otel_posthog.privacy.walk import is_card_number, unused

# Long stack traces are worth keeping whole on this side; what is longer still is cut.
MAX_CHARS = 256 * 1024


class Scrub:
    """Scrubs values by key and content.

    Args:
        rules: The compiled policy.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._cards = "card" in rules.policy.detectors

    def value(self, key: str, value: object) -> object:
        """Return `value` of the attribute `key`, scrubbed."""
        if value is None or isinstance(value, bool):
            return value
        facts = self._rules.key(key).facts
        if facts.sensitive and not is_harmless(facts, value):
            return value if value == REDACTED else REDACTED
        return self._value(value, facts, 0)

    def text(self, text: str, facts: KeyFacts = NO_FACTS) -> str:
        """Return `text`, scrubbed."""
        return self._rules.scanner.clean(text, max_chars=MAX_CHARS, facts=facts)

    def _value(self, value: object, facts: KeyFacts, depth: int) -> object:  # noqa: PLR0911 - one line per type
        if isinstance(value, str):
            return self._string(value, facts, depth)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            if not (self._cards and is_card_number(value)):
                return value
            return self._rules.scanner.replacement("card", str(int(value)))
        if isinstance(value, bytes):
            return self._bytes(value, facts)
        if depth >= self._rules.policy.max_depth:
            return REDACTED
        if isinstance(value, Mapping):
            return self._mapping(value, depth + 1)
        if isinstance(value, (list, tuple)):
            return self._sequence(value, facts, depth + 1)
        return value

    def _string(self, text: str, facts: KeyFacts, depth: int) -> str:
        embedded = parse(text) if len(text) <= MAX_CHARS else None
        if embedded is None:
            return self.text(text, facts)
        scrubbed = self._value(embedded.document, facts, depth)
        return text if scrubbed is embedded.document and not embedded.repeats_keys else embedded.text_of(scrubbed)

    def _bytes(self, value: bytes, facts: KeyFacts) -> bytes:
        # Latin-1 reads any bytes, and writes back those that were not touched.
        text = value.decode("latin-1")
        scrubbed = self.text(text, facts)
        return value if scrubbed is text else scrubbed.encode("latin-1", "replace")

    def _mapping(self, value: Mapping[str, object], depth: int) -> Mapping[str, object]:
        scrubbed: dict[str, object] = {}
        changed = False
        for key, each in value.items():
            read = self._rules.key(key if isinstance(key, str) else str(key))
            hidden = read.facts.sensitive and not is_harmless(read.facts, each)
            new = REDACTED if hidden else self._value(each, read.facts, depth)
            name = unused(read.name, scrubbed) if read.fired else key
            changed = changed or new is not each or name is not key
            scrubbed[name] = new
        return scrubbed if changed else value

    def _sequence(
        self, value: list[object] | tuple[object, ...], facts: KeyFacts, depth: int
    ) -> list[object] | tuple[object, ...]:
        scrubbed = []
        changed = False
        after: object = None
        for each in value:
            hidden = self._rules.is_flag_value(after, each)
            new = REDACTED if hidden else self._value(each, facts, depth)
            changed = changed or new is not each
            scrubbed.append(new)
            after = each
        if not changed:
            return value
        return scrubbed if isinstance(value, list) else tuple(scrubbed)
