"""Who an event is sent as.

Comes in: the `Subject` that the telemetry tells, already through the privacy filters. Goes out: the `Person` that the
destination's identity mode allows. Runs on the worker. It reads no clock and no environment.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from otel_posthog.model import Person, Subject
from otel_posthog.policy import IdentityMode

# PostHog keeps these from ever becoming a person, since they are usually a programming mistake that would merge users:
# https://posthog.com/docs/product-analytics/identify ("invalid distinct ids").
ILLEGAL_DISTINCT_IDS = frozenset(
    {
        "anonymous",
        "guest",
        "distinctid",
        "distinct_id",
        "id",
        "not_authenticated",
        "email",
        "undefined",
        "true",
        "false",
        "null",
        "none",
        "nil",
        "nan",
        "[object object]",
        "0",
        "-1",
        "user",
        "system",
    }
)
MAX_DISTINCT_ID_CHARS = 200  # https://posthog.com/docs/api/capture: longer ones are cut or refused

# Present, and no address: PostHog stores the sender's IP address unless the event has an `$ip` of its own.
_NO_IP = {"$ip": "0.0.0.0"}  # noqa: S104 - nothing is bound to it
_SESSION_MAX_AGE_MS = 24 * 60 * 60 * 1000


def person(
    subject: Subject, mode: IdentityMode, *, installation_id: str, time_ns: int, note: Callable[[str], None]
) -> Person:
    """Return who an event about `subject` is sent as.

    Args:
        subject: Who, as the telemetry tells it.
        mode: `ANONYMOUS` uses nothing of `subject`.
        installation_id: The `distinct_id` of everything that has no user.
        time_ns: The event's time, for the check of the session id.
        note: Told `distinct_id_invalid` when the user id cannot be one.
    """
    if mode is IdentityMode.ANONYMOUS:
        return Person(installation_id, has_profile=False, properties=_NO_IP)
    user_id = subject.user_id
    if user_id is not None and not _is_usable(user_id):
        note("distinct_id_invalid")
        user_id = None
    properties: dict[str, object] = {**_NO_IP, **_session(subject.session_id, time_ns)}
    if subject.groups:
        properties["$groups"] = dict(subject.groups)
    if user_id is None:
        return Person(installation_id, has_profile=False, properties=properties)
    for key, values in (("$set", subject.person_set), ("$set_once", subject.person_set_once)):
        if values:
            properties[key] = dict(values)
    return Person(user_id, has_profile=True, properties=properties)


def _is_usable(user_id: str) -> bool:
    return len(user_id) <= MAX_DISTINCT_ID_CHARS and user_id.strip().strip("\"'").lower() not in ILLEGAL_DISTINCT_IDS


def _session(session_id: str | None, time_ns: int) -> dict[str, object]:
    """Return the session as PostHog's own property if it would take it, else as an ordinary one."""
    if session_id is None:
        return {}
    return {"$session_id" if _is_posthog_session(session_id, time_ns) else "session_id": session_id}


def _is_posthog_session(session_id: str, time_ns: int) -> bool:
    """Return whether this is a UUIDv7 whose time is not after the event's and at most 24 hours before it.

    Source: https://posthog.com/docs/data/sessions#custom-session-ids.
    """
    try:
        parsed = uuid.UUID(session_id)
    except ValueError:
        return False
    age_ms = time_ns // 10**6 - (parsed.int >> 80)
    return parsed.version == 7 and 0 <= age_ms <= _SESSION_MAX_AGE_MS
