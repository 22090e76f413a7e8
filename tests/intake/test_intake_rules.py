"""A rule that makes product events of unmarked telemetry, made for these tests: only the recogniser knows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from gateway import TIME_NS, as_json
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from otel_posthog import recogniser
from otel_posthog.apps.collector_config.product import product_processors
from otel_posthog.apps.explain.explainer import Explainer
from otel_posthog.apps.explain.items import Item
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.intake import SpanExportIntake, SpanIntake
from otel_posthog.intake.otlp import OPERATIONAL
from otel_posthog.intake.otlp.json_document import read_document
from otel_posthog.intake.otlp.protobuf import TRACES, read_request
from otel_posthog.intake.signals import record_signals
from otel_posthog.model import Signal, Source
from otel_posthog.operational import detach
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Destination, Policy
from otel_posthog.recogniser import MARKS, Recogniser
from otel_posthog.rules import Condition, Field, Operator, Rule, fits

POLICY = Policy(destinations=(Destination(api_key="phc_test"),))
PAGE_FAILED = Rule(
    "page_failed",
    "a page could not be shown",
    Source.SPAN,
    (
        Condition(Field.KIND, Operator.IS, "SERVER"),
        Condition(Field.ATTRIBUTE, Operator.IS, "/x", key="http.route"),
        Condition(Field.STATUS, Operator.IS, "ERROR"),
    ),
    "page_failed",
)


@pytest.fixture(autouse=True)
def derived(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the policy hold the rule."""
    monkeypatch.setattr(recogniser, "_derived", lambda _: (PAGE_FAILED,))


def request(kind: int = 2, route: str = "/x", status: int = 2) -> ExportTraceServiceRequest:
    """Return a request with one span, by OTLP's numbers."""
    made = ExportTraceServiceRequest()
    span = made.resource_spans.add().scope_spans.add().spans.add(name="GET", trace_id=b"t" * 16, span_id=b"s" * 8)
    span.kind, span.status.code, span.end_time_unix_nano = kind, status, TIME_NS  # type: ignore[assignment]
    span.attributes.add(key="http.route").value.string_value = route
    return made


class App:
    """A provider with our processor, an exporter of ours and one of the app's."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.exported: list[Signal] = []
        self.spans = InMemorySpanExporter()
        guard, rules = Guard(Health()), Recogniser(POLICY)
        marks = Recogniser(POLICY, is_marked_only=True)
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(
            SpanIntake(self.signals.append, detach, guard, flush=bool, close=lambda: None, recogniser=rules)
        )
        ours = SpanExportIntake(
            self.exported.append, guard.caught, flush=bool, close=lambda: None, recogniser=lambda: marks
        )
        self.provider.add_span_processor(SimpleSpanProcessor(ours))
        self.provider.add_span_processor(SimpleSpanProcessor(self.spans))

    def span(self, kind: SpanKind, route: str, status: StatusCode, **attributes: str) -> None:
        """Make a span."""
        span = self.provider.get_tracer("t").start_span("GET", kind=kind, attributes={"http.route": route})
        span.set_attributes({key.replace("__", "."): value for key, value in attributes.items()})
        span.set_status(status)
        span.end()


@pytest.fixture
def app() -> Iterator[App]:
    """An app, shut down afterwards."""
    made = App()
    yield made
    made.provider.shutdown()


def test_the_app_makes_the_event_and_keeps_the_span(app: App) -> None:
    """The event has the rule's name and id; the span goes on as it is, and is no event to an exporter of ours."""
    app.span(SpanKind.SERVER, "/x", StatusCode.ERROR)
    for kind, route, status in (
        (SpanKind.CLIENT, "/x", StatusCode.ERROR),
        (SpanKind.SERVER, "/y", StatusCode.ERROR),
        (SpanKind.SERVER, "/x", StatusCode.OK),
    ):
        app.span(kind, route, status)
    assert [(each.name, each.rule, each.source) for each in app.signals] == [
        ("page_failed", "page_failed", Source.SPAN)
    ]
    routes = [dict(each.attributes or {}) for each in app.spans.get_finished_spans()]
    assert routes == [{"http.route": route} for route in ("/x", "/x", "/y", "/x")]
    assert app.exported == []


