"""Who somebody is: `identify()`, `set()`, `set_once()`, `alias()`.

They change PostHog's person, which the identity mode must allow: in the mode `installation`, the default, nothing of
them is sent, and it is counted as dropped. To say who acts in what follows, without sending anything: `user_context()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from otel_posthog.any_value import Id
from otel_posthog.emit.record import Moment, emit, ids


def identify(
    distinct_id: Id,
    properties: Mapping[str, object] | None = None,
    *,
    timestamp: Moment | None = None,
    uuid: str | UUID | None = None,
) -> str:
    """Say that this is a known person, and set properties of theirs.

    Args:
        distinct_id: The person's id.
        properties: Person properties to set; earlier values are overwritten.
        timestamp: When; default now.
        uuid: The event's uuid; default a new one.

    Returns:
        The uuid of the `$identify` event.
    """
    return emit(
        "$identify", (("user.set.", properties), ("", ids(user_id=distinct_id))), timestamp=timestamp, uuid=uuid
    )


def set(  # noqa: A001 - as posthog-python calls it
    distinct_id: Id | None = None,
    properties: Mapping[str, object] | None = None,
    *,
    timestamp: Moment | None = None,
    uuid: str | UUID | None = None,
) -> str:
    """Set properties of a person; earlier values are overwritten.

    Args:
        distinct_id: The person's id; default the identity in context.
        properties: Person properties; without any nothing is sent.
        timestamp: When; default now.
        uuid: The event's uuid; default a new one.

    Returns:
        The uuid of the `$set` event.
    """
    return emit("$set", (("user.set.", properties), ("", ids(user_id=distinct_id))), timestamp=timestamp, uuid=uuid)


def set_once(
    distinct_id: Id | None = None,
    properties: Mapping[str, object] | None = None,
    *,
    timestamp: Moment | None = None,
    uuid: str | UUID | None = None,
) -> str:
    """Set properties of a person that have no value yet.

    Args:
        distinct_id: The person's id; default the identity in context.
        properties: Person properties; without any nothing is sent.
        timestamp: When; default now.
        uuid: The event's uuid; default a new one.

    Returns:
        The uuid of the `$set_once` event.
    """
    parts = (("user.set_once.", properties), ("", ids(user_id=distinct_id)))
    return emit("$set_once", parts, timestamp=timestamp, uuid=uuid)


def alias(
    previous_id: Id,
    distinct_id: Id | None = None,
    *,
    timestamp: Moment | None = None,
    uuid: str | UUID | None = None,
) -> str:
    """Say that two ids are one person, usually the one from before log-in and the user's.

    Args:
        previous_id: The id that was used before.
        distinct_id: The person's id; default the identity in context. Without one nothing is sent.
        timestamp: When; default now.
        uuid: The event's uuid; default a new one.

    Returns:
        The uuid of the `$create_alias` event.
    """
    parts = (("", ids(user_alias=previous_id, user_id=distinct_id)),)
    return emit("$create_alias", parts, timestamp=timestamp, uuid=uuid)
