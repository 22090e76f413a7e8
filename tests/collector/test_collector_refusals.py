"""What one side refuses, and what nobody can read, through real Collectors: two rows of `docs/collector.md`."""

from __future__ import annotations

from pathlib import Path

from collector import STACK, collector
from gateway import gateway, logs_request
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from otel_posthog.testing import FakePostHog, OtlpSink

WAIT_S = 30
QUICK = "yaml:exporters::otlp_http/gateway::sending_queue::batch::flush_timeout: 50ms"
ONE_REQUEST = (
    "yaml:exporters::otlp_http/gateway::sending_queue: {sizer: requests, queue_size: 1, num_consumers: 1, batch: null}"
)
NO_TEXT, PLACE = b"\xff\xfeQ\xc3", b"QQQQ"


def odd() -> ExportLogsServiceRequest:
    """Return an event whose properties are no JSON."""
    request = logs_request("odd", analytics__plan="pro")
    attributes = request.resource_logs[0].scope_logs[0].log_records[0].attributes
    attributes.add(key="analytics.nan").value.double_value = float("nan")
    attributes.add(key="analytics.infinity").value.double_value = float("-inf")
    attributes.add(key="analytics.raw").value.bytes_value = NO_TEXT
    attributes.add(key="analytics.map").value.kvlist_value.values.add(key="a").value.double_value = float("nan")
    return request


def test_what_is_no_json_and_no_text_takes_nothing_along(tmp_path: Path) -> None:
    """A NaN, an infinity and bytes go alone, each byte that is no text is a `?`, and their neighbours arrive."""
    unreadable = logs_request("unreadable", "neighbour", analytics__x=PLACE.decode()).SerializeToString()
    with (
        FakePostHog() as posthog,
        gateway(posthog=posthog.url, directory=tmp_path) as behind,
        collector("base", "privacy", "posthog", QUICK, environ={"OTEL_POSTHOG_GATEWAY_ENDPOINT": behind.url}) as made,
    ):
        assert made.post("/v1/logs", odd().SerializeToString()) == 200
        assert made.post("/v1/logs", unreadable.replace(PLACE, NO_TEXT)) == 200
        posthog.wait_for(3, WAIT_S)
    arrived = {each.event: each.properties for each in posthog.events}
    assert arrived.keys() == {"odd", "unreadable", "neighbour"}
    assert arrived["odd"]["plan"] == "pro"
    assert not {"nan", "infinity", "raw"} & arrived["odd"].keys()
    assert arrived["odd"]["map"] == {}
    assert arrived["unreadable"]["x"] == "??Q?"


def test_what_one_side_refuses_the_other_gets_again() -> None:
    """The gateway is away and its queue full: 503, and what the sender brings again is on the other side twice."""
    record = logs_request("e")
    record.resource_logs[0].scope_logs[0].log_records.add(time_unix_nano=1).body.string_value = "a line"
    with OtlpSink() as stack:
        endpoints = dict.fromkeys(("TEMPO_ENDPOINT", "PROMETHEUS_ENDPOINT", "LOKI_ENDPOINT"), stack.url)
        at_once = "yaml:exporters::otlp_http/loki::sending_queue::batch::flush_timeout: 50ms"
        with collector(*STACK, at_once, ONE_REQUEST, environ=endpoints) as made:
            answers = [made.post("/v1/logs", record.SerializeToString()) for _ in range(4)]
            assert set(answers) == {200, 503}
            assert stack.wait_until(lambda: len(stack.logs) == len(answers), WAIT_S)
        assert {log.body for log in stack.logs} == {"a line"}
