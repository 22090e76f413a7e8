"""Counts what is sent by the names of events and the templates of their routes, for the app's own metrics.

Off until the policy says so (`operational.event_names`): the operational side has no product data otherwise. Only what
is sent is counted, so names and routes have passed the filters. Runs where events are cleaned.
"""

from __future__ import annotations

from collections.abc import Sequence

from otel_posthog.clean import Cleaner
from otel_posthog.health import MAX_NAMED, Health, Named
from otel_posthog.model import CleanEvent, Receipt, Signal
from otel_posthog.posthog.encoding import name_in

ROUTE = "http.route"


class EventNames:
    """Tells `health` the names of events that are to be sent.

    Args:
        cleaner: Says what of a route may leave towards a destination.
        health: Counts.
    """

    def __init__(self, cleaner: Cleaner, health: Health) -> None:
        self._health = health
        self._filters = {each.name: cleaner.filter_of(each) for each in cleaner.destinations}
        self._routes: dict[tuple[str, str], str] = {}

    def count(self, signal: Signal, made: Sequence[CleanEvent]) -> None:
        """Count the events that were made of `signal`."""
        route = signal.attributes.get(ROUTE) or signal.parent.get(ROUTE)
        for event in made:
            told = self._route(route, event.destination) if isinstance(route, str) else ""
            self._health.count_named(Named(name_in(event), told, event.destination))

    def _route(self, route: str, destination: str) -> str:
        """Return what of a route may leave; nothing where its key may not."""
        key = destination, route
        found = self._routes.get(key)
        if found is None:
            if len(self._routes) >= MAX_NAMED:
                self._routes.clear()
            filter_ = self._filters.get(destination)
            sent = filter_.telemetry({ROUTE: route}, Receipt(), None).get(ROUTE) if filter_ else None
            found = self._routes[key] = sent if isinstance(sent, str) else ""
        return found
