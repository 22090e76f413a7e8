"""Who an event is sent as.

Comes in: the `Subject` that the telemetry tells, already through the privacy filters. Goes out: the `Person` that the
destination's identity mode allows. Runs on the worker. It reads no clock and no environment.
"""

from __future__ import annotations

import uuid

from otel_posthog.identity.pseudonyms import Pseudonyms, pseudonym_day
from otel_posthog.model import Note, Person, Subject
from otel_posthog.policy import IdentityMode
from otel_posthog.values import moment_of

# PostHog keeps these from ever becoming a person, since they are usually a programming mistake that would merge users:
# https://posthog.com/docs/product-analytics/identify ("invalid distinct ids").
ILLEGAL_DISTINCT_IDS = frozenset(
    {
        "",
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
_UUID_DIGITS = 32
_SESSION_MAX_AGE_MS = 24 * 60 * 60 * 1000


def person(  # noqa: PLR0913 - what a mode decides by
    subject: Subject,
    mode: IdentityMode,
    *,
    installation_id: str,
    time_ns: int,
    note: Note,
    pseudonyms: Pseudonyms | None = None,
) -> Person:
    """Return who an event about `subject` is sent as.

    Args:
        subject: Who, as the telemetry tells it; in the mode `pseudonymous` already `disguised`.
        mode: `UNLINKED` and `INSTALLATION` use nothing of `subject`, `DAILY` the user alone.
        installation_id: The `distinct_id` of everything that has no user; in `UNLINKED` that of this event alone.
        time_ns: The event's time, for the salt of its day and the check of the session id.
        note: Told why a user id that was given is not used.
        pseudonyms: Has the salts of the mode `daily`.
    """
    if not mode.tells_users_apart:
        return Person(installation_id, has_profile=False, properties=_NO_IP)
    if mode is IdentityMode.DAILY:
        user_id = usable(subject.user_id, note, max_chars=None)
        today = _daily(user_id, subject.pseudonym, time_ns, note, pseudonyms or Pseudonyms())
        return Person(today or installation_id, has_profile=False, properties=_NO_IP)
    user_id = usable(subject.user_id, note)
    properties: dict[str, object] = {**_NO_IP, **_session(subject.session_id, time_ns)}
    if subject.groups:
        properties["$groups"] = dict(subject.groups)
    if user_id is None:
        # A pseudonym from another service is who it is, but nobody whose profile this service could know or change.
        handed_on = subject.pseudonym if subject.pseudonym and pseudonym_day(subject.pseudonym) == "" else None
        return Person(handed_on or installation_id, has_profile=False, properties=properties)
    if not subject.wants_profile:
        return Person(user_id, has_profile=False, properties=properties)
    for key, values in (("$set", subject.person_set), ("$set_once", subject.person_set_once)):
        if values:
            properties[key] = dict(values)
    return Person(user_id, has_profile=True, properties=properties)


def unlinked_id(event_uuid: str) -> str:
    """Return the `distinct_id` of an event that nothing links to another.

    A repeat has it too: PostHog takes two events for one by their uuid and `distinct_id` together.
    """
    return f"unlinked-{event_uuid}"


def usable(user_id: str | None, note: Note, *, max_chars: int | None = MAX_DISTINCT_ID_CHARS) -> str | None:
    """Return `user_id` if it can be somebody's; else None, and `distinct_id_invalid` is noted."""
    if user_id is None:
        return None
    too_long = max_chars is not None and len(user_id) > max_chars
    if too_long or user_id.strip().strip("\"'").lower() in ILLEGAL_DISTINCT_IDS:
        note("distinct_id_invalid")
        return None
    return user_id


def _daily(user_id: str | None, pseudonym: str | None, time_ns: int, note: Note, pseudonyms: Pseudonyms) -> str | None:
    """Return the id of a user on the day of `time_ns`: from the user's id, else from what another service sent."""
    if user_id is None and pseudonym is not None:
        day = pseudonym_day(pseudonym)
        if day:
            # One of another day would link this day to that one.
            return pseudonym if day == f"{moment_of(time_ns):%Y%m%d}" else None
        user_id = pseudonym if day == "" else None
    if user_id is None:
        return None
    found = pseudonyms.daily(user_id, time_ns)
    if found is None:
        note("daily_salt_gone")
    return found


def _session(session_id: str | None, time_ns: int) -> dict[str, object]:
    """Return the session as PostHog's own property if it would take it, else as an ordinary one."""
    if session_id is None:
        return {}
    return {"$session_id" if _is_posthog_session(session_id, time_ns) else "session_id": session_id}


def _is_posthog_session(session_id: str, time_ns: int) -> bool:
    """Return whether this is a UUIDv7 whose time is not after the event's and at most 24 hours before it.

    Source: https://posthog.com/docs/data/sessions#custom-session-ids.
    """
    if len(session_id) < _UUID_DIGITS:
        return False
    try:
        parsed = uuid.UUID(session_id)
    except ValueError:
        return False
    age_ms = time_ns // 10**6 - (parsed.int >> 80)
    return parsed.version == 7 and 0 <= age_ms <= _SESSION_MAX_AGE_MS
