"""Properties that PostHog acts on: those that an app may not set, and those by which PostHog's libraries say who acts.

`take_library_properties` gets the properties of one event and takes out what posthog-python sends as `$set`, `$groups`,
`distinct_id` and the like, so that the identity mode decides on it. `reserved_by` knows the names that only identity
and the encoding of an event may write. Both run on the worker.

Source: posthog-python (`posthog/client.py`), https://posthog.com/docs/data/events#default-properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from otel_posthog.actor.attributes import as_id
from otel_posthog.model import Attributes, Note

# Of `$exception_list`: of posthog-python's 50 exceptions and any number of frames, what a person reads.
MAX_EXCEPTIONS, MAX_FRAMES = 20, 50

_RESERVED = frozenset(
    {
        "$set",
        "$set_once",
        "$unset",
        "$groups",
        "$group_type",
        "$group_key",
        "$group_set",
        # What ingestion turns `$groups` into.
        *(f"$group_{index}" for index in range(5)),
        "$ip",
        "$session_id",
        "$window_id",
        "$device_id",
        "$user_id",
        "$distinct_id",
        "distinct_id",
        "$anon_distinct_id",
        "$identified_id",
        "$process_person_profile",
        "$person_mode",
        "$is_identified",
        "$ignore_sent_at",
        "$cookieless_mode",
        "$cookieless_extra",
        "$product_tour_id",
        "token",
        # The delivery's headers say which library sends; inside an event these would only contradict them.
        "$lib",
        "$lib_version",
    }
)
_RESERVED_PREFIXES = ("$geoip_",)
# A country says little; an app that knows it may tell.
_COARSE = frozenset({"$geoip_country_name", "$geoip_country_code", "$geoip_continent_name", "$geoip_continent_code"})

SAMPLED, TRACE_URL = "trace_sampled", "trace_url"
JOURNEY = "journey_id"
OF_TRACE = frozenset({"$trace_id", "$span_id", SAMPLED, TRACE_URL})
"""What an event says of its trace; an app's property of such a name is not sent, whether there is a trace or not."""

_SET, _SET_ONCE, _GROUPS = "$set", "$set_once", "$groups"
_SESSION, _WINDOW = "$session_id", "$window_id"
_USER, _PROFILE = "distinct_id", "$process_person_profile"
LIBRARIES = frozenset({_SET, _SET_ONCE, _GROUPS, _SESSION, _WINDOW, _USER, _PROFILE})
"""The properties in which PostHog's libraries say who acts."""


class LibraryProperties(NamedTuple):
    """Who acts, as a library of PostHog's says it among the properties of an event.

    Attributes:
        person_set: Person properties to set.
        person_set_once: Person properties to set where there are none.
        groups: Group type -> group key.
        session_id: The session; any value.
        window_id: The window of the browser; any value.
        user_id: The user; any value.
        wants_profile: False where an event without a person's profile is asked for.
    """

    person_set: Attributes
    person_set_once: Attributes
    groups: Mapping[str, str]
    session_id: object
    window_id: object
    user_id: object
    wants_profile: bool


def reserved_names() -> frozenset[str]:
    """Return the names that PostHog acts on and an app may not set by itself."""
    return _RESERVED


# Every event brings the same few names again.
@lru_cache(maxsize=4096)
def is_reserved(name: str) -> bool:
    """Return whether PostHog acts on the property `name`, so that an app may not set it."""
    return name in _RESERVED or (name.startswith(_RESERVED_PREFIXES) and name not in _COARSE)


def reserved_by(name: str) -> str:
    """Return the rule by which an app may not set a property `name` of an event, a person or a group; empty: it may."""
    return "trace_name" if name in OF_TRACE else "reserved" if is_reserved(name) else ""


def take_library_properties(properties: dict[str, object], note: Note) -> LibraryProperties | None:
    """Take out what PostHog's libraries say of persons, groups, session and window; None if it is nothing.

    Args:
        properties: Those of one event.
        note: Called with `posthog_key_invalid` for a value of the wrong type, `group_key_invalid` for a group's key
            that is none.
    """
    if LIBRARIES.isdisjoint(properties):
        return None
    given = {key: properties.pop(key) for key in LIBRARIES if key in properties}
    return LibraryProperties(
        person_set=_map(given.get(_SET), note),
        person_set_once=_map(given.get(_SET_ONCE), note),
        groups=_group_keys(_map(given.get(_GROUPS), note), note),
        session_id=given.get(_SESSION),
        window_id=given.get(_WINDOW),
        user_id=given.get(_USER),
        wants_profile=_flag(given.get(_PROFILE), note),
    )


def _map(value: object, note: Note) -> Attributes:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        note("posthog_key_invalid")
        return {}
    return {key: each for key, each in value.items() if isinstance(key, str)}


def _group_keys(groups: Attributes, note: Note) -> dict[str, str]:
    keys: dict[str, str] = {}
    for group_type, value in groups.items():
        key = as_id(value)
        if key is None:
            note("group_key_invalid")
        else:
            keys[group_type] = key
    return keys


def _flag(value: object, note: Note) -> bool:
    """Return whether a profile is wanted: unless it is plainly said to be not."""
    if value is None or isinstance(value, bool):
        return value is not False
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in {"true", "false"}:
        note("posthog_key_invalid")
    return text != "false"
