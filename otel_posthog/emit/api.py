"""The calls of PostHog's libraries: `capture()`, `identify()`, `set()`, `set_once()`, `alias()`, `group_identify()`.

Each emits one log-based event on the caller's thread, returns its uuid, and never raises into the program. All but
`capture()` change what PostHog keeps of a person or a group, which the identity mode must allow: in the mode
`installation`, the default, nothing of them is sent, and it is counted as dropped. To say who acts in what follows,
without sending anything: `user_context()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from otel_posthog.emit.record import Moment, emit, ids
from otel_posthog.values import Id


def capture(  # noqa: PLR0913 - the signature that users of posthog-python know
    event: str,
    properties: Mapping[str, object] | None = None,
    *,
    distinct_id: Id | None = None,
    timestamp: Moment | None = None,
    uuid: str | UUID | None = None,
    groups: Mapping[str, Id] | None = None,
    session_id: Id | None = None,
) -> str:
    """Emit a product event; it leaves at once and does not wait for a span to end.

    Args:
        event: The event's name, 1-200 bytes of UTF-8; `AnalyticsEvents` has the usual ones.
        properties: Its properties; each goes through the privacy filters. `$set`, `$set_once`, `$groups`,
            `$session_id`, `$window_id`, `distinct_id` and `$process_person_profile` mean what they mean to
            posthog-python, as far as the identity mode lets them. `analytics.consent` is the attribute: anything but a
            plain yes is a denial.
        distinct_id: Who did it; default the identity in context. What is sent is the identity mode's decision.
        timestamp: When it happened; default now. A naive one is taken as local time.
        uuid: Its uuid, for a caller that may emit it again; default a new one.
        groups: Group type -> group key.
        session_id: The session's id.

    Returns:
        The event's uuid.
    """
    who = ids(session_id=session_id, user_id=distinct_id)
    parts = (("property.", properties), ("group.", groups), ("", who))
    return emit(event, parts, timestamp=timestamp, uuid=uuid)


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
    parts = (("user.set.", properties), ("", ids(user_id=distinct_id)))
    return emit("$identify", parts, timestamp=timestamp, uuid=uuid)


def set(  # noqa: A001 - as posthog-python calls it
    distinct_id: Id | None = None,
    properties: Mapping[str, object] | None = None,
    *,
    timestamp: Moment | None = None,
    uuid: str | UUID | None = None,
) -> str:
    """Set properties of a person, as `identify()` does, without saying that the person is known.

    Args:
        distinct_id: The person's id; default the identity in context.
        properties: As for `identify()`; without any nothing is sent.
        timestamp: When; default now.
        uuid: The event's uuid; default a new one.

    Returns:
        The uuid of the `$set` event.
    """
    parts = (("user.set.", properties), ("", ids(user_id=distinct_id)))
    return emit("$set", parts, timestamp=timestamp, uuid=uuid)


def set_once(
    distinct_id: Id | None = None,
    properties: Mapping[str, object] | None = None,
    *,
    timestamp: Moment | None = None,
    uuid: str | UUID | None = None,
) -> str:
    """Set properties of a person that have no value yet, and return the uuid of the `$set_once` event.

    The arguments are those of `set()`.
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


def group_identify(  # noqa: PLR0913 - the signature that users of posthog-python know
    group_type: str,
    group_key: Id,
    properties: Mapping[str, object] | None = None,
    *,
    distinct_id: Id | None = None,
    timestamp: Moment | None = None,
    uuid: str | UUID | None = None,
) -> str:
    """Set properties of a group: a company, a team, a project.

    Args:
        group_type: The group's type, without a dot (`company`).
        group_key: Which group of that type.
        properties: Group properties to set; earlier values are overwritten.
        distinct_id: Who acts; default the identity in context, and without one the group itself.
        timestamp: When; default now.
        uuid: The event's uuid; default a new one.

    Returns:
        The uuid of the `$groupidentify` event.
    """
    parts = (
        (f"group.set.{group_type}.", properties),
        ("group.", {group_type: group_key}),
        ("", ids(user_id=distinct_id)),
    )
    return emit("$groupidentify", parts, timestamp=timestamp, uuid=uuid)
