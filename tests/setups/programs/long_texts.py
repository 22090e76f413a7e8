"""Gives each span one attribute of 128,000 characters, and tells how long it then takes to end.

Arguments: what the texts are made of. The last line is the time between the last statement and the end.
"""

from __future__ import annotations

import atexit
import sys
import time

ended_s: list[float] = []


@atexit.register  # asked first, so called last
def tell() -> None:
    """Tell how long the end took."""
    sys.stdout.write(f"exit took {time.monotonic() - ended_s[0]:.3f}\n")


SIZE = 128_000


def main() -> None:
    """Make the spans."""
    from opentelemetry import trace  # noqa: PLC0415 - it registers what ends at exit
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    import otel_posthog  # noqa: PLC0415

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    otel_posthog.configure()
    for part in sys.argv[1:]:
        with trace.get_tracer("long").start_as_current_span("work") as span:
            span.set_attribute("note", part * (SIZE // len(part)))
    ended_s.append(time.monotonic())


main()
