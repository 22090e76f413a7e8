"""Several destinations: each event to each, cleaned for it; one that is down delays no other."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from clean import QUICK, TIME_NS

from otel_posthog.errors import Guard
from otel_posthog.health import DROPPED, Health
from otel_posthog.model import Signal, Source
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import (
    Catalog,
    CatalogMode,
    Destination,
    EventSpec,
    FrozenMap,
    HitMethod,
    IdentityMode,
    Policy,
    PrivacyPolicy,
    PropertySpec,
)
from otel_posthog.testing import FakePostHog, Fault

MAIL = "ada.lovelace@example.org"


def signal(number: int, name: str = "e", **attributes: Any) -> Signal:
    """Return the signal of a log-based event."""
    given = {"analytics.user.id": "u-4711-x", "analytics.plan": "pro", "analytics.note": f"write to {MAIL}"}
    return Signal(Source.LOG, name, {**given, **attributes}, TIME_NS, observed_time_ns=number)


def running(*destinations: Destination, **policy: Any) -> tuple[Pipeline, Health]:
    """Return a pipeline to `destinations`."""
    health = Health()
    made = Policy(destinations=destinations, delivery=replace(QUICK, request_timeout_s=20.0), **policy)
    return Pipeline(made, installation_id="installation-1", health=health, guard=Guard(health)), health


def test_one_event_goes_to_each_cleaned_by_its_own_rules() -> None:
    """Identity mode, privacy rules and catalog are the destination's own; what it does not say is the policy's."""
    privacy = PrivacyPolicy(detectors=FrozenMap({**PrivacyPolicy().detectors, "email": HitMethod.DROP}))
    catalog = Catalog(
        CatalogMode.ENFORCE, events=FrozenMap({"e": EventSpec(properties=FrozenMap({"plan": PropertySpec()}))})
    )
    with FakePostHog() as operator, FakePostHog() as vendor, FakePostHog() as third:
        pipeline, health = running(
            Destination("operator", "phc_test", operator.url, identity=IdentityMode.IDENTIFIED),
            Destination("vendor", "phc_test", vendor.url, catalog=catalog),
            Destination("third", "phc_test", third.url, privacy=privacy),
            Destination("keyless", None, "http://127.0.0.1:9"),
        )
        pipeline.submit(signal(1))
        pipeline.submit(signal(2, "other"))
        assert pipeline.shutdown(10)
        told = {
            "operator": [(each.event, each.distinct_id, each.properties.get("note")) for each in operator.events],
            "vendor": [(each.event, each.distinct_id, each.properties.get("note")) for each in vendor.events],
            "third": [(each.event, each.distinct_id, each.properties.get("note")) for each in third.events],
        }
    assert {name: sorted(events, key=str) for name, events in told.items()} == {
        "operator": [("e", "u-4711-x", "write to [email]"), ("other", "u-4711-x", "write to [email]")],
        "vendor": [("e", "installation-1", None)],
        "third": [("e", "installation-1", None), ("other", "installation-1", None)],
    }
    assert {reason: n for (outcome, reason), n in health.snapshot().items() if outcome == DROPPED} == {
        "catalog_event": 1
    }


def test_a_destination_that_hangs_delays_no_other() -> None:
    """While one server takes requests and never answers, the other has every event within the time it takes alone."""
    with FakePostHog() as well, FakePostHog() as hanging:
        hanging.fault(Fault(hang_s=30, times=None))
        pipeline, _ = running(
            Destination("hanging", "phc_test", hanging.url), Destination("well", "phc_test", well.url)
        )
        started = time.monotonic()
        for number in range(200):
            pipeline.submit(signal(number))
        events = well.wait_for(200, timeout_s=15)
        took_s = time.monotonic() - started
        assert len(events) == 200
        # Far below the 20 s after which a request to the hanging server would end: nothing waited for it.
        assert took_s < 15
        assert not pipeline.shutdown(0.5)
        assert len(hanging.events) == 0


def test_a_destination_that_refuses_loses_only_its_own() -> None:
    """What one server will not take is dropped there and arrives at the other."""
    with FakePostHog() as well, FakePostHog() as refusing:
        refusing.fault(Fault(status=400, times=None))
        pipeline, _ = running(
            Destination("refusing", "phc_test", refusing.url), Destination("well", "phc_test", well.url)
        )
        for number in range(20):
            pipeline.submit(signal(number))
        assert pipeline.shutdown(15)
        assert len(well.unique_events) == 20
        assert refusing.unique_events == []
