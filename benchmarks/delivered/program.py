"""One contender as a program of its own: makes events, waits until they are delivered, prints what that took.

`python -m benchmarks.delivered.program NAME HOST EVENTS PER_SECOND` prints one JSON object. PER_SECOND 0 is back to
back; with `no-wait` behind it, nothing waits for a server that does not take them. All contenders make the same events;
those that start from spans make the spans too. `... receive PORT` is a server in the place of all of theirs.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from posthog.client import Client

import otel_posthog
from benchmarks.gateway_load.traffic import Receiver, receive
from benchmarks.report import percentile

EVENT = "order_submitted"
WARM_UP_EVENTS = 300
FLUSH_S = 60.0
# What a client keeps beyond its default, so that a server that hangs is not measured as dropping.
ROOM = 1_000_000

Value = str | int | float | bool
Make = Callable[[int], None]
Flush = Callable[[], object]


def properties(number: int) -> dict[str, Value]:
    """Return eleven properties: of seven, the value is another in some or all events."""
    return {
        "plan": "team",
        "items": number % 7,
        "total": 12.5 + number,
        "currency": "EUR",
        "is_first": number % 2 == 0,
        "shipping": "express delivery",
        "coupon": f"SPRING-{number % 25}",
        "page": f"/checkout/{number % 4}",
        "variant": f"button {number % 50} on the left",
        "method": "POST",
        "status": 200,
    }


def attributes(number: int) -> dict[str, Value]:
    """Return the same as attributes of a span that is a product event."""
    return {"analytics.event": EVENT, **{f"analytics.property.{key}": v for key, v in properties(number).items()}}


def span_maker(provider: TracerProvider, made: Callable[[int], dict[str, Value]]) -> Make:
    """Return what makes a span with the attributes of `made`."""
    tracer = provider.get_tracer("benchmarks")

    def make(number: int) -> None:
        with tracer.start_as_current_span(EVENT, attributes=made(number)):
            pass

    return make


def sdk(host: str) -> tuple[Make, Flush]:  # noqa: ARG001 - as the others
    """Return spans that nobody hears of."""
    return span_maker(TracerProvider(), attributes), lambda: None


def ours(host: str) -> tuple[Make, Flush]:
    """Return spans that otel-posthog hears of, as set-up attaches it."""
    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    otel_posthog.configure(api_key="phc_bench", host=host)
    return span_maker(provider, attributes), partial(otel_posthog.flush, FLUSH_S)


def otlp(host: str) -> tuple[Make, Flush]:
    """Return spans that go out over OTLP alone, with all their attributes."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return _exported(OTLPSpanExporter(f"{host}/v1/traces"), attributes)


def exporter(host: str) -> tuple[Make, Flush]:
    """Return span events that posthog-otel-exporter sends."""
    made = import_module("posthog_otel_exporter").PosthogSpanExporter("phc_bench", host)
    client = Client("phc_bench", host=host, max_queue_size=ROOM)
    vars(made)["_posthog_client"].shutdown()
    vars(made)["_posthog_client"] = client
    provider = TracerProvider()
    processor = BatchSpanProcessor(made, max_queue_size=ROOM)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("benchmarks")

    def make(number: int) -> None:
        with tracer.start_as_current_span("submit") as span:
            span.add_event(EVENT, properties(number))

    def flush() -> None:
        processor.force_flush()
        client.flush()

    return make, flush


def _exported(made: SpanExporter, of: Callable[[int], dict[str, Value]]) -> tuple[Make, Flush]:
    provider = TracerProvider()
    processor = BatchSpanProcessor(made, max_queue_size=ROOM)
    provider.add_span_processor(processor)
    return span_maker(provider, of), processor.force_flush


def capture(host: str, mode: str) -> tuple[Make, Flush]:
    """Return events of posthog-python's client, in a mode of its own; no spans."""
    client = Client("phc_bench", host=host, capture_mode=mode, max_queue_size=ROOM)

    def make(number: int) -> None:
        client.capture(EVENT, distinct_id="benchmark", properties=properties(number))

    return make, client.flush


CONTENDERS: dict[str, Callable[[str], tuple[Make, Flush]]] = {
    "sdk": sdk,
    "otel-posthog": ours,
    "posthog-python V1": partial(capture, mode="v1"),
    "posthog-python V0": partial(capture, mode="v0"),
    "posthog-otel-exporter": exporter,
    "OTLP": otlp,
}


def main(name: str, host: str, events: int, per_second: float, *, waits: bool) -> None:
    """Make the events and print one JSON object."""
    logging.disable(logging.CRITICAL)  # that a server refuses or hangs is what is asked for
    make, flush = CONTENDERS[name](host)
    for number in range(WARM_UP_EVENTS):
        make(number)
    if waits:
        flush()
    gc.collect()
    cpu_s, started = time.process_time(), time.perf_counter()
    times_us = emitted(make, events, per_second)
    if waits:
        flush()
    told = {
        "cpu_s": time.process_time() - cpu_s,
        "wall_s": time.perf_counter() - started,
        "p50_us": percentile(times_us, 0.5),
        "p99_us": percentile(times_us, 0.99),
        "peak_mib": peak_mib(),
    }
    print(json.dumps(told), flush=True)


def peak_mib() -> float:
    """Return the most memory that this program ever had; `getrusage` would tell that of who started it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def emitted(make: Make, events: int, per_second: float) -> list[float]:
    """Make the events at a pace; return what each took its thread, in microseconds."""
    times_us, clock = list[float](), time.perf_counter
    began = clock()
    for number in range(WARM_UP_EVENTS, WARM_UP_EVENTS + events):
        if per_second:
            due = began + (number - WARM_UP_EVENTS) / per_second
            while (left_s := due - clock()) > 0:
                time.sleep(left_s)
        before = clock()
        make(number)
        times_us.append((clock() - before) * 1e6)
    return times_us


class Counting(Receiver):
    """A server in the place of PostHog's and a Collector's."""

    def count(self, body: bytes) -> int:
        """Return how many events are in a request."""
        return body.count(EVENT.encode())


if __name__ == "__main__":
    if sys.argv[1] == "receive":
        receive(int(sys.argv[2]), Counting)
    else:
        waits = sys.argv[5:] != ["no-wait"]
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), waits=waits)
        if not waits:
            os._exit(0)
