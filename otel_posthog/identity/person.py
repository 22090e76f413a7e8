"""Who an event is sent as: what the identity mode of a destination makes of a user, a session and groups.

In this order: `with_pseudonyms` replaces the ids of a translated event in the mode `pseudonymous`; the privacy filters
see to the rest of what it says of persons and groups; `person` decides who it is sent as; `with_change` adds what it
changes of a person or a group. Runs on the worker. It reads no clock and no environment.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from otel_posthog.errors import DropEvent
from otel_posthog.identity.pseudonyms import Pseudonyms, pseudonym_day, uuid7_ms
from otel_posthog.model import Event, EventKind, GroupUpdate, Note, Person, Subject
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
NO_KEY = "identity_key_missing"
MAX_DISTINCT_ID_CHARS = 200  # https://posthog.com/docs/api/capture: longer ones are cut or refused

# Present, and no address: PostHog stores the sender's IP address unless the event has an `$ip` of its own.
_NO_IP: dict[str, object] = {"$ip": "0.0.0.0"}  # noqa: S104 - nothing is bound to it
_SESSION_MAX_AGE_MS = 24 * 60 * 60 * 1000


def with_pseudonyms(event: Event, pseudonyms: Pseudonyms, note: Note) -> Event:
    """Return `event` with pseudonyms for ids.

    Args:
        event: As translated.
        pseudonyms: With the keys.
        note: Called with `identity_key_missing` for an id that is left out, with `distinct_id_invalid` for one that
            PostHog takes for no person's.

    Raises:
        DropEvent: `identity_key_missing`, when the group that the event updates cannot be named.
    """
    group = event.group and _group_with_pseudonym(event.group, event.time_ns, pseudonyms)
    return event._replace(subject=_subject_with_pseudonyms(event.subject, event.time_ns, pseudonyms, note), group=group)


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
        subject: Who, as the telemetry tells it, filtered; in the mode `pseudonymous` `with_pseudonyms` already.
        mode: `UNLINKED` uses nothing of `subject`, `INSTALLATION` the journey, `DAILY` the user and the journey.
        installation_id: The `distinct_id` of everything that has no user; in `UNLINKED` that of this event alone.
        time_ns: The event's time, for the salt of its day and the check of the session id.
        note: Told why a user id that was given is not used.
        pseudonyms: Has the salts of the days.
    """
    with_journey = _journey(subject.journey_id, mode, time_ns, note, pseudonyms) if subject.journey_id else _NO_IP
    if not mode.tells_users_apart:
        return Person(installation_id, has_profile=False, properties=with_journey)
    if mode is IdentityMode.DAILY:
        user_id = usable(subject.user_id, note, max_chars=None)
        today = _daily(user_id, subject.pseudonym, time_ns, note, pseudonyms or Pseudonyms())
        return Person(today or installation_id, has_profile=False, properties=with_journey)
    user_id = usable(subject.user_id, note)
    properties: dict[str, object] = {**with_journey, **_session(subject, time_ns)}
    if subject.groups:
        properties["$groups"] = dict(subject.groups)
    if user_id is None:
        # Another service's pseudonym says who acts; the person's profile is not this service's to know or change.
        handed_on = subject.pseudonym if subject.pseudonym and pseudonym_day(subject.pseudonym) == "" else None
        return Person(handed_on or installation_id, has_profile=False, properties=properties)
    if not subject.wants_profile:
        return Person(user_id, has_profile=False, properties=properties)
    for key, values in (("$set", subject.person_set), ("$set_once", subject.person_set_once)):
        if values:
            properties[key] = dict(values)
    return Person(user_id, has_profile=True, properties=properties)


