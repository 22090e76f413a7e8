"""What is a product event: each row of the first table of `docs/vocabulary.md`, through the real SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from telemetry import Telemetry

from otel_posthog import capture
from otel_posthog.intake.otlp.records import SpanRecord
from otel_posthog.intake.signals import record_signals
from otel_posthog.policy import Policy
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.recogniser import Recogniser


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """An app's telemetry in the mode `identified`."""
    with Telemetry() as made:
        yield made


def test_row_log_based_event(telemetry: Telemetry) -> None:
    """A `log-based event` whose `event_name` begins with `analytics.` is the event that the rest names."""
    telemetry.logger.emit(event_name="analytics.receipt_sent", attributes={"analytics.channel": "mail"})
    assert telemetry.only["event"] == "receipt_sent"
    assert telemetry.only["properties"]["channel"] == "mail"


def test_row_log_record(telemetry: Telemetry) -> None:
    """A `log record` with `analytics.event`, whatever its body, is the event that the value names."""
    telemetry.logger.emit(body="order by Ludwig", attributes={"analytics.event": "order_logged"})
    assert telemetry.only["event"] == "order_logged"
    assert "Ludwig" not in str(telemetry.only)


def test_row_logging(telemetry: Telemetry) -> None:
    """A line of `logging` with `extra={"analytics.event": ...}` is an event, and stays a line of text."""
    telemetry.log.warning("order by %s", "Ludwig", extra={"analytics.event": "order_logged", "analytics.n": 3})
    assert (telemetry.only["event"], telemetry.only["properties"]["n"]) == ("order_logged", 3)
    (line,) = telemetry.logs.get_finished_logs()
    assert line.log_record.body == "order by Ludwig"
    assert not [key for key in line.log_record.attributes or {} if key.startswith("analytics.")]


def test_row_span(telemetry: Telemetry) -> None:
    """A `span` with `analytics.event`, also one that is set after its start, is the event that the value names."""
    with telemetry.tracer.start_as_current_span("create ticket") as span:
        span.set_attribute("analytics.event", "ticket_created")
    assert telemetry.only["event"] == "ticket_created"


def test_row_span_event(telemetry: Telemetry) -> None:
    """A `span event` is one by its name or by `analytics.event`, also on a span that is none."""
    with telemetry.tracer.start_as_current_span("pay") as span:
        span.add_event("analytics.coupon_used", {"analytics.code": "SPRING"})
        span.add_event("marked", {"analytics.event": "gift_chosen"})
        span.add_event("cache.miss")
    assert telemetry.names == ["coupon_used", "gift_chosen"]


def test_row_derive() -> None:
    """A `derive` rule makes an event of a span or log record that carries no mark; only a policy can have one."""
    text = "derive: [{name: r, event: page_failed, when: {status: [error], attributes: {http.route: {equals: /x}}}}]"
    rules = Recogniser(parse_policy(text, source="policy.yaml"))
    error = SpanRecord("GET", {"http.route": "/x"}, 1, 1, 2, (), "", {}, kind="SERVER", status_code="ERROR")
    assert [each.name for each in record_signals(error, rules)] == ["page_failed"]
    assert record_signals(error, Recogniser(Policy())) == []


def test_row_several_events(telemetry: Telemetry) -> None:
    """One span may yield `several events`: its own, its span events, an alias, a group's update; each a uuid."""
    attributes: dict[str, Any] = {
        "analytics.event": "signed_up",
        "analytics.user.id": "u1",
        "analytics.user.alias": "visitor-1",
        "analytics.group.company": "acme",
        "analytics.group.set.company.size": 5,
    }
    with telemetry.tracer.start_as_current_span("sign up", attributes=attributes) as span:
        span.add_event("analytics.plan_chosen", {"analytics.plan": "pro"})
    assert telemetry.names == ["signed_up", "$create_alias", "$groupidentify", "plan_chosen"]
    assert len({each["uuid"] for each in telemetry.events}) == 4


def test_row_capture(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event of `capture()` leaves at once, before the span around it ends, and belongs to its trace."""
    telemetry.use_for_capture(monkeypatch)
    with telemetry.tracer.start_as_current_span("op") as span:
        capture("ticket_viewed")
        assert telemetry.only["properties"]["$trace_id"] == f"{span.get_span_context().trace_id:032x}"


def test_row_operational(telemetry: Telemetry) -> None:
    """What is `none of these` is operational: it is not sent, whatever its name or attributes."""
    telemetry.span("analytics.event", user__id="u1", analyticsx__event="e")
    telemetry.logger.emit(body="analytics.event", event_name="analytics", attributes={"user.id": "u1"})
    assert telemetry.events == []


def test_row_a_span_is_stripped_and_never_withheld(telemetry: Telemetry) -> None:
    """On the operational side `a span` goes on without product attributes and product span events."""
    with telemetry.tracer.start_as_current_span("op", attributes={"analytics.event": "e", "http.route": "/t"}) as span:
        span.add_event("analytics.viewed")
        span.add_event("cache.miss")
    (exported,) = telemetry.spans.get_finished_spans()
    assert (exported.name, dict(exported.attributes or {})) == ("op", {"http.route": "/t"})
    assert [each.name for each in exported.events] == ["cache.miss"]


def test_row_a_product_only_log_record_is_withheld(telemetry: Telemetry) -> None:
    """On the operational side `a product-only log record` does not arrive."""
    telemetry.logger.emit(event_name="analytics.e", body="text")
    telemetry.logger.emit(attributes={"analytics.event": "e"})
    telemetry.logger.emit(body="a line")
    assert [each.log_record.body for each in telemetry.logs.get_finished_logs()] == ["a line"]


def test_the_bridge_is_a_real_provider(telemetry: Telemetry) -> None:
    """Nothing in these tests stands in for the SDK."""
    assert type(telemetry.logger_provider) is LoggerProvider
