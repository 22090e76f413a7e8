"""One event, made clean for one destination: privacy, then identity, then the encoding.

Comes in: a translated `Event` and the destination. Goes out: the `CleanEvent`, the only form that may be stored or
sent. Runs on the worker, or on the application thread when the queue is full. A cleaner never changes: another policy
is another cleaner, put in this one's place between two signals. It raises what a stage raises; the caller drops and
counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from otel_posthog import health as outcome
from otel_posthog.errors import DropEvent
from otel_posthog.health import Health
from otel_posthog.identity import Echo, Pseudonyms, disguised, person, unlinked_id, with_change
from otel_posthog.model import CleanEvent, Event, GroupUpdate, Person, Receipt, Subject
from otel_posthog.policy import Destination, IdentityMode, Policy
from otel_posthog.policy.policy import revision_of
from otel_posthog.posthog.encoding import encode_event
from otel_posthog.privacy import Declared, Filter, consent_given, limit_exceptions

_Clean = Callable[[Mapping[str, object]], "dict[str, object]"]
"""The privacy filter of one event for one destination."""


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
        revision: Of the policy, as receipts and counts have it.
    """

    def __init__(
        self, policy: Policy, *, installation_id: str, health: Health, pseudonyms: Pseudonyms | None = None
    ) -> None:
        self.policy, self._installation_id, self._health = policy, installation_id, health
        self._pseudonyms, self.revision = pseudonyms or Pseudonyms(), revision_of(policy)
        self.destinations = tuple(each for each in policy.destinations if each.api_key)
        # Destinations with the same rules share what is compiled of them.
        compiled = {privacy: Filter(privacy) for privacy in {policy.privacy_of(each) for each in policy.destinations}}
        self._filters = {each.name: compiled[policy.privacy_of(each)] for each in policy.destinations}
        self._catalogs = {each.name: Declared(policy.catalog_of(each), each.name) for each in policy.destinations}
        self._note = partial(health.count, outcome.REPAIRED)

    def clean(self, event: Event, destination: Destination, receipt: Receipt | None = None) -> CleanEvent:
        """Return `event` as it may be sent to `destination`.

        The order is: consent, catalog, key rules, detectors in what a value consists of (URL, JSON, SQL, free text),
        identity, size limits.

        Args:
            event: As translated.
            destination: Where to.
            receipt: Gets which rule did what; for a caller that shows it. One of its own is made otherwise, for the
                counts.

        Raises:
            DropEvent: It may not be sent there.
        """
        policy, filter_ = self.policy, self._filters[destination.name]
        receipt = Receipt() if receipt is None else receipt
        receipt.policy = self.revision
        collection = policy.collection
        if not consent_given(event.subject, required=collection.consent_required, heeds_dnt=collection.heed_dnt):
            raise DropEvent("consent")
        mode = policy.identity_of(destination)
        if mode is IdentityMode.UNLINKED:
            # A trace is a link.
            event = event._replace(trace_id=None, span_id=None)
        echo = Echo(event, receipt) if mode is not IdentityMode.IDENTIFIED else None
        event = self._declared(event, destination, receipt)
        hide = None if echo is None else echo.out_of_text
        properties = {
            **filter_.telemetry(event.telemetry, receipt, hide),
            **filter_.properties(event.properties, receipt, hide),
        }
        name = filter_.name(event.name, receipt)
        if echo is not None:
            properties, name = echo.out_of(properties), echo.out_of_text(name, "event")
        if policy.trace_url and event.trace_id:
            properties["trace_url"] = policy.trace_url.format(trace_id=event.trace_id, span_id=event.span_id or "")
        who = self._who(event, mode, partial(filter_.properties, receipt=receipt, hide=hide), echo)
        try:
            return encode_event(
                event,
                who,
                name,
                properties,
                destination=destination.name,
                max_event_bytes=policy.delivery.max_event_bytes,
                receipt=receipt,
            )
        finally:
            if receipt.entries:
                self._health.count_actions(receipt.entries)

    def _declared(self, event: Event, destination: Destination, receipt: Receipt) -> Event:
        """Return what of `event` is declared, with no more of an exception than the policy allows."""
        properties = limit_exceptions(event.name, event.properties, self.policy.exceptions.mode, receipt)
        limited = event if properties is event.properties else event._replace(properties=properties)
        return self._catalogs[destination.name].event(limited, receipt)

    def _who(self, event: Event, mode: IdentityMode, clean: _Clean, echo: Echo | None) -> Person:
        """Return who `event` is sent as, with what it changes of a person or a group."""
        if mode is IdentityMode.PSEUDONYMOUS and echo is not None:
            event = self._disguise(event, clean, echo)
        elif mode is IdentityMode.IDENTIFIED:
            group = event.group and _clean_group(event.group, clean)
            subject = _clean_subject(event.subject, clean)
            if group != event.group or subject is not event.subject:
                event = event._replace(subject=subject, group=group)
        who = person(
            event.subject,
            mode,
            installation_id=self._nobody(event, mode),
            time_ns=event.time_ns,
            note=self._note,
            pseudonyms=self._pseudonyms,
        )
        return with_change(who, event, mode)

    def _nobody(self, event: Event, mode: IdentityMode) -> str:
        """Return the `distinct_id` of an event without a user."""
        if mode is IdentityMode.UNLINKED:
            return unlinked_id(event.uuid)
        rotation = self.policy.installation_rotation
        found = self._pseudonyms.installation(rotation, event.time_ns, self._installation_id)
        if found is None:
            # Under another period's id it would link the two.
            self._note("installation_period_over")
            return unlinked_id(event.uuid)
        return found

    def _disguise(self, event: Event, clean: _Clean, echo: Echo) -> Event:
        """Return `event` with pseudonyms for ids, and the properties of its person and group filtered, without ids."""
        event = disguised(event, self._pseudonyms, self._note)
        subject, group = event.subject, event.group
        subject = subject._replace(
            groups=_of_clean_types(subject.groups, clean, echo),
            person_set=echo.out_of(clean(subject.person_set)),
            person_set_once=echo.out_of(clean(subject.person_set_once)),
        )
        group = group and _update_of_clean_type(group, clean, echo)
        return event._replace(subject=subject, group=group)