def test_a_mark_wins(app: App) -> None:
    """What the app names itself is not named again by a rule."""
    app.span(SpanKind.SERVER, "/x", StatusCode.ERROR, analytics__event="order_failed")
    assert [(each.name, each.rule) for each in app.signals] == [("order_failed", "attribute")]


def test_the_gateway_makes_it_of_both_encodings() -> None:
    """With the same signal each."""
    rules = Recogniser(POLICY)
    (proto,), (from_json,) = read_request(request(), TRACES, rules), read_document(as_json(request()))
    (one,), (other,) = record_signals(proto, rules), record_signals(from_json, rules)
    assert one == other
    assert (one.name, one.rule) == ("page_failed", "page_failed")
    for wrong in (request(kind=3), request(route="/y"), request(status=1)):
        (record,) = read_request(wrong, TRACES, rules)
        assert record_signals(record, rules) == []


def test_whether_it_may_be_one_is_told_by_its_keys() -> None:
    """Without the attribute that the rule reads, a span is not decoded."""
    bare = request()
    del bare.resource_spans[0].scope_spans[0].spans[0].attributes[:]
    rules = Recogniser(POLICY)
    assert list(read_request(bare, TRACES, rules)) == [OPERATIONAL]
    assert rules.may_be_span("GET", ["http.route"])
    assert not rules.may_be_span("GET", ["http.method"])


def test_the_pipeline_makes_the_event() -> None:
    """What the worker makes of the signal is an event of that name."""
    pipeline = Pipeline(POLICY, installation_id="i", health=Health(), guard=Guard(Health()))
    (record,) = read_request(request(), TRACES, pipeline.recogniser)
    (signal,) = record_signals(record, pipeline.recogniser)
    (clean,) = (outcome.clean for outcome in pipeline.stages.outcomes(signal))
    pipeline.shutdown(0)
    assert clean is not None
    assert json.loads(clean.body)["event"] == "page_failed"


def test_explain_tells_why() -> None:
    """The rule's reason is the event's, and the operational side gets the span."""
    (record,) = read_document(as_json(request()))
    assert record is not OPERATIONAL
    made = Explainer(POLICY).explain(Item(1, record))
    assert [(each.name, each.reason) for each in made.events] == [("page_failed", "a page could not be shown")]
    assert made.operational is not None
    assert not made.operational.withheld


def test_the_collector_lets_it_through() -> None:
    """The compiled condition names the rule's fields as the Collector has them."""
    processed, condition = product_processors(POLICY)["filter/product_spans"]["traces"]["span"]
    assert processed == 'resource.attributes["otel_posthog.processed"] != nil'
    assert condition == (
        'attributes["analytics.event"] == nil and not (kind == SPAN_KIND_SERVER and attributes["http.route"] == "/x" '
        "and status.code == STATUS_CODE_ERROR) and Len(events) == 0"
    )


def test_the_marks_say_what_the_quick_look_says() -> None:
    """The rules that are written down for others are those by which a span event and a log record are recognised."""
    rules = Recogniser(Policy())
    for name in ("analytics.a", "other"):
        for attributes in ({}, {"analytics.event": "b"}):
            for source in (Source.SPAN_EVENT, Source.LOG):
                fitting = [
                    rule.id
                    for rule in MARKS
                    if rule.source is source and fits(rule, name, attributes, None)  # type: ignore[arg-type]
                ]
                found = rules.log(name, attributes, None, lambda _: None)  # type: ignore[arg-type, return-value]
                assert [each for _, each in found] == fitting[:1]
