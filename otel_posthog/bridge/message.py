"""One message of posthog-python, as its client would send it, into a log-based event.

Comes in: what the client made of a call, after its own `before_send`. Goes out: the same event by way of the program's
logger provider. Runs on the app's thread that made the call. It adds nothing and looks at nothing: filters, identity
and consent are the pipeline's.

Source of the form: posthog-python (`posthog/client.py`), releases 7.0 to 7.91.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from otel_posthog.emit.record import Part, emit, ids
from otel_posthog.recogniser import PREFIX
from otel_posthog.translate.vocabulary import DESTINATIONS_KEY
from otel_posthog.values import Id

_ALIAS, _GROUP, _IDENTIFY = "$create_alias", "$groupidentify", "$identify"
# Its client has these beside the properties; PostHog takes them there and here.
_BESIDE = ("$set", "$set_once")


def emit_message(message: Mapping[str, Any], uuid: str, destinations: tuple[str, ...]) -> None:
    """Emit `message` as a log-based event.

    Args:
        message: With the keys `event`, `distinct_id`, `timestamp`, `properties` and others of posthog-python's.
        uuid: Its uuid, where `message` has none.
        destinations: The names of those that it is for; empty stands for all.
    """
    parts = parts_of(message)
    if destinations:
        parts = (*parts, ("", {DESTINATIONS_KEY.removeprefix(PREFIX): destinations}))
    emit(
        message.get("event"),
        parts,
        timestamp=message.get("timestamp"),
        uuid=cast("str", message.get("uuid") or uuid),
    )


def parts_of(message: Mapping[str, Any]) -> tuple[Part, ...]:
    """Return what `message` says, in the words of the vocabulary; the most important last."""
    given = message.get("properties")
    properties = dict(given) if isinstance(given, Mapping) else {}
    properties.update({key: message[key] for key in _BESIDE if key in message})
    name, distinct_id = message.get("event"), message.get("distinct_id")
    if name == _ALIAS:
        return (_browser(properties), *_alias(properties, distinct_id))
    if name == _GROUP:
        return (_browser(properties), *_group(properties, distinct_id))
    previous = properties.get("$anon_distinct_id") if name == _IDENTIFY else None
    return (("property.", properties), ("", ids(user_alias=previous, user_id=distinct_id)))


def _browser(properties: Mapping[str, Any]) -> Part:
    return ("", ids(session_id=properties.get("$session_id"), window_id=properties.get("$window_id")))


def _alias(properties: Mapping[str, Any], distinct_id: Id | None) -> tuple[Part, ...]:
    # Sent as the id from before, it names the person's.
    return (("", ids(user_alias=distinct_id, user_id=properties.get("alias"))),)


def _group(properties: Mapping[str, Any], distinct_id: Id | None) -> tuple[Part, ...]:
    kind, said = str(properties.get("$group_type") or ""), properties.get("$group_set")
    return (
        (f"group.set.{kind}.", said if isinstance(said, Mapping) else None),
        ("group.", {kind: properties.get("$group_key")}),
        ("", ids(user_id=distinct_id)),
    )
