"""A distribution of OpenTelemetry as vendors make them: its own configurator, its own proxies around the providers."""

from __future__ import annotations

import sys
from typing import Any

import by_hand
from opentelemetry import trace
from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined]
from opentelemetry.sdk.trace import TracerProvider


class OtherDistro(BaseDistro):  # type: ignore[misc]
    """Says that it is there."""

    def _configure(self, **_: Any) -> None:
        sys.stdout.write("other distribution\n")


class Proxy(trace.TracerProvider):
    """Hands tracers of the SDK's provider on.

    Args:
        provider: The SDK's.
    """

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def get_tracer(self, *names: Any, **options: Any) -> trace.Tracer:
        """Return a tracer of the SDK's."""
        return self._provider.get_tracer(*names, **options)


class OtherConfigurator:
    """Makes the providers."""

    def configure(self, **_: Any) -> None:
        """Put a proxy in front of the tracer provider, and the others in place as they are."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(Proxy(provider))
        by_hand.logs()
