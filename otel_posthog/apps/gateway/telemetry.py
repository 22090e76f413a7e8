"""The gateway's own telemetry: its metrics, over OTLP where the environment names an endpoint, and fewer log lines.

`http.server.request.duration` and `rpc.server.call.duration` are the semantic conventions'
(https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ and /rpc/rpc-metrics/); the rest is as in an app
(`docs/delivery.md`), with `otel_posthog.gateway.items` on top. What servers log for each request is written once a
minute: senders would otherwise decide how often.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping

from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from otel_posthog.apps.gateway.responses import ExportOutcome
from otel_posthog.errors import ConfigurationError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
SERVICE_NAME = "otel-posthog-gateway"
# The semantic conventions' advice for both durations.
_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
_LOG_PERIOD_S = 60.0
_LOGGERS = ("uvicorn.error", "asyncio", "grpc", "otel_posthog.gateway.backend")


class Telemetry:
    """Counts what the gateway does.

    Args:
        provider: Where the instruments are made.
    """

    def __init__(self, provider: MeterProvider) -> None:
        meter = provider.get_meter("otel_posthog.gateway")
        self._duration = meter.create_histogram(
            "http.server.request.duration",
            unit="s",
            description="Duration of HTTP server requests.",
            explicit_bucket_boundaries_advisory=_BUCKETS_S,
        )
        self._calls = meter.create_histogram(
            "rpc.server.call.duration",
            unit="s",
            description="Duration of incoming remote procedure calls.",
            explicit_bucket_boundaries_advisory=_BUCKETS_S,
        )
        self._items = meter.create_counter(
            "otel_posthog.gateway.items", unit="{item}", description="Spans and log records by what became of them"
        )

    def request(self, path: str, status: int, duration_s: float) -> None:
        """Count an HTTP request; `path` is one of the few that there are."""
        about: dict[str, str | int] = {
            "http.request.method": "POST",
            "http.route": path,
            "http.response.status_code": status,
            "url.scheme": "http",
        }
        self._duration.record(duration_s, about)

    def call(self, method: str, status: str, duration_s: float) -> None:
        """Count a gRPC call; `status` is a code's name (`OK`, `UNAVAILABLE`)."""
        about = {"rpc.system.name": "grpc", "rpc.method": method, "rpc.response.status_code": status}
        self._calls.record(duration_s, about)

    def exported(self, outcome: ExportOutcome) -> None:
        """Count the items of a request."""
        if not outcome.is_kept:
            self._items.add(outcome.items, {"outcome": "refused", "reason": "not_kept"})
            return
        product = outcome.items - outcome.operational
        for name, number in (("product", product), ("operational", outcome.operational)):
            if number:
                self._items.add(number, {"outcome": name, "reason": ""})
        for reason, number in outcome.rejected.items():
            self._items.add(number, {"outcome": "rejected", "reason": reason})


def check_meter_provider(environ: Mapping[str, str]) -> None:
    """Look at what `meter_provider` will read, without a connection.

    Raises:
        ConfigurationError: The SDK cannot work with one of its variables.
    """
    if not _is_exported(environ):
        return
    try:
        SdkMeterProvider(shutdown_on_exit=False)
    except ValueError as error:
        raise ConfigurationError(f"OpenTelemetry cannot start with its OTEL_* variables: {error}") from error


def _is_exported(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name, "").strip() for name in ENDPOINTS)


def meter_provider(environ: Mapping[str, str]) -> MeterProvider:
    """Return a provider that exports over OTLP/HTTP, or one that does nothing where no endpoint is named."""
    if not _is_exported(environ):
        return NoOpMeterProvider()
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415 - only where it is wanted
        OTLPMetricExporter,
    )

    resource = Resource.create({} if environ.get("OTEL_SERVICE_NAME") else {"service.name": SERVICE_NAME})
    return SdkMeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)


class OncePerMinute(logging.Filter):
    """Lets one log line of a kind through in a minute; the next one says how many it stands for.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._next: dict[str, float] = {}
        self._left_out: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether `record` is to be written."""
        # The message before anything is put into it: one kind for each place in the code.
        kind, now = f"{record.pathname}:{record.lineno}", self._clock()
        if now < self._next.get(kind, 0.0):
            self._left_out[kind] += 1
            return False
        self._next[kind] = now + _LOG_PERIOD_S
        left_out = self._left_out.pop(kind, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} more like it)", ()
        return True


def limit_log_lines() -> None:
    """Limit what the servers log to one line of a kind in a minute."""
    limit = OncePerMinute()
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(limit)
