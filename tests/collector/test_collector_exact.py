"""The exact way: apps, a real Collector with tail sampling, `gateway --operational`, a backend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from collector import Collector, collector
from gateway import logs_request, spans_request
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from operational_gateway import Backend, operational_gateway
from planted_otlp import found, operational
from two_ways import REQUESTS, emit, flattened

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import Redactor
from otel_posthog.policy import Policy
from otel_posthog.privacy import Filter
from otel_posthog.privacy.scrub import MAX_CHARS
from otel_posthog.testing import OtlpSink

POLICY, GUARD = Policy(), Guard(Health())
ENVIRON = {"SAMPLING_DECISION_WAIT": "1s", "KEPT_TRACES_PERCENT": "100"}
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def whole_way() -> Iterator[tuple[Collector, Backend]]:
    """A Collector, whose gateway's backend is the sink."""
    with Backend() as backend, operational_gateway(backend=backend.url, OTEL_POSTHOG_GATEWAY_TOKENS="t" * 20) as made:
        to = {"OTEL_POSTHOG_OPERATIONAL_ENDPOINT": made.url, "OTEL_POSTHOG_OPERATIONAL_TOKEN": "t" * 20}
        with collector("base", "grafana", "exact", environ={**ENVIRON, **to}) as started:
            yield started, backend


def _items(backend: OtlpSink) -> dict[str, list[bytes]]:
    """Return what has arrived, without what the Collector itself counts of spans."""
    return {
        path: [each for each in items if b"spanmetricsconnector" not in each]
        for path, items in flattened(tuple(backend.requests)).items()
    }


def test_a_plain_app_through_the_collector_is_an_app_with_the_package(whole_way: tuple[Collector, Backend]) -> None:
    """Item for item, every field, with values of every kind and type, of all three signals.

    But for schema URLs of spans, which `tail_sampling` leaves out, and for deltas, which `delta_to_cumulative` adds up:
    of one point, to that point.
    """
    started, backend = whole_way
    with OtlpSink() as sink:
        emit(sink.url, Redactor(POLICY.operational, Filter(POLICY.operational_privacy), GUARD), GUARD)
        expected = flattened(sink.requests)
    emit(started.url, None, GUARD)

    def is_there(_: OtlpSink) -> bool:
        return all(len(items) >= len(expected[path]) for path, items in _items(backend).items())

    backend.wait_for(is_there, TIMEOUT_S)
    arrived = _items(backend)
    for path, items in expected.items():
        assert _shown(path, arrived[path]) == _shown(path, items)


def _shown(path: str, items: list[bytes]) -> list[str]:
    found = [REQUESTS[path][0].FromString(each) for each in items]
    for each in found if path == "/v1/traces" else ():
        each.resource_spans[0].ClearField("schema_url")
        each.resource_spans[0].scope_spans[0].ClearField("schema_url")
    for each in found if path == "/v1/metrics" else ():
        metric = each.resource_metrics[0].scope_metrics[0].metrics[0]
        data = getattr(metric, metric.WhichOneof("data"))
        if hasattr(data, "aggregation_temporality"):
            data.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    return sorted(map(str, found))


def test_nothing_that_is_planted_in_any_field_arrives(whole_way: tuple[Collector, Backend]) -> None:
    """An address of its own in every text that OTLP has; the items arrive all the same, and what counts the spans."""
    started, backend = whole_way
    backend.requests.clear()
    backend.spans.clear()
    for path, body in operational():
        assert started.post(path, body) == 200
    backend.wait_for_spans(1, TIMEOUT_S)
    backend.wait_for(lambda sink: {each.path for each in sink.requests} == set(REQUESTS), TIMEOUT_S)
    assert found(backend.raw_bytes) == set()
    assert b"planted.example" not in backend.raw_bytes


def test_one_text_that_is_not_utf_8_does_not_cost_what_is_beside_it(whole_way: tuple[Collector, Backend]) -> None:
    """A Collector passes it on as it came; all of the batch arrives, such bytes as question marks."""
    started, backend = whole_way
    backend.requests.clear()
    request = logs_request("a", "b")
    records = request.resource_logs[0].scope_logs[0].log_records
    for record, text in zip(records, ("caf\u00e9 x", "fine"), strict=True):
        record.event_name, record.body.string_value = "", text
    body = request.SerializeToString().replace("caf\u00e9".encode(), b"caf\xe9\xff")
    assert started.post("/v1/logs", body) == 200
    backend.wait_for(lambda sink: {"caf?? x", "fine"} <= {str(each.body) for each in sink.logs}, TIMEOUT_S)


@pytest.mark.parametrize("path", ["/v1/logs", "/v1/traces"])
def test_a_text_larger_than_a_batch_costs_nothing_that_is_beside_it(
    path: str, whole_way: tuple[Collector, Backend]
) -> None:
    """In a body, an attribute and an event: it is cut as an app with the package cuts it, and all items arrive."""
    started, backend = whole_way
    for kept in (backend.requests, backend.spans, backend.logs):
        kept.clear()
    text = "word " * 500_000
    request: Any = logs_request("a", "b", "c") if path == "/v1/logs" else spans_request("a", "b")
    holder: Any = (getattr(request, "resource_logs", None) or request.resource_spans)[0]
    items: Any = holder.scope_logs[0].log_records if path == "/v1/logs" else holder.scope_spans[0].spans
    for number, item in enumerate(items):
        if path == "/v1/logs":
            item.event_name, item.body.string_value = "", text if number == 1 else "fine"
    items[1].attributes.add(key="note").value.string_value = text
    if path == "/v1/traces":
        items[1].events.add(name="e").attributes.add(key="note").value.string_value = text
    assert started.post(path, request.SerializeToString()) == 200
    backend.wait_for(lambda sink: len(sink.logs if path == "/v1/logs" else sink.spans) == len(items), TIMEOUT_S)
    of_app = Redactor(POLICY.operational, Filter(POLICY.operational_privacy), GUARD).text(text)
    assert len(of_app) == MAX_CHARS
    arrived: list[Any] = [*backend.logs, *backend.spans]
    texts = [each.attributes.get("note") for each in arrived]
    texts += [each.body for each in backend.logs] + [of["note"] for each in backend.spans for _, of in each.events]
    assert {each for each in texts if each not in {None, "fine"}} == {of_app}
