"""The package's own metrics, exported with the app's: how many events came, went, were dropped and why.

No user data and bounded cardinality: outcomes, reasons, rules and actions are fixed identifiers, never keys or values;
revisions of the policy are few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation

from otel_posthog.health import Health, Level


def instrument(provider: MeterProvider, health: Health) -> None:
    """Create `otel_posthog.events`, `.privacy.actions`, `.queue.size`, `.delivery.duration` and `.spool.*`."""
    meter = provider.get_meter("otel_posthog")

    def events(_: CallbackOptions) -> Iterable[Observation]:
        for (outcome, reason, policy), amount in health.by_policy().items():
            yield Observation(amount, {"outcome": outcome, "reason": reason, "policy": policy})

    def actions(_: CallbackOptions) -> Iterable[Observation]:
        for (rule, action), amount in health.actions().items():
            yield Observation(amount, {"rule": rule, "action": action})

    def queue_sizes(_: CallbackOptions) -> Iterable[Observation]:
        for name, size_bytes in health.read_gauges().items():
            yield Observation(size_bytes, {"queue": name})

    meter.create_observable_counter(
        "otel_posthog.events", [events], unit="{event}", description="Product events by outcome, reason and policy"
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
    _instrument_spools(meter, health)
    health.on_delivery(lambda duration_s, outcome: duration.record(duration_s, {"outcome": outcome}))


def _instrument_spools(meter: Meter, health: Health) -> None:
    """Create the gauges of what waits on disk, by destination."""

    def reading(value: Callable[[Level], float]) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def read(_: CallbackOptions) -> Iterable[Observation]:
            for destination, level in health.read_spools().items():
                yield Observation(value(level), {"destination": destination})

        return read

    meter.create_observable_gauge(
        "otel_posthog.spool.size", [reading(lambda level: level.size_bytes)], unit="By", description="Size of the spool"
    )
    meter.create_observable_gauge(
        "otel_posthog.spool.events",
        [reading(lambda level: level.events)],
        unit="{event}",
        description="Events in the spool that PostHog does not have yet",
    )
    meter.create_observable_gauge(
        "otel_posthog.spool.oldest_age",
        [reading(lambda level: level.oldest_age_s)],
        unit="s",
        description="How long the oldest event in the spool has waited",
    )
