"""One event, made clean for one destination: its consent, what it may carry, who it is sent as, its bytes.

Comes in: a translated `Event` and the destination. Goes out: the `CleanEvent`, the only form that may be stored or
sent. Runs on the worker, or on the application thread when the queue is full. A cleaner never changes: another policy
is another cleaner, put in this one's place between two signals. It raises what a stage raises; the caller drops and
counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from otel_posthog import health as outcome
from otel_posthog.errors import DropEvent
from otel_posthog.health import Health
from otel_posthog.identity import Pseudonyms, person, unlinked_id, with_change, with_pseudonyms
from otel_posthog.identity.leaked_ids import LeakedIds
from otel_posthog.model import CleanEvent, Event, GroupUpdate, Person, Receipt, Subject
from otel_posthog.policy import Destination, IdentityMode, Policy
from otel_posthog.policy.policy import revision_of
from otel_posthog.policy.sections.trace_url import link_to_trace
from otel_posthog.posthog.encoding import as_bytes, encode_event, encode_planned
from otel_posthog.posthog.properties import JOURNEY, TRACE_URL
from otel_posthog.privacy import Declared, Filter, consent_given, limit_exceptions
from otel_posthog.privacy.catalog import Specs


class _Rules(NamedTuple):
    """What holds for one destination."""

    mode: IdentityMode
    catalog: Declared
    filter: Filter


class Planned(NamedTuple):
    """An event whose properties leave as they are, before it is decided who it is sent as.

    Attributes:
        event: Without properties.
        destination: Where to.
        name: As it is sent, in JSON.
        properties: In JSON, without the braces.
        leaked: The ids that may not leave; None where ids are sent as they are.
        receipt: Of the event.
    """

    event: Event
    destination: Destination
    name: str
    properties: str
    leaked: LeakedIds | None
    receipt: Receipt

    def may_hold_id(self, texts: str, numbers: Sequence[float]) -> bool:
        """Return whether one of these may be, or have in it, an id that does not leave."""
        return self.leaked is not None and self.leaked.may_be_in(texts, numbers)


class Cleaner:
    """The privacy and identity rules of one policy, compiled; immutable, safe to share between threads.

    Args:
        policy: What may leave, and as whom.
        installation_id: The `distinct_id` of events without a user.
        health: Counts which rules did what.
        pseudonyms: Stand for ids in the modes that do not send them; without keys and salts users are not told apart.

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
        self._trace_template = policy.trace_template
        # Destinations with the same rules share what is compiled of them.
        filters = {privacy: Filter(privacy) for privacy in {policy.privacy_of(each) for each in policy.destinations}}
        self._rules = {
            each.name: _Rules(
                policy.identity_of(each),
                Declared(policy.catalog_of(each), each.name),
                filters[policy.privacy_of(each)],
            )
            for each in policy.destinations
        }
        self._note = partial(health.count, outcome.REPAIRED)

    def filter_of(self, destination: Destination) -> Filter:
        """Return what may leave towards `destination`."""
        return self._rules[destination.name].filter

    def name_of(self, name: str, destination: Destination) -> str | None:
        """Return the name of an event if it leaves as it is and is one that may be sent; ids in it aside."""
        receipt = Receipt()
        try:
            filtered = self.filter_of(destination).name(name, receipt)
        except DropEvent:
            return None
        return name if filtered == name and not receipt.entries else None

    def declared(self, name: str, destination: Destination) -> tuple[Specs | None, Specs | None]:
        """Return what is declared of an event's properties, and of telemetry; None for what need not be declared."""
        catalog = self._rules[destination.name].catalog
        return catalog.specs_of(name), catalog.specs_of_telemetry()

    def planned(self, event: Event, destination: Destination, name: str, properties: str) -> Planned:
        """Return `event`, whose name and properties leave as they are unless an id is in them.

        Args:
            event: As translated, without properties and telemetry.
            destination: Where to.
            name: In JSON.
            properties: Those that may be sent, in JSON without the braces.
        """
        mode, receipt = self._rules[destination.name].mode, Receipt()
        if mode is IdentityMode.UNLINKED:
            event = event._replace(trace_id=None, span_id=None)
        leaked = None if mode is IdentityMode.IDENTIFIED else LeakedIds(event, receipt)
        return Planned(event, destination, name, properties, leaked, receipt)

    def clean_planned(self, planned: Planned) -> CleanEvent:
        """Return what `clean` makes of the same event.

        Raises:
            DropEvent: It may not be sent there.
        """
        event, destination, name, properties, leaked, receipt = planned
        mode, catalog, filter_ = self._rules[destination.name]
        receipt.policy = self.revision
        self._check_consent(event.subject)
        event = catalog.event(event, receipt)
        if mode is IdentityMode.PSEUDONYMOUS:
            event = with_pseudonyms(event, self._pseudonyms, self._note)
        url = self._with_trace_url({}, event)
        if url:
            properties = ",".join(filter(None, [properties, as_bytes(url).decode()[1:-1]]))
        privacy = _Privacy(filter_, receipt, leaked)
        who = self._who(privacy.of_persons(event) if mode.has_persons else event, mode)
        most = self.policy.delivery.max_event_bytes
        clean = encode_planned(event, who, name, properties, destination=destination.name)
        if len(clean.body) > most:
            document = json.loads(f"{{{properties}}}")
            return self._encoded(event, destination, receipt, who, json.loads(name), document)
        if receipt.entries:
            self._health.count_actions(receipt.entries)
        return clean

    def clean(self, event: Event, destination: Destination, receipt: Receipt | None = None) -> CleanEvent:
        """Return `event` as it may be sent to `destination`.

        The order is: consent, catalog, pseudonyms in place of ids, key rules, detectors in what a value consists of
        (URL, JSON, SQL, free text), ids that leak into values, size limits, identity mode, encoding.

        Args:
            event: As translated.
            destination: Where to.
            receipt: Gets which rule did what; without one, it is only counted.

        Raises:
            DropEvent: It may not be sent there.
        """
        mode, catalog, filter_ = self._rules[destination.name]
        receipt = Receipt() if receipt is None else receipt
        receipt.policy = self.revision
        self._check_consent(event.subject)
        if mode is IdentityMode.UNLINKED:
            # A trace is a link.
            event = event._replace(trace_id=None, span_id=None)
        # What leaks is looked for as the telemetry gave it, before anything has been done to an id.
        leaked = None if mode is IdentityMode.IDENTIFIED else LeakedIds(event, receipt)
        privacy = _Privacy(filter_, receipt, leaked)
        event = self._declared(event, filter_, catalog, receipt)
        if mode is IdentityMode.PSEUDONYMOUS:
            event = with_pseudonyms(event, self._pseudonyms, self._note)
        properties = self._with_trace_url(privacy.properties(event), event)
        name = privacy.name(event.name)
        who = self._who(privacy.of_persons(event) if mode.has_persons else event, mode)
        return self._encoded(event, destination, receipt, who, name, properties)

    def _check_consent(self, subject: Subject) -> None:
        collection = self.policy.collection
        if not consent_given(subject, required=collection.consent_required, heeds_dnt=collection.heed_dnt):
            raise DropEvent("consent")

    def _declared(self, event: Event, filter_: Filter, catalog: Declared, receipt: Receipt) -> Event:
        """Return what of `event` is declared, with no more of an exception than the policy allows."""
        mode = self.policy.exceptions.mode
        properties = limit_exceptions(event.name, event.properties, mode, receipt, filter_.hides)
        limited = event if properties is event.properties else event._replace(properties=properties)
        return catalog.event(limited, receipt)

    def _with_trace_url(self, properties: dict[str, object], event: Event) -> dict[str, object]:
        """Return `properties` with a link to the event's trace, if there is a trace to be seen."""
        if self._trace_template and event.trace_id and event.is_sampled:
            properties[TRACE_URL] = link_to_trace(
                self._trace_template, event.trace_id, event.span_id or "", event.time_ns
            )
        return properties

    def _who(self, event: Event, mode: IdentityMode) -> Person:
        """Return who `event` is sent as, with what it changes of a person or a group."""
        who = person(
            event.subject,
            mode,
            installation_id=self._id_without_user(event, mode),
            time_ns=event.time_ns,
            note=self._note,
            pseudonyms=self._pseudonyms,
        )
        return with_change(who, event, mode)

    def _id_without_user(self, event: Event, mode: IdentityMode) -> str:
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

    def _encoded(  # noqa: PLR0913, PLR0917 - all that was made of one event
        self,
        event: Event,
        destination: Destination,
        receipt: Receipt,
        who: Person,
        name: str,
        properties: Mapping[str, object],
    ) -> CleanEvent:
        try:
            return encode_event(
                event,
                who,
                name,
                properties,
                destination=destination.name,
                max_event_bytes=self.policy.delivery.max_event_bytes,
                receipt=receipt,
            )
        finally:
            if receipt.entries:
                self._health.count_actions(receipt.entries)


