"""The contenders: the SDK alone, with otel-posthog, and posthog-python's own client, as the same few operations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Tracer
from posthog.client import Client

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.intake import Lift
from otel_posthog.operational import Redactor
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Policy
from otel_posthog.privacy import Filter
from otel_posthog.setup.providers import attach_tracing
from otel_posthog.testing import FakePostHog

Operation = Callable[[], None]

PROPERTIES: dict[str, str | int | bool] = {
    "priority": "high",
    "channel": "web",
    "plan": "team",
    "attachments": 2,
    "is_first": True,
    "words": 31,
}
EVENT, SPAN_NAME = "ticket_created", "create ticket"
PRODUCT_ATTRIBUTES: dict[str, str | int | bool] = {
    "analytics.event": EVENT,
    **{f"analytics.property.{name}": value for name, value in PROPERTIES.items()},
}
OPERATIONAL_ATTRIBUTES: dict[str, str | int | bool] = {f"ticket.{name}": value for name, value in PROPERTIES.items()}


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to make spans or events.

    Attributes:
        name: As the tables call it.
        summary: What it is.
        product: Makes one product span, or event.
        operational: Makes one operational span; None for a contender that makes none.
        settle: Waits until its other threads have done what was handed to them.
    """

    name: str
    summary: str
    product: Operation
    operational: Operation | None
    settle: Operation


def span_maker(tracer: Tracer, attributes: dict[str, str | int | bool]) -> Operation:
    """Return what starts and ends one span with `attributes`."""
    start_span = tracer.start_span

    def make_span() -> None:
        start_span(SPAN_NAME, attributes=attributes).end()

    return make_span


SETTLE_TIMEOUT_S = 5.0
# A server that refuses never gets anything: this is for the worker, which cleans the events before delivery.
REFUSED_SETTLE_TIMEOUT_S = 0.1
CLOSE_TIMEOUT_S = 0.1

SDK, SDK_AGAIN, NO_OP = "sdk", "sdk again", "sdk, no-op processor"
OURS, OURS_REFUSED, CAPTURE = "otel-posthog", "otel-posthog, refused", "posthog capture()"


class NullExporter(SpanExporter):
    """Throws spans away."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the base's signature
        """Report success."""
        return SpanExportResult.SUCCESS


def contenders(stack: ExitStack) -> tuple[Contender, ...]:
    """Return all of them; what they started ends with `stack`."""
    working = stack.enter_context(FakePostHog())
    refusing = stack.enter_context(FakePostHog())
    refusing.stop()
    logging.getLogger("otel_posthog").setLevel(logging.CRITICAL)  # that nothing gets through is what is asked for
    return (
        _sdk(SDK, "TracerProvider and BatchSpanProcessor, without otel-posthog", stack),
        _sdk(SDK_AGAIN, "the same once more: the control, whose difference to `sdk` is noise", stack),
        _sdk(NO_OP, "the same with one more span processor, which does nothing", stack, SpanProcessor()),
        _ours(OURS, "the same with otel-posthog, PostHog takes every event", stack, working, SETTLE_TIMEOUT_S),
        _ours(OURS_REFUSED, "the same, connections are refused", stack, refusing, REFUSED_SETTLE_TIMEOUT_S),
        _capture(stack, working),
    )


def _provider(stack: ExitStack) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(NullExporter()))
    stack.callback(provider.shutdown)
    return provider


def _of(provider: TracerProvider, name: str, summary: str, settle: Operation) -> Contender:
    tracer = provider.get_tracer("benchmarks")
    makers = span_maker(tracer, PRODUCT_ATTRIBUTES), span_maker(tracer, OPERATIONAL_ATTRIBUTES)
    return Contender(name, summary, *makers, settle)


def _sdk(name: str, summary: str, stack: ExitStack, processor: SpanProcessor | None = None) -> Contender:
    provider = _provider(stack)
    if processor is not None:
        provider.add_span_processor(processor)

    def settle() -> None:
        provider.force_flush()

    return _of(provider, name, summary, settle)


def _ours(name: str, summary: str, stack: ExitStack, server: FakePostHog, settle_timeout_s: float) -> Contender:
    """Return the SDK with otel-posthog attached as set-up attaches it."""
    policy = Policy().with_credentials(server.api_key, server.url)
    # Room for everything, so that a long run against a refusing server does not measure dropping.
    policy = replace(policy, delivery=replace(policy.delivery, max_buffer_bytes=2**30))
    health = Health()
    guard = Guard(health)
    pipeline = Pipeline(policy, installation_id="benchmark", health=health, guard=guard)
    provider = _provider(stack)
    redactor = Redactor(policy.operational, Filter(policy.privacy), guard)
    attach_tracing(provider, redactor, guard, pipeline=pipeline, lift=Lift.ALL)
    # Before the provider's own shutdown, which would wait for the server that refuses.
    stack.callback(pipeline.shutdown, CLOSE_TIMEOUT_S)

    def settle() -> None:
        provider.force_flush(int(settle_timeout_s * 1000))

    return _of(provider, name, summary, settle)


def _capture(stack: ExitStack, server: FakePostHog) -> Contender:
    client = Client(server.api_key, host=server.url, sync_mode=False)
    stack.callback(client.shutdown)

    def capture() -> None:
        client.capture(EVENT, distinct_id="benchmark", properties=PROPERTIES)

    summary = "posthog-python's Client.capture() of the same event alone, no span"
    return Contender(CAPTURE, summary, capture, None, client.flush)
