"""Log-based events of one name and one time through a real Collector: told apart before their users are taken off."""

from __future__ import annotations

from pathlib import Path

import pytest
from collector import collector
from gateway import TIME_NS, gateway, logs_request

from otel_posthog.testing import FakePostHog

LAYERS = ("base", "privacy", "posthog", "yaml:exporters::otlp_http/gateway::sending_queue::batch::flush_timeout: 50ms")
KEY = "k" * 40


def _request() -> bytes:
    """Return ten records of one tick that differ in their users alone, five of which come twice."""
    request = logs_request(*["item_added"] * 10)
    for number, record in enumerate(request.resource_logs[0].scope_logs[0].log_records):
        record.time_unix_nano = TIME_NS
        record.attributes.add(key="user.id").value.string_value = f"u-{number % 5}"
    return request.SerializeToString()


@pytest.mark.parametrize("key", ["", KEY], ids=["without a key", "with a key"])
def test_a_collector_stamps_uids_before_it_removes_ids(key: str, tmp_path: Path) -> None:
    """Ten events arrive, of nobody; by a key the same ten when the request is retried, else others."""
    with FakePostHog() as posthog, gateway(posthog=posthog.url, directory=tmp_path, OTEL_POSTHOG_UUID_KEY=key) as made:
        given = {"OTEL_POSTHOG_GATEWAY_ENDPOINT": made.url, "OTEL_POSTHOG_UUID_KEY": key}
        with collector(*LAYERS, environ=given) as relay:
            assert relay.post("/v1/logs", _request()) == 200
            assert posthog.wait_until(lambda: len(posthog.unique_events) == 10, 30)
            assert posthog.duplicates == 0
            assert relay.post("/v1/logs", _request()) == 200
            assert posthog.wait_until(lambda: len(posthog.unique_events) + posthog.duplicates == 20, 30)
    assert posthog.duplicates == (10 if key else 0)
    assert b"u-1" not in posthog.raw_bytes
