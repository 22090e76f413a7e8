"""The package's own metrics, exported with the app's: how many events came, went, were dropped and why.

No user data and bounded cardinality: outcomes, reasons, rules and actions are fixed identifiers, never keys or values;
revisions of the policy are few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation

from otel_posthog.health import Health, Level

# The semantic conventions' advice for requests, and what a time-out takes.
_DURATIONS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 15, 30]
# From a batch that goes at once to one that an outage of a day has held up.
_LATENCIES_S = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400]


def instrument(provider: MeterProvider, health: Health) -> None:
    """Create `otel_posthog.events` and by name, `.privacy.actions`, `.queue.size`, `.delivery.*` and `.spool.*`."""
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
        "otel_posthog.delivery.duration",
        unit="s",
        description="Duration of one attempt to send a batch",
        explicit_bucket_boundaries_advisory=_DURATIONS_S,
    )
    latency = meter.create_histogram(
        "otel_posthog.delivery.latency",
        unit="s",
        description="Age of the oldest event of a batch as it arrived",
        explicit_bucket_boundaries_advisory=_LATENCIES_S,
    )
    _instrument_names(meter, health)
    _instrument_spools(meter, health)
    health.on_delivery(lambda duration_s, outcome: duration.record(duration_s, {"outcome": outcome}))
    health.on_latency(lambda age_s, destination: latency.record(age_s, {"destination": destination}))


def _instrument_names(meter: Meter, health: Health) -> None:
    """Create the counter of events by name, which has something to tell where the policy says so."""

    def named(_: CallbackOptions) -> Iterable[Observation]:
        for (name, route, destination), amount in health.named().items():
            of_route = {"http.route": route} if route else {}
            yield Observation(amount, {"event.name": name, "destination": destination, **of_route})

    meter.create_observable_counter(
        "otel_posthog.events.by_name", [named], unit="{event}", description="Product events by name and route"
    )


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
