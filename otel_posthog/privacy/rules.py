"""A policy compiled once: its detectors, its key rules, and what it has already read of the keys that come again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from otel_posthog.policy import PrivacyPolicy
from otel_posthog.policy.defaults import DETECTORS
from otel_posthog.privacy.keys import KeyFacts, KeyRules
from otel_posthog.privacy.reserved import is_reserved
from otel_posthog.privacy.scan import Fired, Scanner

MAX_KEY_CHARS = 200
# A marker that stands for a key says nothing of the value; `user[email]` does.
_OWN_MARKER = re.compile(rf"(?<!\w)\[(?:{'|'.join(sorted(DETECTORS))})\]")
# Keys are few and come again with every event; a stream of ever new ones must not fill the memory.
_KEYS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it may be sent and shown.

    Attributes:
        name: With markers in place of what the detectors found in it.
        facts: What it tells of its value.
        reserved: Whether PostHog acts on it at the top level of an event.
        fired: The detectors that found something in it.
    """

    name: str
    facts: KeyFacts
    reserved: bool
    fired: tuple[str, ...]


class Rules:
    """The compiled policy; immutable but for a cache, safe to share between threads.

    Args:
        policy: What may leave.
    """

    def __init__(self, policy: PrivacyPolicy) -> None:
        self.policy = policy
        key_rules = KeyRules(policy.sensitive_keys)
        self._facts = lru_cache(_KEYS_KEPT)(key_rules.facts)
        self.scanner = Scanner(policy.detectors, self._facts)
        self.key = lru_cache(_KEYS_KEPT)(self._read)

    def is_flag_value(self, before: object, value: object) -> bool:
        """Return whether `value` follows a sensitive flag in a list of arguments (`--password`, `…`)."""
        if not isinstance(before, str) or before[:1] != "-" or "=" in before or not isinstance(value, str):
            return False
        return value[:1] != "-" and self._facts(before[:MAX_KEY_CHARS]).sensitive

    def _read(self, key: str) -> Key:
        fired: Fired = []
        name = self.scanner.clean(key, max_chars=MAX_KEY_CHARS, fired=fired)
        facts = self._facts(_OWN_MARKER.sub("", key))
        if fired and not facts.sensitive:
            # Letters of an address or a token may read like words; only what is left of the key speaks.
            facts = self._facts(_OWN_MARKER.sub("", name))
        return Key(name, facts, is_reserved(key), tuple(fired))
