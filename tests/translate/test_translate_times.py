"""When an event happened."""

from __future__ import annotations

import pytest
from translated import TIME_NS, only, signal

from otel_posthog.errors import DropEvent


@pytest.mark.parametrize(
    ("given", "expected_ns"),
    [
        ("2026-01-02T03:04:05Z", 1_767_323_045 * 10**9),
        ("2026-01-02T04:04:05.5+01:00", 1_767_323_045 * 10**9 + 5 * 10**8),
        ("2026-01-02t03:04:05.123456789012z", 1_767_323_045_123_456_789),
        (1_767_323_045 * 10**9, 1_767_323_045 * 10**9),
    ],
)
def test_a_given_timestamp_is_taken(given: object, expected_ns: int) -> None:
    """RFC 3339 with an offset, or Unix nanoseconds."""
    assert only(signal({"analytics.timestamp": given})).time_ns == expected_ns


@pytest.mark.parametrize(
    "given",
    [
        "yesterday",
        "2101-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+23:59",
        "2026-13-02T03:04:05Z",
        "2026-01-02T03:04:05Zx",
        "2026-01-02T03:04:05",
        1_767_323_045,
        True,
        1e18,
        5 * 10**18,
    ],
)
def test_a_bad_timestamp_is_counted_and_the_telemetrys_own_is_taken(given: object) -> None:
    """A time that cannot be meant must not misdate the event."""
    notes: list[str] = []
    assert only(signal({"analytics.timestamp": given}), notes).time_ns == TIME_NS
    assert notes == ["timestamp_invalid"]


@pytest.mark.parametrize("time_ns", [0, -1, 1_764_000_000, 1_764_000_000_123, 1_764_000_000_123_456, 10**30])
def test_a_time_in_another_unit_is_counted_and_the_observed_one_is_taken(time_ns: int) -> None:
    """Seconds or milliseconds where nanoseconds belong must not date an event to 1970."""
    notes: list[str] = []
    assert only(signal(time_ns=time_ns, observed_time_ns=TIME_NS), notes).time_ns == TIME_NS
    assert notes == ["time_invalid"]


def test_without_any_time_that_can_be_meant_there_is_no_event() -> None:
    """An event in the wrong year is worse than a counted loss."""
    with pytest.raises(DropEvent) as caught:
        only(signal(time_ns=5))
    assert caught.value.reason == "time_invalid"
    assert only(signal({"analytics.timestamp": TIME_NS}, time_ns=5)).time_ns == TIME_NS
