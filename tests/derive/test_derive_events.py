"""What a rule makes: the event of a real span in an app, through a gateway behind it, and in `explain`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from gateway import as_json
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from otel_posthog.apps.explain.explainer import Explainer
from otel_posthog.apps.explain.items import Item
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.intake import LogIntake, SpanIntake
from otel_posthog.intake.otlp import OPERATIONAL
from otel_posthog.intake.otlp.json_document import read_document
from otel_posthog.intake.otlp.protobuf import TRACES, read_request
from otel_posthog.intake.signals import record_signals
from otel_posthog.model import Signal
from otel_posthog.operational import RedactingSpanExporter, Redactor, detach
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.privacy import Filter
from otel_posthog.recogniser import Recogniser

POLICY = parse_policy(
    """
identity: identified
destinations: [{api_key: phc_test}]
derive:
  - name: page
    event: page_viewed
    when:
      kind: [server]
      attributes:
        http.route: {not_glob: ["/api/*"], present: true}
    properties:
      route: http.route
      method: http.request.method
      status: status_class
      path: url.path
      took_ms: duration_ms
    user: app.member
  - name: query
    event: "{db.system.name}_query_failed"
    when: {status: [error], attributes: {db.system.name: {present: true}}}
    properties: {collection: db.collection.name, mail: app.mail, password: app.secret}
  - name: retried
    event: delivery_retried
    when: {signal: span_event, event_name: ["retry.*"]}
    properties: {attempt: retry.count}
  - name: line
    event: device_seen
    when: {signal: log, event_name: [device.crash]}
    properties: {os: os.name}
