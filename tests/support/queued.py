"""Tasks and jobs whose events are made in this process, under hooks into a queue's library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from events import ring
from telemetry import Telemetry

from otel_posthog.actor.context import Baggage, use_baggage
from otel_posthog.actor.handover import use_handover
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import DailySalts, Pseudonyms
from otel_posthog.policy import CollectionChoice, IdentityMode
from otel_posthog.setup.propagator import propagate_actor

Emitters = list[Callable[[str, object], None]]


@contextmanager
def making_events(emitters: Emitters, mode: IdentityMode, directory: Path, **policy: Any) -> Iterator[Telemetry]:
    """Have tasks make events in an identity mode, and know whose they are.

    Args:
        emitters: Of the app; its last one makes the events: name, and what is the property `n`.
        mode: The identity mode.
        directory: For salts and the choice at run time.
        policy: What differs from the built-in policy.
    """
    pseudonyms = Pseudonyms(keys=ring(), salts=DailySalts(directory))
    with pytest.MonkeyPatch.context() as patch, Telemetry(mode, pseudonyms=pseudonyms, **policy) as telemetry:
        telemetry.use_for_requests(patch)
        propagate_actor(telemetry.policy, pseudonyms, CollectionChoice(directory), Guard(Health()))
        emitters.append(
            lambda name, n: telemetry.logger.emit(event_name=f"analytics.{name}", attributes={"analytics.n": str(n)})
        )
        try:
            yield telemetry
        finally:
            emitters.pop()
            use_handover()
            use_baggage(Baggage())


def whose(telemetry: Telemetry) -> Counter[tuple[str, str, str]]:
    """Return whose events came: name, number, distinct id."""
    return Counter((each["event"], each["properties"]["n"], each["distinct_id"]) for each in telemetry.events)
