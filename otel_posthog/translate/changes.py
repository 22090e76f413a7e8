"""The further events of an item: what it says of the person and of groups that needs an event of its own.

A product event carries `$set`, `$set_once` and `$groups` itself. PostHog takes an alias and the properties of a group
only in `$create_alias` and `$groupidentify`.
"""

from __future__ import annotations

from collections.abc import Iterator

from otel_posthog.model import EventKind, GroupUpdate, Note, Subject
from otel_posthog.translate.vocabulary import SortedAttributes

Change = tuple[EventKind, GroupUpdate | None]


def changes_of(kind: EventKind, subject: Subject, own: SortedAttributes, note: Note) -> list[Change]:
    """Return what the events of an item do; what its name stands for comes first.

    Args:
        kind: What the item's name says that it is.
        subject: Who it is about, with the groups that it is in.
        own: Its attributes, sorted.
        note: Called with the reason why a change cannot be made: `nothing_to_set`, `alias_without_user`,
            `alias_invalid`, `group_without_key`.
    """
    if kind is EventKind.PRODUCT and subject.alias is None and not own.group_set:
        return [(kind, None)]  # nearly all of them
    found = [*_own(kind, subject, note), *_alias(kind, subject, note), *_groups(kind, subject, own, note)]
    return sorted(found, key=lambda change: change[0] is not kind)


def _own(kind: EventKind, subject: Subject, note: Note) -> Iterator[Change]:
    has_properties = bool(subject.person_set or subject.person_set_once)
    if kind in {EventKind.PRODUCT, EventKind.IDENTIFY}:
        yield kind, None
    elif kind in {EventKind.SET, EventKind.SET_ONCE}:
        if has_properties:
            yield kind, None
        else:
            note("nothing_to_set")
    elif has_properties:
        # Neither an alias nor a group's update carries the properties of a person.
        yield EventKind.SET, None


def _alias(kind: EventKind, subject: Subject, note: Note) -> Iterator[Change]:
    if subject.alias is None:
        if kind is EventKind.ALIAS:
            note("alias_invalid")
    elif subject.user_id is None:
        note("alias_without_user")
    elif subject.alias == subject.user_id:
        note("alias_invalid")
    else:
        yield EventKind.ALIAS, None


def _groups(kind: EventKind, subject: Subject, own: SortedAttributes, note: Note) -> Iterator[Change]:
    """Yield one update for each group; sorted, so that another order of the attributes gives the same events."""
    types = set(own.group_set)
    if kind is EventKind.GROUP_IDENTIFY:
        # Groups that the context has put the user into are not what this item is about.
        types.update(own.groups)
        if not types:
            note("group_without_key")
    for group_type in sorted(types):
        key = subject.groups.get(group_type)
        if key is None:
            note("group_without_key")
        else:
            yield EventKind.GROUP_IDENTIFY, GroupUpdate(group_type, key, own.group_set.get(group_type, {}))
