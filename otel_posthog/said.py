"""What attributes say of who acts, and whether they agree: the keys, and how their values are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from otel_posthog.model import Attributes
from otel_posthog.privacy_control import DNT_KEY, GPC_KEYS
from otel_posthog.route import EVENT
from otel_posthog.values import MAX_ID_BITS

USER_ID_KEYS = (
    "analytics.user.id",
    "user.id",
    "enduser.id",
    "enduser.pseudo.id",
    "posthogDistinctId",
    "posthog.distinct_id",
)
SESSION_ID_KEYS = ("analytics.session.id", "session.id", "sessionId", "posthog.session_id")
GROUP_PREFIX = "analytics.group."
GROUP_SET_PREFIX = "analytics.group.set."
CONSENT_KEY = "analytics.consent"

_KEYS = frozenset({*USER_ID_KEYS, *SESSION_ID_KEYS, CONSENT_KEY, *GPC_KEYS, DNT_KEY})
KEPT_KEYS = _KEYS | {EVENT}
"""Of those that `is_kept` names the ones that are no group's."""

_YES = frozenset({"true", "1", "yes", "on", "granted"})


def tells_who(key: object) -> bool:
    """Return whether an attribute of this key says who acts, or whether they agree; `key` may be anything."""
    return isinstance(key, str) and (
        key in _KEYS or (key.startswith(GROUP_PREFIX) and not key.startswith(GROUP_SET_PREFIX))
    )


def is_kept(key: object) -> bool:
    """Return whether an attribute of this key counts though the SDK evicts it: who acts, and the mark of an event."""
    return tells_who(key) or (isinstance(key, str) and key == EVENT)


def may_keep(attributes: Mapping[str, object]) -> bool:
    """Return whether any of `attributes` may be kept; a look only, as the app sets many and most are not."""
    try:
        return not KEPT_KEYS.isdisjoint(attributes) or GROUP_PREFIX in "\n".join(attributes)
    except TypeError:  # a key may be anything
        return True


def says_nothing(attributes: Attributes) -> bool:
    """Return whether none of `attributes` says who acts, but for groups; a look only, as most say nothing."""
    return _KEYS.isdisjoint(attributes)


def who_in(attributes: Attributes) -> dict[str, object]:
    """Return those of `attributes` that say who acts, or whether they agree, whatever keys there are."""
    return {key: value for key, value in attributes.items() if tells_who(key)}


def ids_in(attributes: Attributes) -> Iterator[tuple[str, str]]:
    """Yield (whose, id) of every id of a user or a session among `attributes`, whichever of them wins."""
    for what, keys in (("user", USER_ID_KEYS), ("session", SESSION_ID_KEYS)):
        for key in keys:
            found = as_id(attributes.get(key))
            if found is not None:
                yield what, found


def agrees(value: object) -> bool:
    """Return whether a value of `analytics.consent` is a yes; what is not plainly one is a denial."""
    return value is True or (isinstance(value, str) and value.strip().lower() in _YES)


def first_id_in(keys: Iterable[str], attributes: Mapping[str, object]) -> str | None:
    """Return the first usable id among `keys`, as text; None where there is none."""
    for key in keys:
        found = as_id(attributes.get(key))
        if found is not None:
            return found
    return None


def as_id(value: object) -> str | None:
    """Return an id as text, or None for what is no id: texts without a character, and all but texts and integers."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= MAX_ID_BITS:
        return str(value)
    return None
