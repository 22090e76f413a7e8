"""The package's own metrics, exported with the app's: how many events came, went, were dropped and why.

No user data and bounded cardinality: outcomes, reasons, rules and actions are fixed identifiers, never keys or values.
"""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from otel_posthog.health import Health


def instrument(provider: MeterProvider, health: Health) -> None:
    """Create `otel_posthog.events`, `.privacy.actions`, `.queue.size` and `.delivery.duration` on `provider`."""
    meter = provider.get_meter("otel_posthog")

    def events(_: CallbackOptions) -> Iterable[Observation]:
        for (outcome, reason), amount in health.snapshot().items():
            yield Observation(amount, {"outcome": outcome, "reason": reason})

    def actions(_: CallbackOptions) -> Iterable[Observation]:
        for (rule, action), amount in health.actions().items():
            yield Observation(amount, {"rule": rule, "action": action})

    def queue_sizes(_: CallbackOptions) -> Iterable[Observation]:
        for name, size_bytes in health.read_gauges().items():
            yield Observation(size_bytes, {"queue": name})

    meter.create_observable_counter(
        "otel_posthog.events", [events], unit="{event}", description="Product events by outcome and reason"
    )
    meter.create_observable_counter(
        "otel_posthog.privacy.actions", [actions], unit="{action}", description="What privacy rules did to properties"
    )
    meter.create_observable_gauge(
        "otel_posthog.queue.size", [queue_sizes], unit="By", description="Bytes that wait, by queue"
    )
    duration = meter.create_histogram(
        "otel_posthog.delivery.duration", unit="s", description="Duration of one attempt to send a batch"
    )
    health.on_delivery(lambda duration_s, outcome: duration.record(duration_s, {"outcome": outcome}))
