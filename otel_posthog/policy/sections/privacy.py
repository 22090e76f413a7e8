"""Privacy: what may leave towards PostHog."""

from __future__ import annotations

from dataclasses import dataclass

from otel_posthog.policy.defaults import ALLOWED_TELEMETRY_KEYS, DETECTORS, SENSITIVE_KEYS


@dataclass(frozen=True, slots=True)
class PrivacyPolicy:
    """What may leave towards PostHog.

    Attributes:
        allow: Telemetry attribute keys that may become properties; all others are not sent.
        sensitive_keys: Words that make a property sensitive when they stand in its key as whole tokens
            (`auth` is not in `author`); several words in one entry must stand next to each other (`api key`).
        detectors: The names of the value detectors that are on.
        max_depth: Levels of nesting that are kept; what is deeper goes.
        max_items: Entries of one list or map that are kept.
        max_properties: Properties of one event that are kept.
        max_string_chars: Characters of one string that are kept.
    """

    allow: frozenset[str] = ALLOWED_TELEMETRY_KEYS
    sensitive_keys: frozenset[str] = SENSITIVE_KEYS
    detectors: frozenset[str] = DETECTORS
    max_depth: int = 6
    max_items: int = 200
    max_properties: int = 500
    max_string_chars: int = 8192
