"""The hook for tools that score redactors on labelled values: `otel_posthog.privacy.scoring:redact`."""

from __future__ import annotations

from otel_posthog.model import Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy.filter import Filter

_FILTER = Filter(PrivacyPolicy())


def redact(key: str, value: object) -> object:
    """Return what the built-in policy leaves of a property, or None where the property is removed."""
    return next(iter(_FILTER.properties({key: value}, Receipt()).values()), None)