""",
    source="policy.yaml",
)
NEW = {
    "http.route": "/orders/{id}",
    "http.request.method": "POST",
    "http.response.status_code": 302,
    "url.path": "/orders/7",
}
OLD = {"http.route": "orders/{id}", "http.method": "POST", "http.status_code": 302, "http.target": "/orders/7?x=1"}


class App:
    """A provider with our processor, and an operational exporter."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.spans, self.raw = InMemorySpanExporter(), InMemorySpanExporter()
        guard = Guard(Health())
        self.rules = Recogniser(POLICY)
        self.provider = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
        self.provider.add_span_processor(
            SpanIntake(self.signals.append, detach, guard, flush=bool, close=lambda: None, recogniser=self.rules)
        )
        redactor = Redactor(POLICY.operational, Filter(POLICY.operational_privacy), guard)
        self.provider.add_span_processor(SimpleSpanProcessor(RedactingSpanExporter(self.spans, redactor, guard)))
        self.provider.add_span_processor(SimpleSpanProcessor(self.raw))
        self.pipeline = Pipeline(POLICY, installation_id="i", health=Health(), guard=guard)

    def span(self, kind: SpanKind, attributes: dict[str, Any], status: StatusCode = StatusCode.UNSET) -> None:
        """Make a span."""
        span = self.provider.get_tracer("t").start_span("op", kind=kind, attributes=attributes)
        span.set_status(status)
        span.end()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What would be sent."""
        outcomes = [each for signal in self.signals for each in self.pipeline.stages.outcomes(signal)]
        return [json.loads(each.clean.body) for each in outcomes if each.clean is not None]


@pytest.fixture
def app() -> Iterator[App]:
    """An app, shut down afterwards."""
    made = App()
    yield made
    made.provider.shutdown()
    made.pipeline.shutdown(0)


@pytest.mark.parametrize("attributes", [NEW, OLD])
def test_a_request_is_a_page_in_both_conventions(app: App, attributes: dict[str, Any]) -> None:
    """The same properties, the user that the rule names, and a span that goes on as it is."""
    app.span(SpanKind.SERVER, {**attributes, "app.member": "u-17", "app.other": "kept back"})
    (event,) = app.events
    properties = event["properties"]
    assert (event["event"], event["distinct_id"]) == ("page_viewed", "u-17")
    assert {key: properties[key] for key in ("route", "method", "status", "path")} == {
        "route": "/orders/{id}",
        "method": "POST",
        "status": "3xx",
        "path": "/orders/7",
    }
    assert properties["took_ms"] >= 0
    assert not {"app.other", "app.member"} & set(properties)
    (span,) = app.raw.get_finished_spans()
    assert dict(span.attributes or {}) == {**attributes, "app.member": "u-17", "app.other": "kept back"}


def test_what_does_not_fit_is_none(app: App) -> None:
    """Another kind, a route that is left out, none at all."""
    app.span(SpanKind.INTERNAL, NEW)
    app.span(SpanKind.CLIENT, NEW)
    app.span(SpanKind.SERVER, {**OLD, "http.route": "api/orders"})
    app.span(SpanKind.SERVER, {"http.request.method": "GET"})
    assert app.signals == []


def test_what_it_lists_goes_through_every_filter(app: App) -> None:
    """A name of a few values, an e-mail address replaced, a key that names a secret gone, the statement nowhere."""
    app.span(
        SpanKind.CLIENT,
        {
            "db.system": "mssql",
            "db.sql.table": "orders",
            "db.statement": "select 'ludwig'",
            "app.mail": "ludwig@example.org",
            "app.secret": "hunter22",
        },
        StatusCode.ERROR,
    )
    (event,) = app.events
    assert event["event"] == "microsoft.sql_server_query_failed"
    assert event["properties"]["collection"] == "orders"
    assert not any(word in json.dumps(event) for word in ("ludwig", "hunter22"))


def test_a_name_has_words_only(app: App) -> None:
    """What is no plain word in a span is no part of the name of an event."""
    app.span(SpanKind.CLIENT, {"db.system.name": "ludwig@example.org"}, StatusCode.ERROR)
    assert [each.name for each in app.signals] == ["other_query_failed"]


def test_span_events_and_log_records_have_theirs(app: App) -> None:
    """Of any span, and of any record; both stay telemetry."""
    with app.provider.get_tracer("t").start_as_current_span("send") as span:
        span.add_event("retry.timeout", {"retry.count": 2})
        span.add_event("other")
    logs, kept = LoggerProvider(shutdown_on_exit=False), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    intake = LogIntake(app.signals.append, Guard(Health()), flush=bool, close=lambda: None, recogniser=app.rules)
    logs.add_log_record_processor(intake)
    logs.add_log_record_processor(SimpleLogRecordProcessor(kept))
    logs.get_logger("l").emit(event_name="device.crash", attributes={"os.name": "linux"}, body="text")
    logs.shutdown()
    told = [(each["event"], each["properties"].get("attempt") or each["properties"]["os"]) for each in app.events]
    assert told == [("delivery_retried", 2), ("device_seen", "linux")]
    assert [each.name for each in app.raw.get_finished_spans()[0].events] == ["retry.timeout", "other"]
    assert len(kept.get_finished_logs()) == 1


def derived_from(spans: Sequence[ReadableSpan]) -> list[Signal]:
    """Return what a gateway with the same policy makes of exported spans, the same of both encodings."""
    request, rules = encode_spans(spans), Recogniser(POLICY)
    of_proto = [
        signal
        for record in read_request(request, TRACES, rules)
        if record is not OPERATIONAL
        for signal in record_signals(record, rules)
    ]
    of_json = [signal for record in read_document(as_json(request)) for signal in record_signals(record, rules)]
    assert of_proto == of_json
    return of_proto


def test_a_gateway_makes_the_same_and_nothing_of_what_has_been_through_an_app(app: App) -> None:
    """An app without this package is derived from at the gateway, one with it is not, whether it has rules or none."""
    app.span(SpanKind.SERVER, {**OLD, "app.member": "u-17"})
    (own,) = app.signals
    (at_gateway,) = derived_from(app.raw.get_finished_spans())
    assert (own.name, own.rule, dict(own.attributes)) == (
        at_gateway.name,
        at_gateway.rule,
        dict(at_gateway.attributes),
    )
    assert derived_from(app.spans.get_finished_spans()) == []


@pytest.mark.parametrize("attributes", [NEW, OLD])
@pytest.mark.parametrize(("status", "is_one"), [(200, False), (404, False), (499, False), (500, True), (None, True)])
def test_an_exception_is_one_where_the_request_failed(
    app: App, attributes: dict[str, Any], status: int | None, *, is_one: bool
) -> None:
    """What a framework raises to say that a page is not there is none, in an app and at a gateway; marks have all."""
    keys = ("http.response.status_code", "http.status_code")
    given = {key: value for key, value in attributes.items() if key not in keys}
    given |= {key: status for key in keys if key in attributes and status is not None}
    for marks in ({}, {"analytics.event": "order_viewed"}):
        app.signals.clear()
        app.raw.clear()
        tracer = app.provider.get_tracer("t")
        with tracer.start_as_current_span("op", kind=SpanKind.SERVER, attributes={**given, **marks}) as span:
            span.record_exception(KeyError("ada"))
        names = [each.name for each in app.signals]
        assert names == (["order_viewed" if marks else "page_viewed"] + ["$exception"] * (is_one or bool(marks)))
        if not marks:
            assert [each.name for each in derived_from(app.raw.get_finished_spans())] == names


def test_explain_names_the_rule(app: App) -> None:
    """Why it is an event, with what is sent."""
    app.span(SpanKind.SERVER, NEW)
    (record,) = read_document(as_json(encode_spans(app.raw.get_finished_spans())))
    assert record is not OPERATIONAL
    (event,) = Explainer(POLICY).explain(Item(1, record)).events
    assert (event.name, event.reason) == ("page_viewed", "the policy's rule `page` makes an event of it")


def test_a_policy_with_rules_is_compiled_for_the_collector(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a word where a Collector can follow all of them."""
    from otel_posthog.apps.cli import main  # noqa: PLC0415

    path = tmp_path / "p.yaml"
    path.write_text("derive: [{name: a, event: x, when: {status: [error]}}]\n")
    assert main(["collector-config", "--policy", str(path)]) == 0
    told = capsys.readouterr()
    assert not told.err
    assert "span.status.code == STATUS_CODE_ERROR" in told.out


