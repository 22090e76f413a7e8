"""What an event that changes a person or a group says on the wire, and whether its identity mode lets it.

Comes in: an `Event` whose subject and group are filtered, and the `Person` that the mode has decided on. Goes out: the
`Person` it is sent as, with the properties that PostHog acts on. Runs on the worker.
"""

from __future__ import annotations

from otel_posthog.errors import DropEvent
from otel_posthog.identity.modes import usable
from otel_posthog.model import Event, EventKind, GroupUpdate, Person
from otel_posthog.policy import IdentityMode


def with_change(who: Person, event: Event, mode: IdentityMode) -> Person:
    """Return `who` with what `event` changes; an event that changes nothing leaves `who` as it is.

    Source: what posthog-python sends (`posthog/client.py`: `alias`, `group_identify`).

    Args:
        who: Who the event is sent as, as the mode has decided.
        event: The event; its subject and its group have passed the privacy filters.
        mode: The identity mode.

    Raises:
        DropEvent: `person_event`, where the mode has no persons; `person_unknown`, where there is no user whose person
            could be changed; `alias_invalid`, where the other id is one that PostHog takes for nobody's.
    """
    if event.kind is EventKind.PRODUCT:
        return who
    if not mode.has_persons:
        raise DropEvent("person_event")
    # An event that changes something says that and no more; the groups it was made in are a product event's to tell.
    who = who._replace(properties={key: value for key, value in who.properties.items() if key != "$groups"})
    if event.kind is EventKind.GROUP_IDENTIFY and event.group is not None:
        return _group_update(who, event.group)
    if not who.has_profile:
        raise DropEvent("person_unknown")
    if event.kind is EventKind.ALIAS:
        return _alias(who, event.subject.alias)
    return who


def _alias(who: Person, previous_id: str | None) -> Person:
    """Return the person of an alias event, which is sent as the previous id and names the present one."""
    usable_id = usable(previous_id, _silent)
    if usable_id is None:
        raise DropEvent("alias_invalid")
    properties = {**who.properties, "distinct_id": usable_id, "alias": who.distinct_id}
    return who._replace(distinct_id=usable_id, properties=properties)


def _silent(_: str) -> None:
    """Take no note: the event is dropped, which is counted."""


def _group_update(who: Person, group: GroupUpdate) -> Person:
    """Return the person of a group's update; without a user it is the group itself, as in posthog-node."""
    distinct_id = who.distinct_id if who.has_profile else f"${group.type}_{group.key}"
    update = {"$group_type": group.type, "$group_key": group.key, "$group_set": dict(group.properties)}
    return Person(distinct_id, has_profile=True, properties={**who.properties, **update})
