"""A program that emits events and ends in a given way: `ends.py HOST (gevent|threads) (exit|shutdown|os_exit)`."""

from __future__ import annotations

import os
import sys

if sys.argv[2] == "gevent":
    from gevent import monkey  # type: ignore[import-untyped]

    monkey.patch_all()

from opentelemetry.sdk.trace import TracerProvider

import otel_posthog


def main() -> None:
    """Emit ten events and end."""
    provider = TracerProvider(shutdown_on_exit=False)
    otel_posthog.configure(api_key="phc_test", host=sys.argv[1], tracer_provider=provider)
    tracer = provider.get_tracer("ends")
    for _ in range(10):
        tracer.start_span("e", attributes={"analytics.event": "e"}).end()
    if sys.argv[3] == "shutdown":
        otel_posthog.shutdown()
    elif sys.argv[3] == "os_exit":
        os._exit(0)


if __name__ == "__main__":
    main()
