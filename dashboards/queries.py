"""Parts of queries that dashboards and alerts have in common: what is asked of which series, and over which time.

A counter of ours begins with its first value, of which `rate` and `increase` see nothing: what came since a process
started, or since a reason first occurred, is told by `gained` instead.
"""

from __future__ import annotations

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


def quantile(share: float, histogram: str, by: str = "", window: str = RATE) -> str:
    """Return a quantile of what was recorded within a window."""
    labels = ", ".join(filter(None, ["le", by]))
    return f"histogram_quantile({share}, sum by ({labels}) (rate({of(histogram)}[{window}])))"