@pytest.mark.parametrize("item", ["span", "log"])
def test_two_rules_about_one_item_make_two_events(item: str) -> None:
    """With a uuid each, the same on every delivery, though the record brings one: PostHog takes no uuid twice."""
    from otel_posthog.intake.otlp.records import LogRecord, SpanRecord  # noqa: PLC0415
    from otel_posthog.intake.signals import record_signals  # noqa: PLC0415
    from otel_posthog.policy.yaml_file import parse_policy  # noqa: PLC0415
    from otel_posthog.recogniser import Recogniser  # noqa: PLC0415
    from otel_posthog.translate.event import translate  # noqa: PLC0415

    rules = ", ".join(
        f"{{name: {name}, event: seen, when: {{signal: {item}, attributes: {{a: {{present: true}}}}}}}}"
        for name in "xy"
    )
    recogniser = Recogniser(parse_policy(f"derive: [{rules}]", source="a test"))
    attributes = {"a": 1, "log.record.uid": "657274c7-9299-419a-91ab-c68224165ba2"}
    record: Any = LogRecord("", attributes, None, 10**18, 0, 5, 6, {})
    if item == "span":
        record = SpanRecord("s", {"a": 1}, 5, 6, 10**18, (), "", {}, kind="SERVER")
    first, again = (
        [event.uuid for signal in record_signals(record, recogniser) for event in translate(signal, print)]
        for _ in "12"
    )
    assert len(set(first)) == 2
    assert first == again
