"""Limits that are no numbers (`OTEL_*_LIMIT`): the SDK cannot be imported with one, or sets nothing up."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom

ABOUT = "limits"
VARIABLES = (
    "OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
)  # fmt: skip

WRONG = Kind(
    "limit_unusable", Group.PROCESS, Level.WRONG,
    "{variable} is not a whole number of 0 or more: OpenTelemetry's SDK does not start with it",
    "set {variable} to such a number, or take it out", Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
KINDS = (WRONG,)


def of_limits(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield each limit that the SDK cannot read."""
    yield from (WRONG.found(ABOUT, variable=each) for each in unusable(environ))


@contextmanager
def without(*variables: str) -> Iterator[None]:
    """Take variables out of the environment for a while: whoever looks for a mistake must not fail of it."""
    given = {each: os.environ.pop(each) for each in variables if each in os.environ}
    try:
        yield
    finally:
        os.environ.update(given)


def unusable(environ: Mapping[str, str]) -> list[str]:
    """Return the limits that the SDK cannot read."""
    return [each for each in VARIABLES if each in environ and not _is_limit(environ[each])]


def _is_limit(value: str) -> bool:
    # As the SDK reads it: an empty one is no limit.
    if not value.strip():
        return True
    try:
        return int(value) >= 0
    except ValueError:
        return False
