"""A program that uses every public name, as its author would: mypy checks it strictly, and a test runs it.

Arguments: the PostHog host. It prints what it can only find out while it runs.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from uuid import UUID

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from typing_extensions import assert_type

import otel_posthog
from otel_posthog import AnalyticsEvents, Policy
from otel_posthog.policy import Destination, IdentityMode
from otel_posthog.privacy import sanitize_properties, sanitize_properties_with_receipt, should_collect

USER = UUID("019b7ca7-d388-7000-8000-000000000001")


def set_up(host: str) -> Policy:
    """Set up in one call, and refuse what cannot be meant."""
    trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False))
    _logs.set_logger_provider(LoggerProvider(shutdown_on_exit=False))
    metrics.set_meter_provider(MeterProvider(shutdown_on_exit=False))
    try:
        otel_posthog.configure(policy=Policy(trace_url="{user}"))
    except otel_posthog.PolicyError as error:
        assert_type(error.line, int)
        assert_type(error.fix, str)
    try:
        otel_posthog.configure(host="eu.posthog")
    except otel_posthog.ConfigurationError as error:
        assert_type(str(error), str)
    policy = Policy(identity=IdentityMode.IDENTIFIED, destinations=(Destination(host=host),))
    otel_posthog.configure(policy=policy, api_key="phc_test", tracer_provider=trace.get_tracer_provider())
    otel_posthog.auto_configure()
    return policy


def emit() -> None:
    """Say everything that there is a function for."""
    found = otel_posthog.create_event_properties(
        AnalyticsEvents.SEARCH_PERFORMED, query_length=7, result_count=3, duration_ms=timedelta(milliseconds=41)
    )
    at = datetime.now(timezone.utc)
    assert_type(otel_posthog.capture(AnalyticsEvents.SEARCH_PERFORMED, found, distinct_id=USER, timestamp=at), str)
    assert_type(otel_posthog.capture("label_printed", {"label_count": 3}, groups={"company": 5}, session_id="s"), str)
    with otel_posthog.user_context(USER, session_id=USER, groups={"company": 5}, consent=True):
        assert_type(otel_posthog.identify(4711, {"plan": "pro"}), str)
        assert_type(otel_posthog.set(properties={"seats": 3}), str)
        assert_type(otel_posthog.set_once(USER, {"source": "ads"}, uuid=USER), str)
        assert_type(otel_posthog.alias("visitor-1"), str)
        assert_type(otel_posthog.group_identify("company", 5, {"size": 2}), str)
        assert_type(otel_posthog.set_user(USER, session_id=USER, groups={"company": 5}, consent=True), bool)
        with trace.get_tracer(__name__).start_as_current_span("s", attributes={"analytics.event": "spanned"}):
            assert_type(otel_posthog.set_user_source(lambda: USER, lambda: USER), bool)
    with otel_posthog.journey("onboarding", id="way-1", steps=["profile"], distinct_id=USER) as way:
        assert_type(way, otel_posthog.Journey)
        assert_type(otel_posthog.current_journey(), otel_posthog.Journey)
        with way.step("profile"):
            pass


def put_together_by_hand() -> None:
    """Use the components by themselves."""
    provider = TracerProvider(sampler=otel_posthog.AnalyticsSampler(ALWAYS_OFF, "marked"), shutdown_on_exit=False)
    provider.add_span_processor(otel_posthog.AnalyticsSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(otel_posthog.OperationalSpanExporter(InMemorySpanExporter())))
    provider.add_span_processor(SimpleSpanProcessor(otel_posthog.PostHogSpanExporter(policy="policy.yaml")))
    logs = LoggerProvider(shutdown_on_exit=False)
    logs.add_log_record_processor(otel_posthog.AnalyticsLogRecordProcessor())
    redacting = otel_posthog.OperationalLogRecordExporter(ConsoleLogRecordExporter())
    logs.add_log_record_processor(SimpleLogRecordProcessor(redacting))
    logs.add_log_record_processor(SimpleLogRecordProcessor(otel_posthog.PostHogLogRecordExporter()))
    otel_posthog.OperationalMetricExporter(ConsoleMetricExporter())


def decide(policy: Policy) -> None:
    """Ask, choose, clean, replace."""
    assert_type(otel_posthog.notice_text(), str)
    assert_type(should_collect(), bool)
    assert_type(sanitize_properties({"note": "mail jo@example.org"}), dict[str, object])
    clean, receipt = sanitize_properties_with_receipt({"note": "mail jo@example.org"}, policy, event="noted")
    sys.stdout.write(f"{clean} {receipt}\n")
    assert_type(otel_posthog.replace_policy(policy), bool)
    sys.stdout.write(f"flushed {assert_type(otel_posthog.flush(timeout_s=20), bool)}\n")
    assert_type(otel_posthog.set_collection(False), bool)
    assert_type(otel_posthog.shutdown(timeout_s=5), bool)


def refused_by_a_type_checker() -> None:
    """Never called: each line is a mistake, and an unused `ignore` would be one too."""
    otel_posthog.create_event_properties(AnalyticsEvents.SEARCH_PERFORMED, query="printer")  # type: ignore[call-overload]
    otel_posthog.create_event_properties(AnalyticsEvents.SEARCH_PERFORMED, query_length="7")  # type: ignore[call-overload]
    otel_posthog.capture("e", None, "u1")  # type: ignore[call-arg]
    otel_posthog.configure("policy.yaml")  # type: ignore[call-arg]
    otel_posthog.user_context(consent="no")  # type: ignore[arg-type]
    otel_posthog.set_user(consent="no")  # type: ignore[arg-type]
    otel_posthog.set_collection()  # type: ignore[call-arg]
    otel_posthog.no_such_name()  # type: ignore[attr-defined]


if __name__ == "__main__":
    in_force = set_up(sys.argv[1])
    emit()
    put_together_by_hand()
    decide(in_force)
