"""What a filter over OTLP lets through is what an app with the package's own exporters sends, item for item."""

from __future__ import annotations

import pytest
from two_ways import REQUESTS, emit, flattened

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import Redactor
from otel_posthog.operational.otlp import OtlpFilter
from otel_posthog.policy import Policy
from otel_posthog.privacy import Filter
from otel_posthog.testing import OtlpSink

POLICY, GUARD = Policy(), Guard(Health())


def redactor() -> Redactor:
    """Return the filter of the built-in policy."""
    return Redactor(POLICY.operational, Filter(POLICY.operational_privacy), GUARD)


@pytest.fixture(scope="module")
def sent() -> tuple[dict[str, list[bytes]], dict[str, list[bytes]]]:
    """Return what the app's exporters sent, and what the filter left of what plain ones sent."""
    with OtlpSink() as of_app, OtlpSink() as of_plain:
        emit(of_app.url, redactor(), GUARD)
        emit(of_plain.url, None, GUARD)
        filter_, left = OtlpFilter(redactor(), GUARD), list[tuple[str, bytes]]()
        for each in of_plain.requests:
            request = REQUESTS[each.path][0].FromString(each.body)
            list(filter_.clean(request))
            left.append((each.path, request.SerializeToString(deterministic=True)))
        return flattened(of_app.requests), flattened(left)


@pytest.mark.parametrize("path", REQUESTS)
def test_both_ways_send_the_same(path: str, sent: tuple[dict[str, list[bytes]], dict[str, list[bytes]]]) -> None:
    """Every field, with values of every kind and type, in as many items."""
    of_app, of_filter = sent
    assert len(of_app[path]) > 10
    make = REQUESTS[path][0]
    assert [str(make.FromString(each)) for each in of_filter[path]] == [
        str(make.FromString(each)) for each in of_app[path]
    ]
    assert of_filter[path] == of_app[path]
