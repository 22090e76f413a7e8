"""The attributes that have a meaning of their own, and where each goes.

`read` sorts the attributes of one item into what the app declared, who it says acted, and the rest. The table of
meanings is the README's; names that OpenTelemetry's semantic conventions already have come from their registry
(https://opentelemetry.io/docs/specs/semconv/registry/attributes/user/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from otel_posthog.model import Attributes
from otel_posthog.route import PREFIX

USER_ID_KEYS = (
    "analytics.user.id",
    "user.id",
    "enduser.id",
    "enduser.pseudo.id",
    "posthogDistinctId",
    "posthog.distinct_id",
)
SESSION_ID_KEYS = ("analytics.session.id", "session.id", "sessionId", "posthog.session_id")
UUID_KEY = "analytics.uuid"
TIMESTAMP_KEY = "analytics.timestamp"
CONSENT_KEY = "analytics.consent"
RECORD_UID_KEY = "log.record.uid"

_RESERVED = frozenset(
    {
        "analytics.event",
        "analytics.user.id",
        "analytics.user.alias",
        "analytics.session.id",
        UUID_KEY,
        TIMESTAMP_KEY,
        CONSENT_KEY,
    }
)
_PROPERTY = "analytics.property."
_SET = "analytics.user.set."
_SET_ONCE = "analytics.user.set_once."
_GROUP = "analytics.group."
_GROUP_SET = "analytics.group.set."


@dataclass(slots=True)
class Sorted:
    """The attributes of one item, sorted by meaning."""

    properties: dict[str, object] = field(default_factory=dict)
    telemetry: dict[str, object] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    person_set: dict[str, object] = field(default_factory=dict)
    person_set_once: dict[str, object] = field(default_factory=dict)


def read(attributes: Attributes) -> Sorted:
    """Return `attributes` sorted; reserved names and empty keys are in none of the parts."""
    found = Sorted()
    for key, value in attributes.items():
        if not key.startswith(PREFIX):
            found.telemetry[key] = value
        elif key not in _RESERVED:
            _place(found, key, value)
    return found


def _place(found: Sorted, key: str, value: object) -> None:
    """Put one `analytics.*` attribute where it belongs; a longer prefix is asked before the one it begins with."""
    for prefix, part in ((_PROPERTY, found.properties), (_SET, found.person_set), (_SET_ONCE, found.person_set_once)):
        if key.startswith(prefix):
            part[key[len(prefix) :]] = value
            return
    if key.startswith(_GROUP_SET):
        return  # the properties of a group travel in an event of their own
    if key.startswith(_GROUP):
        found.groups[key[len(_GROUP) :]] = str(value)
        return
    # `analytics.property.x` wins over `analytics.x`, in whatever order they were set.
    found.properties.setdefault(key[len(PREFIX) :], value)


def first(keys: Iterable[str], *layers: Mapping[str, object]) -> str | None:
    """Return the first usable value of `keys` in the first of `layers` that has one, as text."""
    for layer in layers:
        for key in keys:
            value = layer.get(key)
            if isinstance(value, bool) or not isinstance(value, (str, int)):
                continue
            text = str(value).strip()
            if text:
                return text
    return None
