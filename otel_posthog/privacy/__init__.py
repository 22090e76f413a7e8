"""The privacy stage: what an event may carry, and the detectors that the operational side shares with it."""

from otel_posthog.privacy.catalog import Declared
from otel_posthog.privacy.consent import consent_given, should_collect
from otel_posthog.privacy.exceptions import limit_exceptions
from otel_posthog.privacy.filter import Filter
from otel_posthog.privacy.refilter import refilter
from otel_posthog.privacy.sanitize import (
    sanitize_properties,
    sanitize_properties_with_receipt,
    without_secrets,
)

__all__ = [
    "Declared",
    "Filter",
    "consent_given",
    "limit_exceptions",
    "refilter",
    "sanitize_properties",
    "sanitize_properties_with_receipt",
    "should_collect",
    "without_secrets",
]
