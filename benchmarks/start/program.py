"""One start, measured from inside: the SDK with OTLP first, then `import otel_posthog` and `configure()`; prints JSON.

Run with a fresh interpreter each time: `python program.py`. It speaks with the package through its public names only.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def resident_mb() -> float:
    """Return how much memory this process has; where there is no /proc, the most that it had."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 2**20


def set_up_the_sdk() -> None:
    """Make what an app has already: three providers that export over OTLP."""
    tracers, loggers = TracerProvider(), LoggerProvider()
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    trace.set_tracer_provider(tracers)
    set_logger_provider(loggers)
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))


def main() -> None:
    """Measure, print, and end without what a program does at its end."""
    set_up_the_sdk()
    before, memory = set(sys.modules), resident_mb()
    wall, cpu = time.perf_counter(), time.process_time()

    import otel_posthog  # noqa: PLC0415 - it is what is measured

    imported = time.process_time()
    otel_posthog.configure()
    ended = time.process_time()
    figures = {
        "wall_ms": (time.perf_counter() - wall) * 1e3,
        "cpu_ms": (ended - cpu) * 1e3,
        "configure_ms": (ended - imported) * 1e3,
        "memory_mb": resident_mb() - memory,
        "modules": len(set(sys.modules) - before),
    }
    print(json.dumps(figures), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
