"""The methods: pure functions from a value, or a part of a text, to what may stand in its place.

Thread-safe, and idempotent: what a method has made, it leaves alone. None of them echoes what it replaces.
"""

from otel_posthog.privacy.methods.hits import AFTER_CHARS, MARKERS, HitMethods, hit_methods
from otel_posthog.privacy.methods.token import Tokens
from otel_posthog.privacy.methods.values import ValueMethod, value_method

__all__ = [
    "AFTER_CHARS",
    "MARKERS",
    "HitMethods",
    "Tokens",
    "ValueMethod",
    "hit_methods",
    "value_method",
]
