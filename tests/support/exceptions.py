"""From a real recorded exception to what PostHog would get of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_posthog.clean import Cleaner
from otel_posthog.errors import DropEvent
from otel_posthog.health import Health
from otel_posthog.intake.signals import span_signals
from otel_posthog.model import Signal
from otel_posthog.policy import Destination, ExceptionMode, ExceptionPolicy, Policy
from otel_posthog.recogniser import Recogniser
from otel_posthog.translate import translate, with_exception


def recorded(raises: Callable[[], object], **attributes: Any) -> ReadableSpan:
    """Return the ended span, with `attributes`, that the exception of `raises()` ended."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    given = {key.replace("__", "."): value for key, value in attributes.items()}
    with suppress(Exception), provider.get_tracer("t").start_as_current_span("s", attributes=given):
        raises()
    (span,) = exporter.get_finished_spans()
    return span


def signals(span: ReadableSpan, policy: ExceptionPolicy) -> list[Signal]:
    """Return what `span` says under `policy`."""
    found = span_signals(span, span.attributes or {}, Recogniser(Policy(exceptions=policy)))
    return [signal._replace(trace_id=1, span_id=2, resource={}) for signal in found]


def sent(signal: Signal, mode: ExceptionMode) -> list[dict[str, Any]]:
    """Return the bodies that PostHog would get of `signal`."""
    return [json.loads(body) for body in bodies(signal, mode)]


def bodies(signal: Signal, mode: ExceptionMode) -> list[bytes]:
    """Return the same as bytes."""
    policy = Policy(destinations=(Destination(api_key="phc_test"),), exceptions=ExceptionPolicy(mode))
    cleaner = Cleaner(policy, installation_id="installation-1", health=Health())
    found: list[bytes] = []
    for event in with_exception(translate(signal, lambda _: None), signal, mode):
        with suppress(DropEvent):
            found.append(cleaner.clean(event, policy.destinations[0]).body)
    return found