def _of_clean_types(groups: Mapping[str, str], clean: _Clean, echo: Echo) -> Mapping[str, str]:
    """Return `groups`, whose keys are pseudonyms already, under types that may leave."""
    if not groups:
        return groups
    found: dict[str, str] = {}
    for kind, key in groups.items():
        name = _clean_type(kind, clean, echo)
        if name is not None:
            found.setdefault(name, key)
    return found


def _update_of_clean_type(group: GroupUpdate, clean: _Clean, echo: Echo) -> GroupUpdate:
    """Return the update of a group, whose key is a pseudonym already, under a type that may leave.

    Raises:
        DropEvent: `group_invalid`, when there is none.
    """
    kind = _clean_type(group.type, clean, echo)
    if kind is None:
        raise DropEvent("group_invalid")
    return GroupUpdate(kind, group.key, echo.out_of(clean(group.properties)))


def _clean_type(kind: str, clean: _Clean, echo: Echo) -> str | None:
    """Return a type of groups as it may leave; None where the policy lets nothing leave under that name."""
    # The value says nothing: it is the name that is looked at.
    names = list(clean({kind: True}))
    return echo.out_of_text(names[0], "(group type)") if names else None


def _clean_subject(subject: Subject, clean: _Clean) -> Subject:
    """Return `subject` with everything but the user id filtered; that is the identity mode's to decide."""
    session_id = clean({"session_id": subject.session_id}).get("session_id") if subject.session_id else None
    cleaned = (
        session_id if isinstance(session_id, str) else None,
        {key: str(value) for key, value in clean(subject.groups).items()} if subject.groups else {},
        clean(subject.person_set) if subject.person_set else {},
        clean(subject.person_set_once) if subject.person_set_once else {},
    )
    # Most have nothing to go, and a copy takes longer than the look.
    if cleaned == (subject.session_id, subject.groups, subject.person_set, subject.person_set_once):
        return subject
    session_id, groups, person_set, person_set_once = cleaned
    return subject._replace(
        session_id=session_id, groups=groups, person_set=person_set, person_set_once=person_set_once
    )


def _clean_group(group: GroupUpdate, clean: _Clean) -> GroupUpdate:
    """Return `group` filtered.

    Raises:
        DropEvent: `group_invalid`, when its type or key may not leave.
    """
    cleaned = clean({group.type: group.key})
    if len(cleaned) != 1:
        raise DropEvent("group_invalid")
    ((kind, key),) = cleaned.items()
    return GroupUpdate(kind, str(key), clean(group.properties))
