"""Personal data in every field of OTLP, through a real Collector: none of it arrives anywhere, in no byte.

The controls take one step of the privacy layer away, and what it was there for comes through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache

import pytest
import yaml
from collector import CONFIG, STACK, collector
from planted_otlp import CARD, found, operational, product, traces

from otel_posthog.testing import OtlpSink

WAIT_S = 30
QUICK = {"SAMPLING_DECISION_WAIT": "50ms", "KEPT_TRACES_PERCENT": "100", "OTEL_POSTHOG_UUID_KEY": "k" * 32}
AT_ONCE = "yaml:exporters::{}::sending_queue::batch::flush_timeout: 50ms"
EXPORTERS = ("otlp_http/tempo", "otlp_http/prometheus", "otlp_http/loki", "otlp_http/gateway")

ONLY_MARKED = "transform/operational_before::trace_statements: " + json.dumps(
    [
        {
            "context": context,
            "statements": [f'replace_all_patterns({context}.attributes, "value", "^", "\ue000\\n")'],
        }
        for context in ("span", "spanevent")
    ]
)
"""Of the first step nothing but that it tells texts from all else."""


def through(requests: Iterable[tuple[str, bytes]], *layers: str, spans: int = 1) -> tuple[OtlpSink, OtlpSink]:
    """Return what arrives on the operational side and at the gateway, once a last request has come through too.

    Args:
        requests: Path and body of each.
        layers: Further ones.
        spans: How many operational spans are to be waited for.
    """
    with OtlpSink() as stack, OtlpSink() as gateway:
        backends = dict.fromkeys(("TEMPO_ENDPOINT", "PROMETHEUS_ENDPOINT", "LOKI_ENDPOINT"), stack.url)
        at_once = [AT_ONCE.format(name) for name in EXPORTERS]
        environ = {"OTEL_POSTHOG_GATEWAY_ENDPOINT": gateway.url, **backends, **QUICK}
        with collector(*STACK, *at_once, *layers, environ=environ) as made:
            given = list(requests)
            for path, body in given:
                assert made.post(path, body) == 200
            stack.wait_until(lambda: len(stack.spans) >= spans and len(stack.metrics) >= 1 and len(stack.logs) >= 2, 8)
            made.tree.end()
        return stack, gateway


@cache
def arrived() -> tuple[OtlpSink, OtlpSink]:
    """Return what arrives of everything with every step in place."""
    return through([*operational(), *product()], spans=2)


def test_in_no_byte_of_the_operational_side_is_anything_planted() -> None:
    """Resource, scope, names, attributes of every type, maps, status, events, bodies, exemplars, metrics."""
    stack, _ = arrived()
    assert found(stack.raw_bytes) == set()
    assert str(CARD).encode() not in stack.raw_bytes


def test_the_gateway_gets_nothing_but_what_an_app_says_of_an_event() -> None:
    """Its name and properties go there as they are, to be filtered exactly; no body or other attribute does."""
    _, gateway = arrived()
    said = {"event_name", "event_property", "log_event_name", "log_property", "span_device", "span_property"}
    assert found(gateway.raw_bytes) == said


def test_in_no_byte_that_rests_in_kafka_is_anything_planted() -> None:
    """What `kafka-out.yaml` puts before its exporter leaves nothing of them."""
    pipelines = yaml.safe_load((CONFIG / "kafka-out.yaml").read_text("utf-8"))["service"]["pipelines"]
    layers = [
        f"yaml:service::pipelines::{name}::processors: {json.dumps(each['processors'])}"
        for name, each in pipelines.items()
    ]
    _, kafka = through([*operational(), *product()], *layers, spans=2)
    assert [span.attributes["analytics.event"] for span in kafka.spans] == ["bought"]
    assert len(kafka.logs) == 2
    assert found(kafka.raw_bytes) == set()


def test_the_planted_values_were_there() -> None:
    """What was sent has some eighty of them: the search finds what there is."""
    sent = b"".join(body for _, body in [*operational(), *product()])
    assert len(found(sent)) > 80


def test_what_is_harmless_arrives() -> None:
    """Spans with names, logs with bodies, a metric with its point, product events with their properties."""
    stack, gateway = arrived()
    assert [span.name for span in stack.spans] == ["GET /****"] * 2
    assert {span.attributes["plan"] for span in stack.spans} == {"pro"}
    assert stack.spans[0].status_message == "no ****"
    assert [log.body for log in stack.logs] == ["body ****", {}]
    assert {metric.name for metric in stack.metrics} >= {"http.requests"}
    assert [span.attributes["analytics.event"] for span in gateway.spans] == ["bought"]
    assert len(gateway.logs) == 2


def test_each_side_has_only_its_own() -> None:
    """Nothing of `analytics.*` on the operational side; nothing operational at the gateway."""
    stack, gateway = arrived()
    assert b"analytics." not in stack.raw_bytes
    assert not gateway.metrics
    assert len(gateway.spans) == 1
    allowed = re.compile(r"analytics\..*|service\.name|http\.route")
    for attributes in (*(span.attributes for span in gateway.spans), *(span.resource for span in gateway.spans)):
        assert all(allowed.fullmatch(key) for key in attributes)


def test_spans_with_links_go_nowhere_marked_or_not() -> None:
    """A Collector can neither read nor change what links hold, whoever says that they are redacted."""
    linked = traces(is_product=False, with_links=True)
    marked = traces(is_product=False)
    marked.resource_spans[0].scope_spans[0].spans[0].links.add(trace_id=b"l" * 16, span_id=b"l" * 8)
    mark = marked.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="otel_posthog.links_redacted")
    mark.value.bool_value = True
    requests = [("/v1/traces", each.SerializeToString()) for each in (linked, marked)]
    # None is waited for: what ends decides upon the traces that it has.
    stack, _ = through([*requests, *list(operational())[1:]], spans=0)
    assert stack.spans == []
    assert len(stack.logs) == 2
    assert found(stack.raw_bytes) == set()


@pytest.mark.parametrize(
    ("without", "leaks"),
    [
        (
            "redaction/operational_addresses::blocked_values: []",
            {"span_text", "log_text", "body_text", "span_name", "span_list", "log_map", "body_map"},
        ),
        # What is no text has two steps against it.
        (f"redaction/operational_unseen::blocked_values: [] & {ONLY_MARKED}", {"event_bytes"}),
        (ONLY_MARKED, {"span_path"}),
        (
            "redaction/operational_keys::blocked_key_patterns: []",
            {"span_password", "log_password", "span_id", "log_id"},
        ),
        ("transform/operational_before::trace_statements: []", {"span_key", "span_name", "status"}),
        ("transform/operational_before::log_statements: []", {"log_key", "log_event_name", "severity_text"}),
        # Points that it has not looked at go nowhere, but for this.
        (
            "transform/operational_before::metric_statements: [] & filter/operational_series::metrics::datapoint: []",
            {"exemplar_text", "description", "unit", "point_key"},
        ),
        ("filter/operational::metrics::metric: []", {"metric_name"}),
        ("filter/operational::traces::span: []", {"link_text", "link_map"}),
    ],
)
def test_without_a_step_of_the_operational_side_it_would_leak(without: str, leaks: set[str]) -> None:
    """Each step is there for something."""
    linked = ("/v1/traces", traces(is_product=False, with_links=True).SerializeToString())
    layers = [f"yaml:processors::{each}" for each in without.split(" & ")]
    stack, _ = through([*operational(), linked], *layers)
    assert leaks <= found(stack.raw_bytes)


@pytest.mark.parametrize(
    ("without", "leaks"),
    [
        ("transform/product_before::trace_statements: []", {"span_name", "span_key", "span_scope_name", "status"}),
        ("transform/product_before::log_statements: []", {"log_key", "severity_text", "log_event_name"}),
    ],
)
def test_without_a_step_of_the_product_side_it_would_leak(without: str, leaks: set[str]) -> None:
    """The same on the way to the gateway."""
    _, gateway = through([*operational(), *product()], f"yaml:processors::{without}", spans=2)
    assert leaks <= found(gateway.raw_bytes)
