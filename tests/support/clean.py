"""Clean events and a delivery for the tests of the last stage."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from typing_extensions import Self

from otel_posthog.deliver import Delivery
from otel_posthog.deliver.sender import Sender
from otel_posthog.deliver.store import Store
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent, Event, Person, Source, Subject
from otel_posthog.policy import DeliveryPolicy, Destination, Policy
from otel_posthog.posthog.encoding import encode_event

TIME_NS = 1_767_323_045_123_456_789
QUICK = DeliveryPolicy(flush_interval_s=0.02, retry_initial_s=0.02, retry_max_s=0.1, request_timeout_s=2.0)


def clean(number: int = 0, name: str = "e", *, destination: str = "default", **properties: Any) -> CleanEvent:
    """Return a clean event whose uuid is `number`."""
    event = Event(
        name=name,
        uuid=str(uuid.UUID(int=number)),
        time_ns=TIME_NS,
        properties={},
        telemetry={},
        subject=Subject(),
        trace_id=None,
        span_id=None,
        source=Source.LOG,
    )
    who = Person("installation-1", has_profile=False, properties={"$ip": "0.0.0.0"})
    return encode_event(event, who, name, properties, destination=destination, max_event_bytes=900 * 1024)


def policy(*hosts: str, api_key: str = "phc_test", **limits: Any) -> Policy:
    """Return a policy of one destination for each of `hosts`, quick to retry."""
    names = ["default", *(f"d{number}" for number in range(1, len(hosts)))]
    destinations = tuple(Destination(name, api_key, host) for name, host in zip(names, hosts, strict=True))
    return Policy(destinations=destinations, delivery=replace(QUICK, **limits))


class Delivering:
    """A delivery with its health, shut down at the end of a `with`.

    Args:
        hosts: One destination each.
        api_key: Of all of them.
        limits: What differs from `QUICK`.
    """

    def __init__(self, *hosts: str, api_key: str = "phc_test", **limits: Any) -> None:
        self.health = Health()
        self.policy = policy(*hosts, api_key=api_key, **limits)
        self.delivery = Delivery(self.policy, self.health, Guard(self.health))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.delivery.shutdown(0.5)

    def send(self, count: int, *, first: int = 0, name: str = "e") -> None:
        """Submit `count` events."""
        for number in range(first, first + count):
            self.delivery.submit(clean(number, name))

    def keep_in(self, store: Store) -> Sender:
        """Have the events of the default destination wait in `store`; return its sender."""
        settings = self.policy
        made = Sender(settings.destinations[0], settings.delivery, store, self.health, Guard(self.health))
        self.delivery._senders["default"] = made
        return made

    def counted(self, outcome: str) -> dict[str, int]:
        """Return the counts of `outcome` by reason."""
        return {reason: amount for (name, reason), amount in self.health.snapshot().items() if name == outcome}