class _Privacy:
    """The privacy filters of one event: key rules, detectors, ids that leak into values, limits.

    Args:
        filter_: Of the destination.
        receipt: Gets which rule did what.
        leaked: The ids that may not leave; None where ids are sent as they are.
    """

    __slots__ = ("_filter", "_hide", "_leaked", "_receipt")

    def __init__(self, filter_: Filter, receipt: Receipt, leaked: LeakedIds | None) -> None:
        self._filter, self._receipt, self._leaked = filter_, receipt, leaked
        self._hide = None if leaked is None else leaked.before_cut

    def properties(self, event: Event) -> dict[str, object]:
        """Return what is sent of telemetry and of declared properties, which win."""
        filtered = {
            **self._filter.telemetry(event.telemetry, self._receipt, self._hide),
            **self._filter.properties(event.properties, self._receipt, self._hide),
        }
        return self._without_ids(filtered)

    def name(self, name: str) -> str:
        """Return the name of an event."""
        filtered = self._filter.name(name, self._receipt)
        return filtered if self._leaked is None else self._leaked.replace_in_text(filtered, "event")

    def of_persons(self, event: Event) -> Event:
        """Return `event` with all filtered that it says of persons and groups, but for a user's id.

        What to do with that is the identity mode's to decide; where it is a pseudonym, those of session and groups are.

        Raises:
            DropEvent: `group_invalid`, when the type or key of a group that is to be changed may not leave.
        """
        if self._leaked is None:
            group = event.group and self._group(event.group)
            subject = self._subject(event.subject)
            # Most have nothing to go, and a copy takes longer than the look.
            if group == event.group and subject is event.subject:
                return event
        else:
            subject = self._subject_of_pseudonyms(event.subject, self._leaked)
            group = event.group and self._group_of_pseudonym(event.group, self._leaked)
        return event._replace(subject=subject, group=group)

    def _map(self, properties: Mapping[str, object]) -> dict[str, object]:
        return self._without_ids(self._filter.properties(properties, self._receipt, self._hide))

    def _without_ids(self, filtered: dict[str, object]) -> dict[str, object]:
        """Return `filtered` without ids that do not leave; a journey's is one, and the mode says what stands for it."""
        if self._leaked is None:
            return filtered
        if filtered.pop(JOURNEY, None) is not None:
            self._receipt.add(JOURNEY, "id_key", "removed")
        return self._leaked.replace_in(filtered)

    def _subject(self, subject: Subject) -> Subject:
        session_id = self._id("session_id", subject.session_id)
        window_id = self._id("window_id", subject.window_id)
        journey_id = self._id("journey_id", subject.journey_id)
        ids = (session_id, window_id, journey_id)
        are_same = ids == (subject.session_id, subject.window_id, subject.journey_id)
        if are_same and not (subject.groups or subject.person_set or subject.person_set_once):
            return subject
        groups = {key: str(value) for key, value in self._map(subject.groups).items()} if subject.groups else {}
        person_set = self._map(subject.person_set) if subject.person_set else {}
        person_set_once = self._map(subject.person_set_once) if subject.person_set_once else {}
        filtered = (groups, person_set, person_set_once)
        if are_same and filtered == (subject.groups, subject.person_set, subject.person_set_once):
            return subject
        return subject._replace(
            session_id=session_id,
            window_id=window_id,
            journey_id=journey_id,
            groups=groups,
            person_set=person_set,
            person_set_once=person_set_once,
        )

    def _id(self, name: str, given: str | None) -> str | None:
        """Return an id that is sent as it is, filtered as the property `name`."""
        if given is None or (self._leaked is None and self._filter.leaves(given, name)):
            return given
        found = self._map({name: given}).get(name) if given else None
        return found if isinstance(found, str) else None

    def _group(self, group: GroupUpdate) -> GroupUpdate:
        filtered = self._map({group.type: group.key})
        if len(filtered) != 1:
            raise DropEvent("group_invalid")
        ((kind, key),) = filtered.items()
        return GroupUpdate(kind, str(key), self._map(group.properties))

    def _subject_of_pseudonyms(self, subject: Subject, leaked: LeakedIds) -> Subject:
        return subject._replace(
            groups=self._groups_of_pseudonyms(subject.groups, leaked),
            person_set=self._map(subject.person_set),
            person_set_once=self._map(subject.person_set_once),
        )

    def _groups_of_pseudonyms(self, groups: Mapping[str, str], leaked: LeakedIds) -> Mapping[str, str]:
        """Return `groups` under types that may leave."""
        found: dict[str, str] = {}
        for kind, key in groups.items():
            name = self._group_type(kind, leaked)
            if name is not None:
                found.setdefault(name, key)
        return found

    def _group_of_pseudonym(self, group: GroupUpdate, leaked: LeakedIds) -> GroupUpdate:
        kind = self._group_type(group.type, leaked)
        if kind is None:
            raise DropEvent("group_invalid")
        return GroupUpdate(kind, group.key, self._map(group.properties))

    def _group_type(self, kind: str, leaked: LeakedIds) -> str | None:
        """Return a type of groups as it may leave; None where the policy lets nothing leave under that name."""
        # The value says nothing: it is the name that is looked at.
        names = list(self._filter.properties({kind: True}, self._receipt, self._hide))
        return leaked.replace_in_text(names[0], "(group type)") if names else None
