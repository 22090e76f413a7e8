"""The mode `pseudonymous`: an event whose ids are replaced by pseudonyms before anything else is decided on it.

Comes in: a translated `Event`. Goes out: the same with every id of a person, session or group replaced by what stands
for it under the key of the event's time; an id that there is no key for is left out and noted. Runs on the worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from otel_posthog.errors import DropEvent
from otel_posthog.identity.modes import usable
from otel_posthog.identity.pseudonyms import Pseudonyms
from otel_posthog.model import Event, GroupUpdate, Note, Subject

NO_KEY = "identity_key_missing"


def disguised(event: Event, pseudonyms: Pseudonyms, note: Note) -> Event:
    """Return `event` with pseudonyms for ids.

    Args:
        event: As translated.
        pseudonyms: With the keys.
        note: Told `identity_key_missing` for an id that is left out, `distinct_id_invalid` for one that is nobody's.

    Raises:
        DropEvent: `identity_key_missing`, when the group that the event updates cannot be named.
    """
    group = event.group and _group(event.group, event.time_ns, pseudonyms)
    return event._replace(subject=_subject(event.subject, event.time_ns, pseudonyms, note), group=group)


def _subject(subject: Subject, time_ns: int, pseudonyms: Pseudonyms, note: Note) -> Subject:
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
        groups={kind: key for kind, key in groups.items() if key},
    )


def _group(group: GroupUpdate, time_ns: int, pseudonyms: Pseudonyms) -> GroupUpdate:
    key = pseudonyms.group(group.type, group.key, time_ns)
    if key is None:
        raise DropEvent(NO_KEY)
    return replace(group, key=key)
