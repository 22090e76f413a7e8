"""The gateway's own metrics, over OTLP where the environment names an endpoint.

`http.server.request.duration` and `rpc.server.call.duration` are the semantic conventions'
(https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ and /rpc/rpc-metrics/); the rest is as in an app
(`docs/delivery.md`), with `otel_posthog.gateway.items` on top.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from otel_posthog.apps.gateway.receiver import Taken

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
SERVICE_NAME = "otel-posthog-gateway"
# The semantic conventions' advice for both durations.
_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]


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

    def taken(self, taken: Taken) -> None:
        """Count the items of a request."""
        if not taken.is_kept:
            self._items.add(taken.items, {"outcome": "refused", "reason": "not_kept"})
            return
        product = taken.items - taken.operational
        for outcome, number in (("product", product), ("operational", taken.operational)):
            if number:
                self._items.add(number, {"outcome": outcome, "reason": ""})
        for reason, number in taken.rejected.items():
            self._items.add(number, {"outcome": "rejected", "reason": reason})


def meter_provider(environ: Mapping[str, str]) -> MeterProvider:
    """Return a provider that exports over OTLP/HTTP, or one that does nothing where no endpoint is named."""
    if not any(environ.get(name, "").strip() for name in ENDPOINTS):
        return NoOpMeterProvider()
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415 - only where it is wanted
        OTLPMetricExporter,
    )

    resource = Resource.create({} if environ.get("OTEL_SERVICE_NAME") else {"service.name": SERVICE_NAME})
    return SdkMeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
