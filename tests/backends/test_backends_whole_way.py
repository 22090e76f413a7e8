"""The whole way, once: help desk, Collector, gateway, PostHog; Prometheus, Jaeger and a file of logs on the other side.

Left out of the quick run, since it builds Prometheus and Jaeger the first time: `make test-backends`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from backends import until
from whole_way import NOT_OURS, Ends, whole_way

from otel_posthog.testing import FakePostHog

pytestmark = pytest.mark.backends


def _is_right(ends: Ends, posthog: FakePostHog) -> None:
    """Require that each side has all of its own, once, and nothing of what was planted."""
    assert len(posthog.unique_events) == ends.tally.expected_events
    assert posthog.duplicates == 0
    assert until(lambda: ends.metric("traces_span_metrics_calls_total"))
    assert until(lambda: b'"logRecords"' in ends.logs_file.read_bytes())
    assert until(lambda: "'operationName': 'GET /" in str(ends.traces()))
    operational = ends.operational_bytes
    telltales = {each.telltale for each in ends.tally.planted}
    assert len(telltales) > 20
    assert {each for each in telltales if each.encode() in posthog.raw_bytes} == set()
    assert {each for each in telltales if each.encode() in operational} == set()
    assert b"analytics." not in operational


def test_of_an_app_without_this_package(tmp_path: Path) -> None:
    """The Collector tells product events apart, the gateway makes them; the rest is in the backends, redacted."""
    with whole_way(tmp_path, **NOT_OURS) as ends:
        _is_right(ends, ends.posthog)


def test_of_an_app_with_this_package_nothing_comes_twice(tmp_path: Path) -> None:
    """It sends its events itself, and the Collector finds none in what it gets."""
    with FakePostHog() as own, whole_way(tmp_path, POSTHOG_API_KEY="phc_test", POSTHOG_HOST=own.url) as ends:
        _is_right(ends, own)
        assert not ends.posthog.unique_events
