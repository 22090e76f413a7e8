"""Parts of queries that dashboards and alerts have in common: what is asked of which series, and over which time.

A counter of ours begins with its first value, of which `rate` and `increase` see nothing: what came since a process
started, or since a reason first occurred, is told by `gained` instead.
"""

from __future__ import annotations

from collections.abc import Callable

from otel_posthog.health import WANTED_DROPS

CHOSEN = 'job=~"$service", instance=~"$instance"'
"""The services and instances that the dashboard shows."""

RATE, SHOWN = "$__rate_interval", "$__range"

DECIDED = "|".join(sorted({*WANTED_DROPS, "catalog_event", "catalog_group"}))
"""Reasons of drops that the policy, the identity mode or the user has decided: nothing is lost by them."""


def of(metric: str, *conditions: str, chosen: str = CHOSEN) -> str:
    """Return the series of a metric."""
    return f"{metric}{{{', '.join(filter(None, [*conditions, chosen]))}}}"


def gained(series: str, window: str = SHOWN) -> str:
    """Return by how much each counter grew within a window, from 0 where it is younger; ended processes too."""
    top = f"max_over_time({series}[{window}])"
    return f"clamp_min({top} - ({series} offset {window} or {top} * 0), 0)"


def events(outcome: str, *conditions: str, chosen: str = CHOSEN) -> str:
    """Return the counts of what became of events."""
    return of("otel_posthog_events_total", f'outcome="{outcome}"', *conditions, chosen=chosen)


def lost(chosen: str = CHOSEN) -> str:
    """Return the counts of events that nobody decided to drop."""
    return events("dropped", f'reason!~"{DECIDED}"', chosen=chosen)


def of_collector(name: str, conditions: str = "") -> str:
    """Return a counter of a Collector's own, which it names without a suffix where Prometheus asks for it."""
    return f'{{__name__=~"otelcol_{name}(_total)?"{conditions}}}'


def given_from_kafka(asked: Callable[[str], str]) -> str:
    """Return what `asked` makes of the counts of what a Collector took out of Kafka and the gateway has, together."""
    # One by one: a function takes the names off, and spans and log records have the same labels.
    kinds = [of_collector(f"exporter_sent_{each}", _FROM_KAFKA) for each in ("spans", "log_records")]
    return " + ".join(f"(sum({asked(each)}) or vector(0))" for each in kinds)


_FROM_KAFKA = ', exporter=~".*/gateway_from_kafka"'


def quantile(share: float, histogram: str, by: str = "", window: str = RATE) -> str:
    """Return a quantile of what was recorded within a window."""
    labels = ", ".join(filter(None, ["le", by]))
    return f"histogram_quantile({share}, sum by ({labels}) (rate({of(histogram)}[{window}])))"
