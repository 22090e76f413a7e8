"""The package's own metrics: what they say of latency and, where the policy lets them, of names; bounded, filtered."""

from __future__ import annotations

import time
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

import otel_posthog
from otel_posthog import Policy, configure
from otel_posthog.health import MAX_NAMED
from otel_posthog.policy import Destination, IdentityMode, OperationalPolicy
from otel_posthog.setup import configure as module
from otel_posthog.testing import FakePostHog


class App:
    """A program with metrics that is configured with a policy."""

    def __init__(self, posthog: FakePostHog, **policy: Any) -> None:
        self.reader = InMemoryMetricReader()
        meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.traces = TracerProvider(shutdown_on_exit=False)
        destinations = (Destination(api_key="phc_test", host=posthog.url),)
        configure(
            policy=Policy(destinations=destinations, **policy).with_identity(IdentityMode.IDENTIFIED),
            meter_provider=meters,
            tracer_provider=self.traces,
        )

    def span(self, **attributes: Any) -> None:
        """Make an event of a span; `_` in a key stands for a dot."""
        given = {key.replace("_", "."): value for key, value in attributes.items()}
        self.traces.get_tracer("t").start_span("op", attributes=given).end()

    def flush(self) -> None:
        """Wait until all is delivered."""
        assert otel_posthog.flush(10)

    def points(self, name: str) -> list[Any]:
        """Return the points of one metric."""
        self.flush()
        data = self.reader.get_metrics_data()
        found = [] if data is None else data.resource_metrics
        return [
            point
            for each in found
            for scope in each.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def named(self) -> dict[tuple[str, Any], int]:
        """Return (event, route) -> count."""
        points = self.points("otel_posthog.events.by_name")
        return {(each.attributes["event.name"], each.attributes.get("http.route")): each.value for each in points}


pytestmark = pytest.mark.usefixtures("not_set_up")


def test_no_name_of_an_event_is_among_metrics_unless_the_policy_says_so(fake_posthog: FakePostHog) -> None:
    """The operational side has no product data, names of events included."""
    app = App(fake_posthog)
    app.span(analytics_event="order_placed", http_route="/orders")
    assert app.named() == {}
    assert "order_placed" not in app.reader.get_metrics_data().to_json()  # type: ignore[union-attr]


def test_events_are_counted_by_the_name_and_route_that_are_sent(fake_posthog: FakePostHog) -> None:
    """By plan and without, and for no event that is dropped; what the filters take off is in no metric."""
    app = App(fake_posthog, operational=OperationalPolicy(event_names=True))
    for _ in range(4):
        app.span(analytics_event="order_placed", http_route="/orders/{id}")
    app.span(analytics_event="order_placed", analytics_consent=False)
    app.span(analytics_event="mail to ada@example.org", http_route="/of/ada@example.org")
    app.span(analytics_event="seen")
    named = app.named()
    running = module.running()
    assert running is not None
    assert "ada@" not in f"{named} {running.health.named()}"
    assert len(fake_posthog.unique_events) == 6
    sent = {each.event for each in fake_posthog.unique_events}
    assert {name for name, _ in named} == sent
    assert named["order_placed", "/orders/{id}"] == 4
    assert named["seen", None] == 1


def test_names_are_bounded(fake_posthog: FakePostHog) -> None:
    """A name for each user must not make a series for each."""
    app = App(fake_posthog, operational=OperationalPolicy(event_names=True))
    for number in range(MAX_NAMED + 50):
        app.span(analytics_event=f"order_{'abcdefghij'[number % 10]}_{number}")
    named = app.named()
    assert len(named) == MAX_NAMED + 1
    assert named["other", None] == 50
    assert sum(named.values()) == MAX_NAMED + 50


def test_latency_is_the_age_of_the_oldest_event_of_a_batch(fake_posthog: FakePostHog) -> None:
    """One that waited an hour is an hour late, whatever came with it."""
    app = App(fake_posthog)
    app.span(analytics_event="e", analytics_timestamp=time.time_ns() - 3600 * 10**9)
    app.flush()
    (point,) = app.points("otel_posthog.delivery.latency")
    assert 3600 <= point.max < 3660
    assert dict(point.attributes) == {"destination": "default"}
