"""The attributes that have a meaning of their own, and where each goes.

`sort_attributes` sorts the attributes of one item into what the app declared, what it says of persons and groups, and
the rest. The table of meanings is `docs/vocabulary.md`; names that OpenTelemetry's semantic conventions already have
come from their registry (https://opentelemetry.io/docs/specs/semconv/registry/attributes/user/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from otel_posthog.actor.attributes import (
    CONSENT_KEY,
    DNT_KEY,
    GPC_KEYS,
    GROUP_PREFIX,
    GROUP_SET_PREFIX,
    SESSION_ID_KEYS,
    USER_ID_KEYS,
    WINDOW_ID_KEYS,
    as_id,
)
from otel_posthog.actor.context import PSEUDONYM_ENTRY
from otel_posthog.model import Attributes, Note
from otel_posthog.posthog.properties import LibraryProperties, take_library_properties
from otel_posthog.recogniser import PREFIX

ALIAS_KEY = "analytics.user.alias"
JOURNEY_KEY = "analytics.journey.id"
UUID_KEY = "analytics.uuid"
TIMESTAMP_KEY = "analytics.timestamp"
DESTINATIONS_KEY = "analytics.posthog.destinations"

IDS = {
    **dict.fromkeys((*USER_ID_KEYS, ALIAS_KEY, PSEUDONYM_ENTRY), "user"),
    **dict.fromkeys(SESSION_ID_KEYS, "session"),
    **dict.fromkeys(WINDOW_ID_KEYS, "window"),
    JOURNEY_KEY: "journey",
}
"""The names of ids and whose each is, in the order in which they count."""

_RESERVED = frozenset({"analytics.event", UUID_KEY, TIMESTAMP_KEY, DESTINATIONS_KEY})
_CHOICES = frozenset({CONSENT_KEY, *GPC_KEYS, DNT_KEY})
_PROPERTY_PREFIX = "analytics.property."
_SET_PREFIX = "analytics.user.set."
_SET_ONCE_PREFIX = "analytics.user.set_once."


class Place(Enum):
    """Where an attribute goes."""

    TELEMETRY = auto()
    SHORT = auto()
    PROPERTY = auto()
    ID = auto()
    CHOICE = auto()
    SET = auto()
    SET_ONCE = auto()
    GROUP = auto()
    GROUP_SET = auto()
    NOWHERE = auto()
    INVALID = auto()


_TELEMETRY, _SHORT, _PROPERTY = Place.TELEMETRY, Place.SHORT, Place.PROPERTY
# Events have the same few keys; to look one up takes a fifth of the time of reading it.
_KEYS_KEPT, _MAX_KEPT_CHARS = 4096, 256
_known: dict[object, tuple[Place, str]] = {}


@dataclass(slots=True)
class SortedAttributes:
    """The attributes of one item, sorted by meaning.

    Attributes:
        properties: What the app declared of the event.
        telemetry: Everything outside `analytics.*`.
        ids: Ids of users, sessions, windows and journeys, by their full keys; any value.
        choices: What is said of consent and tracking, by its full key; any value.
        groups: Group type -> group key.
        group_set: Group type -> properties of that group.
        person_set: Person properties to set.
        person_set_once: Person properties to set where there are none.
        session_id: The session, as PostHog's libraries name it among the properties; any value.
        window_id: The window, named in the same way; any value.
        user_id: The user, named in the same way; any value.
        wants_profile: False where they ask for an event without a person's profile.
    """

    properties: dict[str, object] = field(default_factory=dict)
    telemetry: dict[str, object] = field(default_factory=dict)
    ids: dict[str, object] = field(default_factory=dict)
    choices: dict[str, object] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    group_set: dict[str, dict[str, object]] = field(default_factory=dict)
    person_set: dict[str, object] = field(default_factory=dict)
    person_set_once: dict[str, object] = field(default_factory=dict)
    session_id: object = None
    window_id: object = None
    user_id: object = None
    wants_profile: bool = True


def sort_attributes(attributes: Attributes, note: Note) -> SortedAttributes:
    """Return `attributes` sorted; reserved names are in none of the parts.

    Args:
        attributes: The attributes of one item.
        note: Called with `key_invalid` for a key that is no text or names nothing, `group_key_invalid` for a group
            whose key is neither text nor an integer.
    """
    found = SortedAttributes()
    telemetry, properties, known = found.telemetry, found.properties, _known.get
    for key, value in attributes.items():
        place, name = known(key) or place_of(key)
        if place is _PROPERTY:
            properties[name] = value
        elif place is _TELEMETRY:
            telemetry[key] = value
        elif place is _SHORT:
            # `analytics.property.x` wins over `analytics.x`, in whatever order they were set.
            properties.setdefault(name, value)
        else:
            _put(found, place, name, value, note)
    said = take_library_properties(properties, note)
    if said is not None:
        _add_library_properties(found, said)
    return found


def place_of(key: object) -> tuple[Place, str]:
    """Return where an attribute of this key goes, and under which name; it is remembered if it is short enough."""
    found = _known.get(key)
    if found is not None:
        return found
    # The SDK lets only texts through as keys; what comes over a wire or from a fake need not have met it.
    place = _place(key) if isinstance(key, str) else (Place.INVALID, "")
    if type(key) is str and len(key) <= _MAX_KEPT_CHARS:
        if len(_known) >= _KEYS_KEPT:
            _known.clear()
        _known[key] = place
    return place


def _place(key: str) -> tuple[Place, str]:
    """Return where an attribute goes, and under which name; a longer prefix is asked before the one it begins with."""
    for place, keys in ((Place.ID, IDS), (Place.CHOICE, _CHOICES), (Place.NOWHERE, _RESERVED)):
        if key in keys:
            return place, key
    if not key.startswith(PREFIX):
        return Place.TELEMETRY, key
    name = key[len(PREFIX) :]
    if name and "." not in name:
        return Place.SHORT, name
    if key.endswith("."):
        return Place.INVALID, ""
    for place, prefix in _PREFIXES:
        if key.startswith(prefix):
            return place, key[len(prefix) :]
    return Place.SHORT, name


_PREFIXES = (
    (Place.PROPERTY, _PROPERTY_PREFIX),
    (Place.SET, _SET_PREFIX),
    (Place.SET_ONCE, _SET_ONCE_PREFIX),
    (Place.GROUP_SET, GROUP_SET_PREFIX),
    (Place.GROUP, GROUP_PREFIX),
)


def _put(found: SortedAttributes, place: Place, name: str, value: object, note: Note) -> None:
    """Put the value of an attribute that is neither a property nor telemetry alone where it belongs."""
    if place is Place.INVALID:
        note("key_invalid")
    elif place is Place.ID or place is Place.CHOICE:
        (found.ids if place is Place.ID else found.choices)[name] = value
        if not name.startswith(PREFIX):
            found.telemetry[name] = value
    elif place is Place.SET:
        found.person_set[name] = value
    elif place is Place.SET_ONCE:
        found.person_set_once[name] = value
    elif place is Place.GROUP:
        _place_group(found, name, value, note)
    elif place is Place.GROUP_SET:
        _place_group_property(found, name, value, note)


def _place_group(found: SortedAttributes, group_type: str, value: object, note: Note) -> None:
    group_key = as_id(value)
    if group_key is None:
        note("group_key_invalid")
    else:
        found.groups[group_type] = group_key


def _place_group_property(found: SortedAttributes, rest: str, value: object, note: Note) -> None:
    group_type, _, name = rest.partition(".")
    if not group_type or not name:
        note("key_invalid")
    else:
        found.group_set.setdefault(group_type, {})[name] = value


def _add_library_properties(found: SortedAttributes, said: LibraryProperties) -> None:
    """Add what a library of PostHog's says of who acts; an attribute of that meaning wins."""
    for part, values in ((found.person_set, said.person_set), (found.person_set_once, said.person_set_once)):
        for name, value in values.items():
            part.setdefault(name, value)
    for group_type, group_key in said.groups.items():
        found.groups.setdefault(group_type, group_key)
    found.session_id, found.window_id = said.session_id, said.window_id
    found.user_id, found.wants_profile = said.user_id, said.wants_profile


def first_id(keys: Iterable[str], note: Note, invalid: str, *layers: Mapping[str, object]) -> str | None:
    """Return the first usable value of `keys` in the first of `layers` that has one, as text.

    Args:
        keys: In the order in which they count.
        note: Called with `invalid` for each value that is no id; an empty text is nobody, not a mistake.
        invalid: The reason.
        layers: The attributes to look in, nearest first.
    """
    for layer in layers:
        if not layer:
            continue
        for key in keys:
            value = layer.get(key)
            if value is None:
                continue
            found = as_id(value)
            if found is not None:
                return found
            if not isinstance(value, str):
                note(invalid)
    return None
