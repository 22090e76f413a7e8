"""The process that comes after: it emits nothing of its own, and delivers what others left.

It is run as `python -m benchmarks.faults.adopter HOST` and ends with its standard input.
"""

from __future__ import annotations

import sys

from opentelemetry.sdk.trace import TracerProvider

import otel_posthog


def main(host: str) -> None:
    """Deliver until told to end."""
    otel_posthog.configure(api_key="phc_test", host=host, tracer_provider=TracerProvider(shutdown_on_exit=False))
    sys.stdin.read()
    otel_posthog.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
