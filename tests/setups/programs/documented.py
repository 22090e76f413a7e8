"""Makes providers as OpenTelemetry's documentation shows it, then comes to us by one entrance, then forks and works.

Argument: the entrance, one of ENTRANCES. Each child prints the process id that its resource has; `done` is the last
line.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from product import work


def configure(_: TracerProvider) -> None:
    """Come by `configure()`."""
    import otel_posthog  # noqa: PLC0415 - the order is what is tried

    otel_posthog.configure()


def instrument(_: TracerProvider) -> None:
    """Come by the instrumentor."""
    from otel_posthog_instrumentation import PostHogInstrumentor  # noqa: PLC0415

    PostHogInstrumentor().instrument()


def add_components(provider: TracerProvider) -> None:
    """Come by the components."""
    from otel_posthog import AnalyticsSpanProcessor, OperationalSpanExporter  # noqa: PLC0415

    provider.add_span_processor(AnalyticsSpanProcessor())
    provider.add_span_processor(SimpleSpanProcessor(OperationalSpanExporter(InMemorySpanExporter())))


def add_exporter(provider: TracerProvider) -> None:
    """Come by the exporter."""
    from otel_posthog import PostHogSpanExporter  # noqa: PLC0415

    provider.add_span_processor(SimpleSpanProcessor(PostHogSpanExporter()))


def choose(_: TracerProvider) -> None:
    """Import what is nobody's set-up."""
    from otel_posthog import AnalyticsSampler, capture, flush, set_collection, user_context  # noqa: F401, PLC0415


ENTRANCES: dict[str, Callable[[TracerProvider], None]] = {
    "configure": configure,
    "instrumentor": instrument,
    "components": add_components,
    "exporter": add_exporter,
    "names": choose,
}


def child(number: int) -> None:
    """Work, and say what the resource says of the process."""
    work(number)
    # One write: children write at the same time.
    provider: Any = trace.get_tracer_provider()
    os.write(1, f"child {os.getpid()} {provider.resource.attributes.get('process.pid')}\n".encode())


def forked(number: int, then: Callable[[], None] = lambda: None) -> None:
    """Have a child work, and do one thing more in it."""
    pid = os.fork()
    if pid == 0:
        child(number)
        then()
        sys.exit(0)
    os.waitpid(pid, 0)


def main() -> None:
    """Make providers, come in, fork in every way."""
    provider = TracerProvider(resource=Resource(attributes={"service.name": "documented"}))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider(resource=Resource(attributes={"service.name": "documented"})))
    assert "concurrent.futures.thread" not in sys.modules, "the trap is not there: another import came first"
    ENTRANCES[sys.argv[1]](provider)
    forked(0)
    forked(1, lambda: forked(2))
    context: Any = multiprocessing.get_context("fork")
    process = context.Process(target=child, args=(3,))
    process.start()
    process.join()
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
