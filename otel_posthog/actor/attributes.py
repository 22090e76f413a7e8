"""Attributes that say who acts, or whether they agree: their keys, and how their values are read.

Among them are the headers `Sec-GPC` and `DNT`, by which a browser objects to tracking, as an instrumentation captures
them. Sources: https://w3c.github.io/gpc/#the-sec-gpc-header-field-for-http-requests,
https://www.w3.org/TR/tracking-dnt/, https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/
(`http.request.header.<key>`, a list of strings). A proxy may repeat a header or join two of them, and a wrong value is
no consent: only the absence of the header and an explicit `0` are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from otel_posthog.model import Attributes
from otel_posthog.recogniser import EVENT
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
# The second as posthog-js writes it on log records.
WINDOW_ID_KEYS = ("analytics.window.id", "window.id")
GROUP_PREFIX = "analytics.group."
GROUP_SET_PREFIX = "analytics.group.set."
CONSENT_KEY = "analytics.consent"
# With a hyphen as the semantic conventions have it, with an underscore as instrumentations of Python write it.
GPC_KEYS = ("http.request.header.sec-gpc", "http.request.header.sec_gpc")
DNT_KEY = "http.request.header.dnt"

CHOICE_KEYS = (CONSENT_KEY, *GPC_KEYS, DNT_KEY)

_KEYS = frozenset({*USER_ID_KEYS, *SESSION_ID_KEYS, *WINDOW_ID_KEYS, *CHOICE_KEYS})
KEPT_KEYS = _KEYS | {EVENT}
"""Of those that `is_kept` names the ones that are no group's."""

_YES = frozenset({"true", "1", "yes", "on", "granted"})


def is_actor_key(key: object) -> bool:
    """Return whether an attribute of this key says who acts, or whether they agree; `key` may be anything."""
    return isinstance(key, str) and (
        key in _KEYS or (key.startswith(GROUP_PREFIX) and not key.startswith(GROUP_SET_PREFIX))
    )


def is_kept(key: object) -> bool:
    """Return whether an attribute of this key counts though the SDK evicts it: who acts, and the mark of an event."""
    return is_actor_key(key) or (isinstance(key, str) and key == EVENT)


def may_keep(attributes: Mapping[str, object]) -> bool:
    """Return whether any of `attributes` may be kept: a cheap prefilter, as the app sets many and most are not."""
    try:
        return not KEPT_KEYS.isdisjoint(attributes) or GROUP_PREFIX in "\n".join(attributes)
    except TypeError:  # a key may be anything
        return True


def says_nothing(attributes: Attributes) -> bool:
    """Return whether none of `attributes` says who acts, groups aside: a cheap prefilter, as most say nothing."""
    return _KEYS.isdisjoint(attributes)


def who_in(attributes: Attributes) -> dict[str, object]:
    """Return those of `attributes` that say who acts, or whether they agree, whatever keys there are."""
    return {key: value for key, value in attributes.items() if is_actor_key(key)}


def ids_in(attributes: Attributes) -> Iterator[tuple[str, str]]:
    """Yield (whose, id) of every id of a user, session or window among `attributes`, whichever of them wins."""
    for what, keys in (("user", USER_ID_KEYS), ("session", SESSION_ID_KEYS), ("window", WINDOW_ID_KEYS)):
        for key in keys:
            # Of most keys there is nothing, and a call would cost more than the look.
            if (given := attributes.get(key)) is not None and (found := as_id(given)) is not None:
                yield what, found


def agrees(value: object) -> bool:
    """Return whether a value of `analytics.consent` is a yes; what is not plainly one is a denial."""
    return value is True or (isinstance(value, str) and value.strip().lower() in _YES)


def first_id_in(keys: Iterable[str], attributes: Mapping[str, object]) -> str | None:
    """Return the first usable id among `keys`, as text; None where there is none."""
    for key in keys:
        if (given := attributes.get(key)) is not None and (found := as_id(given)) is not None:
            return found
    return None


def as_id(value: object) -> str | None:
    """Return an id as text, or None for what is no id: texts without a character, and all but texts and integers."""
    if type(value) is str or isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= MAX_ID_BITS:
        return str(value)
    return None


def is_objection(attributes: Attributes) -> bool:
    """Return whether `attributes` say by `Sec-GPC` that the user objects."""
    return any(key in attributes and objects(attributes[key]) for key in GPC_KEYS)


def is_do_not_track(attributes: Attributes) -> bool:
    """Return whether `attributes` say by `DNT` that the user does not want to be tracked."""
    return DNT_KEY in attributes and objects(attributes[DNT_KEY])


def objects(value: object) -> bool:
    """Return whether a captured header's `value` says anything but an explicit `0`; a list of nothing says nothing."""
    if value is None or value is False:
        return False
    values = value if isinstance(value, (tuple, list)) else (value,)
    return any(part.strip() != "0" for each in values for part in str(each).split(","))
