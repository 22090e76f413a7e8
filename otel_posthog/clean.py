"""One event, made clean for one destination: privacy, then identity, then the seal.

Comes in: a translated `Event` and the destination. Goes out: the `CleanEvent`, the only form that may be stored or
sent. Runs on the worker, or on the application thread when the queue is full. A cleaner never changes: another policy
is another cleaner, put in this one's place between two signals. It raises what a stage raises; the caller drops and
counts.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from otel_posthog import health as outcome
from otel_posthog.errors import DropEvent
from otel_posthog.health import Health
from otel_posthog.identity import Echo, Pseudonyms, disguised, person, with_change
from otel_posthog.model import CleanEvent, Event, GroupUpdate, Person, Receipt, Subject
from otel_posthog.policy import Destination, IdentityMode, Policy
from otel_posthog.privacy import Filter, consent_given, limit_exceptions, seal


class Cleaner:
    """The privacy and identity rules of one policy, compiled; immutable, safe to share between threads.

    Args:
        policy: What may leave, and as whom.
        installation_id: The `distinct_id` of events without a user.
        health: Counts which rules did what.
        pseudonyms: Stand for ids in the modes that do not send them; without keys and salts no user is told apart.

    Attributes:
        policy: As given.
        destinations: Those that have a key: the ones to clean for.
    """

    def __init__(
        self, policy: Policy, *, installation_id: str, health: Health, pseudonyms: Pseudonyms | None = None
    ) -> None:
        self.policy, self._installation_id, self._health = policy, installation_id, health
        self._pseudonyms = pseudonyms or Pseudonyms()
        self.destinations = tuple(each for each in policy.destinations if each.api_key)
        self._filter = Filter(policy.privacy)
        self._note = partial(health.count, outcome.REPAIRED)

    def clean(self, event: Event, destination: Destination, receipt: Receipt | None = None) -> CleanEvent:
        """Return `event` as it may be sent to `destination`.

        Args:
            event: As translated.
            destination: Where to.
            receipt: Gets which rule did what; for a caller that shows it. One of its own is made otherwise, for the
                counts.

        Raises:
            DropEvent: It may not be sent there.
        """
        policy = self.policy
        receipt = Receipt() if receipt is None else receipt
        if not consent_given(event.subject, required=policy.collection.consent_required):
            raise DropEvent("consent")
        declared = limit_exceptions(event.name, event.properties, policy.exceptions.mode, receipt)
        properties = {
            **self._filter.telemetry(event.telemetry, receipt),
            **self._filter.properties(declared, receipt),
        }
        mode, name = policy.identity_of(destination), self._filter.name(event.name, receipt)
        if mode is not IdentityMode.IDENTIFIED:
            echo = Echo(event, receipt)
            properties, name = echo.out_of(properties), echo.out_of_text(name, "event")
        if policy.trace_url and event.trace_id:
            properties["trace_url"] = policy.trace_url.format(trace_id=event.trace_id, span_id=event.span_id or "")
        who = self._who(event, mode, receipt)
        if receipt.entries:
            self._health.count_actions(receipt.entries)
        limit = policy.delivery.max_event_bytes
        return seal(event, who, name, properties, destination=destination.name, max_event_bytes=limit)

    def _who(self, event: Event, mode: IdentityMode, receipt: Receipt) -> Person:
        """Return who `event` is sent as, with what it changes of a person or a group."""
        if mode is IdentityMode.PSEUDONYMOUS:
            event = self._disguise(event, receipt)
        elif mode is IdentityMode.IDENTIFIED:
            group = event.group and self._clean_group(event.group, receipt)
            event = replace(event, subject=self._clean_subject(event.subject, receipt), group=group)
        who = person(
            event.subject,
            mode,
            installation_id=self._installation_id,
            time_ns=event.time_ns,
            note=self._note,
            pseudonyms=self._pseudonyms,
        )
        return with_change(who, event, mode)

    def _disguise(self, event: Event, receipt: Receipt) -> Event:
        """Return `event` with pseudonyms for ids, and the properties of its person and group filtered, without ids."""
        echo, clean = Echo(event, receipt), partial(self._filter.properties, receipt=receipt)
        event = disguised(event, self._pseudonyms, self._note)
        subject, group = event.subject, event.group
        subject = replace(
            subject,
            person_set=echo.out_of(clean(subject.person_set)),
            person_set_once=echo.out_of(clean(subject.person_set_once)),
        )
        group = group and replace(group, properties=echo.out_of(clean(group.properties)))
        return replace(event, subject=subject, group=group)

    def _clean_subject(self, subject: Subject, receipt: Receipt) -> Subject:
        """Return `subject` with everything but the user id filtered; that is the identity mode's to decide."""
        clean = partial(self._filter.properties, receipt=receipt)
        session_id = clean({"session_id": subject.session_id}).get("session_id") if subject.session_id else None
        return replace(
            subject,
            session_id=session_id if isinstance(session_id, str) else None,
            groups={key: str(value) for key, value in clean(subject.groups).items()},
            person_set=clean(subject.person_set),
            person_set_once=clean(subject.person_set_once),
        )

    def _clean_group(self, group: GroupUpdate, receipt: Receipt) -> GroupUpdate:
        """Return `group` filtered.

        Raises:
            DropEvent: `group_invalid`, when its type or key may not leave.
        """
        cleaned = self._filter.properties({group.type: group.key}, receipt)
        if len(cleaned) != 1:
            raise DropEvent("group_invalid")
        ((kind, key),) = cleaned.items()
        return GroupUpdate(kind, str(key), self._filter.properties(group.properties, receipt))
