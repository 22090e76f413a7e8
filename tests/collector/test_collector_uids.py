"""Log-based events of one name and one time through a real Collector: told apart before their users are taken off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from collector import collector
from gateway import TIME_NS, gateway, logs_request

from otel_posthog.testing import FakePostHog, OtlpSink

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


NO_NUMBERS = {"a NaN": float("nan"), "an infinity": float("inf"), "an infinity below zero": float("-inf")}


def _in_value(value: Any, number: float) -> None:
    value.double_value = number


def _in_list(value: Any, number: float) -> None:
    value.array_value.values.add(double_value=1.5)
    value.array_value.values.add(double_value=number)


def _in_map(value: Any, number: float) -> None:
    value.kvlist_value.values.add(key="a").value.double_value = number


PLACES: dict[str, Callable[[Any, Any], Any]] = {
    "a property": lambda group, record: record.attributes.add(key="analytics.property.score").value,
    "another attribute": lambda group, record: record.attributes.add(key="app.score").value,
    "the body": lambda group, record: record.body,
    "the resource": lambda group, record: group.resource.attributes.add(key="app.score").value,
}


def test_a_number_that_is_none_blocks_no_event_and_tells_no_key() -> None:
    """A NaN or an infinity anywhere in a record: it is taken, with a uid, and the key is in no answer and no log."""
    uids = []
    with OtlpSink() as sink:
        given = {"OTEL_POSTHOG_GATEWAY_ENDPOINT": sink.url, "OTEL_POSTHOG_UUID_KEY": KEY}
        with collector(*LAYERS, environ=given) as relay:
            for place in PLACES.values():
                for plant in (_in_value, _in_list, _in_map):
                    for number in NO_NUMBERS.values():
                        request = logs_request("scored", "beside")
                        group = request.resource_logs[0]
                        plant(place(group, group.scope_logs[0].log_records[0]), number)
                        status, answer = relay.answer("/v1/logs", request.SerializeToString())
                        assert (status, KEY.encode() in answer) == (200, False)
            assert sink.wait_until(lambda: len(sink.logs) == 2 * 4 * 3 * 3, 30)
            uids = [log.attributes.get("log.record.uid") for log in sink.logs]
            assert KEY not in relay.tree.out
    assert KEY.encode() not in sink.raw_bytes
    assert all(uids)
