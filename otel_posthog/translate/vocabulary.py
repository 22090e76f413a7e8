"""The attributes that have a meaning of their own, and where each goes.

`read` sorts the attributes of one item into what the app declared, what it says of persons and groups, and the rest.
The table of meanings is `docs/vocabulary.md`; names that OpenTelemetry's semantic conventions already have come from
their registry (https://opentelemetry.io/docs/specs/semconv/registry/attributes/user/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from otel_posthog.context import PSEUDONYM_ENTRY
from otel_posthog.model import Attributes
from otel_posthog.route import PREFIX
from otel_posthog.said import CONSENT_KEY, GROUP_PREFIX, GROUP_SET_PREFIX, as_id
from otel_posthog.translate.note import Note
from otel_posthog.translate.posthog_keys import heed
from otel_posthog.translate.sorted import Sorted

ALIAS_KEY = "analytics.user.alias"
UUID_KEY = "analytics.uuid"
TIMESTAMP_KEY = "analytics.timestamp"

_RESERVED = frozenset(
    {
        "analytics.event",
        "analytics.user.id",
        "analytics.session.id",
        ALIAS_KEY,
        UUID_KEY,
        TIMESTAMP_KEY,
        CONSENT_KEY,
        # What a processor that copies baggage to spans makes of what `user_context` puts there.
        PSEUDONYM_ENTRY,
    }
)
_PROPERTY = "analytics.property."
_SET = "analytics.user.set."
_SET_ONCE = "analytics.user.set_once."


def read(attributes: Attributes, note: Note) -> Sorted:
    """Return `attributes` sorted; reserved names are in none of the parts.

    Args:
        attributes: The attributes of one item.
        note: Told `key_invalid` for a key that is no text or names nothing, `group_key_invalid` for a group whose key
            is neither text nor an integer.
    """
    found = Sorted()
    # The SDK lets only texts through as keys; what comes over a wire or from a fake need not have met it.
    items: Iterable[tuple[object, object]] = attributes.items()
    for key, value in items:
        if not isinstance(key, str):
            note("key_invalid")
        elif not key.startswith(PREFIX):
            found.telemetry[key] = value
        elif key not in _RESERVED:
            _place(found, key, value, note)
    heed(found, note)
    return found


def _place(found: Sorted, key: str, value: object, note: Note) -> None:
    """Put one `analytics.*` attribute where it belongs; a longer prefix is asked before the one it begins with."""
    name = key[len(PREFIX) :]
    if name and "." not in name:
        found.properties.setdefault(name, value)
        return
    if key.endswith("."):
        note("key_invalid")
        return
    for prefix, part in ((_PROPERTY, found.properties), (_SET, found.person_set), (_SET_ONCE, found.person_set_once)):
        if key.startswith(prefix):
            part[key[len(prefix) :]] = value
            return
    if key.startswith(GROUP_SET_PREFIX):
        _place_group_property(found, key[len(GROUP_SET_PREFIX) :], value, note)
    elif key.startswith(GROUP_PREFIX):
        _place_group(found, key[len(GROUP_PREFIX) :], value, note)
    else:
        # `analytics.property.x` wins over `analytics.x`, in whatever order they were set.
        found.properties.setdefault(name, value)


def _place_group(found: Sorted, group_type: str, value: object, note: Note) -> None:
    group_key = as_id(value)
    if group_key is None:
        note("group_key_invalid")
    else:
        found.groups[group_type] = group_key


def _place_group_property(found: Sorted, rest: str, value: object, note: Note) -> None:
    group_type, _, name = rest.partition(".")
    if not group_type or not name:
        note("key_invalid")
    else:
        found.group_set.setdefault(group_type, {})[name] = value


def first_id(keys: Iterable[str], note: Note, invalid: str, *layers: Mapping[str, object]) -> str | None:
    """Return the first usable value of `keys` in the first of `layers` that has one, as text.

    Args:
        keys: In the order in which they count.
        note: Told `invalid` for each value that is no id; an empty text is nobody, not a mistake.
        invalid: The reason.
        layers: The attributes to look in, nearest first.
    """
    for layer in layers:
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
