"""Sets the SDK up by hand, or has logfire do it, in one order or another with `configure()`; then works.

Argument: the case. It prints `done` on its last line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial

from opentelemetry import _logs, metrics, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from product import MAIL, work

import otel_posthog


def spans(sampler: Sampler = ALWAYS_ON) -> None:
    """Make and set a tracer provider."""
    provider = TracerProvider(sampler=sampler)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def logs() -> None:
    """Make and set a logger provider."""
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    _logs.set_logger_provider(provider)


def sdk(sampler: Sampler = ALWAYS_ON) -> None:
    """Make and set all three providers."""
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))
    spans(sampler)
    logs()


def logfire() -> None:
    """Have logfire make the providers; it puts proxies in front of them."""
    import logfire  # noqa: PLC0415 - takes long, and only one case has it

    logfire.configure(send_to_logfire=False, console=False, inspect_arguments=False)


def phoenix() -> None:
    """Have Arize Phoenix make the tracer provider, which drops its exporter when a processor is added."""
    from phoenix.otel import register  # noqa: PLC0415 - as logfire

    endpoint = f"{os.environ['OTEL_EXPORTER_OTLP_ENDPOINT']}/v1/traces"
    register(endpoint=endpoint, protocol="http/protobuf", verbose=False)


def early(sampler_is_set_first: bool) -> trace.Tracer:
    """Make a tracer before the package is set up, and before or after the SDK is."""
    if sampler_is_set_first:
        sdk(ALWAYS_OFF)
    tracer = trace.get_tracer("early")
    otel_posthog.configure()
    if not sampler_is_set_first:
        sdk(ALWAYS_OFF)
    return tracer


CASES: dict[str, list[Callable[[], object]]] = {
    "before": [sdk, otel_posthog.configure],
    "after": [otel_posthog.configure, sdk],
    "early": [partial(early, sampler_is_set_first=True)],
    "early-after": [partial(early, sampler_is_set_first=False)],
    "twice": [sdk, otel_posthog.configure, otel_posthog.configure],
    "no-sdk": [otel_posthog.configure],
    "no-logger": [spans, otel_posthog.configure],
    "logfire-before": [logfire, otel_posthog.configure],
    "logfire-after": [otel_posthog.configure, logfire],
    "phoenix-before": [phoenix, logs, otel_posthog.configure],
    "phoenix-after": [otel_posthog.configure, phoenix, logs],
    "logfire-again": [logfire, otel_posthog.configure, logfire],
}


def main() -> None:
    """Set up, work three times, count a metric."""
    made = [step() for step in CASES[sys.argv[1]]]
    tracer = next((each for each in made if isinstance(each, trace.Tracer)), None)
    for number in range(3):
        work(number, tracer)
    metrics.get_meter("by_hand").create_counter("orders").add(1, {"customer": MAIL})
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
