"""Properties by which PostHog's own libraries say who acts: taken for the attributes that OpenTelemetry has for it.

Comes in: the attributes of one item, sorted. Goes out: the same with these names among what the item says of persons,
groups and the session, where the identity mode decides on them; an attribute of that meaning wins. Runs on the worker.

Source: posthog-python (`posthog/client.py`), https://posthog.com/docs/data/events#default-properties.
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_posthog.model import Attributes
from otel_posthog.said import as_id
from otel_posthog.translate.note import Note
from otel_posthog.translate.sorted import Sorted

_SET, _SET_ONCE, _GROUPS = "$set", "$set_once", "$groups"
_SESSION, _USER, _PROFILE = "$session_id", "distinct_id", "$process_person_profile"
_ALL = frozenset({_SET, _SET_ONCE, _GROUPS, _SESSION, _USER, _PROFILE})


def heed(found: Sorted, note: Note) -> None:
    """Move what stands under these names in `found.properties` to where it belongs.

    Args:
        found: The attributes of one item, sorted.
        note: Told `posthog_key_invalid` for a value that is none, `group_key_invalid` for a group's key that is none.
    """
    if _ALL.isdisjoint(found.properties):
        return
    given = {key: found.properties.pop(key) for key in _ALL if key in found.properties}
    for key, part in ((_SET, found.person_set), (_SET_ONCE, found.person_set_once)):
        for name, value in _map(given.get(key), note).items():
            part.setdefault(name, value)
    for kind, value in _map(given.get(_GROUPS), note).items():
        group = as_id(value)
        if group is None:
            note("group_key_invalid")
        else:
            found.groups.setdefault(kind, group)
    found.session_id, found.user_id = given.get(_SESSION), given.get(_USER)
    found.wants_profile = _flag(given.get(_PROFILE), note)


def _map(value: object, note: Note) -> Attributes:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        note("posthog_key_invalid")
        return {}
    return {key: each for key, each in value.items() if isinstance(key, str)}


def _flag(value: object, note: Note) -> bool:
    """Return whether a profile is wanted: unless it is plainly said to be not."""
    if value is None or isinstance(value, bool):
        return value is not False
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in {"true", "false"}:
        note("posthog_key_invalid")
    return text != "false"
