"""Outcomes of one signal in, the product events of an explanation out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from otel_posthog.inspection.explanation import ProductEvent, Sent
from otel_posthog.model import EXCEPTION_EVENT, Event
from otel_posthog.policy import Destination
from otel_posthog.stages import Outcome
from otel_posthog.text import visible


def product_events(
    outcomes: Sequence[Outcome],
    reason: str,
    notes: Iterable[str],
    identity_of: Callable[[Destination], str],
    revision: str,
) -> Iterator[ProductEvent]:
    """Yield the product events of a signal.

    Args:
        outcomes: All of the signal.
        reason: Why it is a product event.
        notes: What could not be taken as it was given.
        identity_of: Returns the identity mode of a destination.
        revision: Of the policy, where a receipt has none.
    """
    is_first = True
    for event, of_event in groupby(outcomes, lambda each: each.event):
        if event is None:
            continue
        found = list(of_event)
        why, said = (reason, tuple(notes)) if is_first else (_further(event), ())
        is_first = False
        sent = tuple(_sent(each, identity_of, revision) for each in found)
        rule = found[0].signal.rule
        yield ProductEvent(event.name, why, event.properties, event.telemetry, _who(event), said, sent, rule)


def why_none(outcomes: Sequence[Outcome]) -> list[str]:
    """Return why a signal is no event; nothing where it is one."""
    return [each.reason for each in outcomes if each.event is None]


def _sent(outcome: Outcome, identity_of: Callable[[Destination], str], revision: str) -> Sent:
    """Return what one destination gets of one event."""
    destination, receipt = outcome.destination, outcome.receipt
    return Sent(
        destination="" if destination is None else visible(destination.name),
        identity="" if destination is None else identity_of(destination),
        event=json.loads(outcome.clean.body) if outcome.clean else None,
        dropped=outcome.reason,
        changes=tuple(receipt.entries) if receipt else (),
        policy=(receipt.policy if receipt else "") or revision,
    )


def _further(event: Event) -> str:
    if event.name == EXCEPTION_EVENT:
        return "an exception was recorded with it"
    return "it says something about a person or a group"


def _who(event: Event) -> dict[str, object]:
    subject = event.subject
    said = {
        "user id": subject.user_id,
        "session id": subject.session_id,
        "window id": subject.window_id,
        "consent": subject.consent,
        **{f"group {kind}": key for kind, key in subject.groups.items()},
        **{f"$set {key}": value for key, value in subject.person_set.items()},
        **{f"$set_once {key}": value for key, value in subject.person_set_once.items()},
    }
    return {key: value for key, value in said.items() if value is not None}
