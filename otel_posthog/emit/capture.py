"""`capture()`: what somebody did."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from otel_posthog.any_value import Id
from otel_posthog.emit.record import Moment, emit, ids


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
            `$session_id`, `distinct_id` and `$process_person_profile` mean what they mean to posthog-python, as far as
            the identity mode lets them. `analytics.consent` is the attribute: what is no plain yes is a denial.
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