def with_change(who: Person, event: Event, mode: IdentityMode) -> Person:
    """Return `who` with what `event` changes; an event that changes nothing leaves `who` as it is.

    Source: what posthog-python sends (`posthog/client.py`: `alias`, `group_identify`).

    Args:
        who: Who the event is sent as, as the mode has decided.
        event: The event; its subject and its group have passed the privacy filters.
        mode: The identity mode.

    Raises:
        DropEvent: `person_event`, where the mode has no persons; `person_unknown`, where there is no user whose person
            could be changed; `alias_invalid`, where the other id is one that PostHog takes for no person's.
    """
    if event.kind is EventKind.PRODUCT:
        return who
    if not mode.has_persons:
        raise DropEvent("person_event")
    # An event that changes something says that and no more; groups belong on product events.
    who = who._replace(properties={key: value for key, value in who.properties.items() if key != "$groups"})
    if event.kind is EventKind.GROUP_IDENTIFY and event.group is not None:
        return _group_update(who, event.group)
    if not who.has_profile:
        raise DropEvent("person_unknown")
    if event.kind is EventKind.ALIAS:
        return _alias(who, event.subject.alias)
    return who


def unlinked_id(event_uuid: str) -> str:
    """Return the `distinct_id` of an event that nothing links to another.

    A repeat has it too: PostHog takes two events for one by their uuid and `distinct_id` together.
    """
    return f"unlinked-{event_uuid}"


def usable(user_id: str | None, note: Note, *, max_chars: int | None = MAX_DISTINCT_ID_CHARS) -> str | None:
    """Return `user_id` if PostHog takes it for a person's; else None, and `distinct_id_invalid` is noted."""
    if user_id is None:
        return None
    too_long = max_chars is not None and len(user_id) > max_chars
    if too_long or user_id.strip().strip("\"'").lower() in ILLEGAL_DISTINCT_IDS:
        note("distinct_id_invalid")
        return None
    return user_id


def _subject_with_pseudonyms(subject: Subject, time_ns: int, pseudonyms: Pseudonyms, note: Note) -> Subject:
    def replaced(given: str | None, pseudonym: Callable[[str, int], str | None]) -> str | None:
        found = given and pseudonym(given, time_ns)
        if given and not found:
            note(NO_KEY)
        return found or None

    groups = {kind: replaced(key, partial(pseudonyms.group, kind)) for kind, key in subject.groups.items()}
    return subject._replace(
        user_id=replaced(usable(subject.user_id, note, max_chars=None), pseudonyms.user),
        alias=replaced(usable(subject.alias, note, max_chars=None), pseudonyms.user),
        session_id=replaced(subject.session_id, pseudonyms.session),
        window_id=replaced(subject.window_id, pseudonyms.window),
        journey_id=replaced(subject.journey_id, pseudonyms.journey),
        groups={kind: key for kind, key in groups.items() if key},
    )


def _group_with_pseudonym(group: GroupUpdate, time_ns: int, pseudonyms: Pseudonyms) -> GroupUpdate:
    key = pseudonyms.group(group.type, group.key, time_ns)
    if key is None:
        raise DropEvent(NO_KEY)
    return group._replace(key=key)


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


def _journey(
    journey_id: str, mode: IdentityMode, time_ns: int, note: Note, pseudonyms: Pseudonyms | None
) -> dict[str, object]:
    """Return what every event has, and the journey's id: where a mode has no lasting ids, the one of the day."""
    if mode is IdentityMode.UNLINKED:
        return _NO_IP
    found: str | None = journey_id
    if not mode.has_persons:
        found = (pseudonyms or Pseudonyms()).journey_of_day(journey_id, time_ns)
        if found is None:
            note("daily_salt_gone")
    return {**_NO_IP, "journey_id": found} if found else _NO_IP


def _session(subject: Subject, time_ns: int) -> dict[str, object]:
    """Return the session as PostHog's own property if it would take it, else as an ordinary one; and the window."""
    session_id, window_id = subject.session_id, subject.window_id
    found: dict[str, object] = {}
    if session_id is not None:
        found["$session_id" if _is_posthog_session(session_id, time_ns) else "session_id"] = session_id
    if window_id is not None:
        found["$window_id"] = window_id
    return found


def _is_posthog_session(session_id: str, time_ns: int) -> bool:
    """Return whether this is a UUIDv7 whose time is not after the event's and at most 24 hours before it.

    Source: https://posthog.com/docs/data/sessions#custom-session-ids.
    """
    started_ms = uuid7_ms(session_id)
    return started_ms is not None and 0 <= time_ns // 10**6 - started_ms <= _SESSION_MAX_AGE_MS


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
