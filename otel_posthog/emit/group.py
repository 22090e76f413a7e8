"""What a group is: `group_identify()`."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from otel_posthog.any_value import Id
from otel_posthog.emit.record import Moment, emit, ids


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

    The identity mode must allow groups; in the mode `installation`, the default, nothing of it is sent.

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
