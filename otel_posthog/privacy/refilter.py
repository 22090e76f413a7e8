"""Filters an event again that another process has encoded, in a file that anybody may have written.

Comes in: the encoded event. Goes out: the same, or what the key rules and detectors of this machine's policy leave of
its name and properties. Who it is about, the catalog and the allow-list of telemetry were decided where it was encoded,
and stay. Runs in `otel-posthog spool import`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_posthog.model import MAX_NAME_BYTES, CleanEvent, Receipt
from otel_posthog.posthog.encoding import MAX_ID_BYTES, NotAnEventError, as_bytes, decode_event, is_text
from otel_posthog.posthog.properties import is_reserved
from otel_posthog.privacy.filter import Filter
from otel_posthog.regex import regex

# Identity's, by what their values are.
_IDS = frozenset({"session_id", "$group_type", "$group_key"})
_OF_AN_ALIAS = frozenset({"alias", "distinct_id"})
_MAPS = frozenset({"$set", "$set_once", "$group_set"})
_TRACE = {"$trace_id": regex("[0-9a-f]{32}"), "$span_id": regex("[0-9a-f]{16}")}
_FIXED = {"$ip": "0.0.0.0", "$geoip_disable": True}  # noqa: S104 - what PostHog stores, no interface


def refilter(event: CleanEvent, filter_: Filter) -> CleanEvent:
    """Return `event` as it may leave by the key rules and detectors of `filter_`; the same where nothing has to go.

    Raises:
        NotAnEventError: It is no event, or has no name that may leave.
    """
    document = decode_event(event)
    try:
        return _filtered(event, document, filter_)
    except ValueError:  # a number that JSON does not have
        raise NotAnEventError from None


def _filtered(event: CleanEvent, document: dict[str, Any], filter_: Filter) -> CleanEvent:
    name = filter_.name(document["event"], Receipt())
    properties = _properties(document["properties"], filter_, is_alias=name == "$create_alias")
    if name == document["event"] and properties == document["properties"]:
        # A key that stands twice, or what else is not as `encode_event` writes it, is not seen in the document.
        new = as_bytes(document)
        return event if new == event.body else CleanEvent(event.uuid, new, event.destination)
    if not is_text(name, MAX_NAME_BYTES):
        raise NotAnEventError
    return CleanEvent(event.uuid, as_bytes({**document, "event": name, "properties": properties}), event.destination)


def _properties(given: Mapping[str, Any], filter_: Filter, *, is_alias: bool) -> dict[str, Any]:
    kept = {key: value for key, value in given.items() if _is_identitys(key, value, is_alias=is_alias)}
    maps = {key: value for key, value in given.items() if key in _MAPS and isinstance(value, dict)}
    kept.update((key, filter_.properties(value, Receipt())) for key, value in maps.items())
    others = {key: value for key, value in given.items() if key not in kept and not is_reserved(key)}
    kept.update(filter_.properties(others, Receipt()))
    # In the order in which they came, for whoever compares the two.
    return {key: kept[key] for key in (*given, *kept) if key in kept}


def _is_identitys(key: str, value: object, *, is_alias: bool) -> bool:
    """Return whether a property is one that identity or the encoding has put there, and not an app."""
    if key == "$groups":
        return isinstance(value, dict) and all(is_text(each, MAX_ID_BYTES) for each in value.values())
    if key in _FIXED:
        return value == _FIXED[key]
    if key in _TRACE:
        return isinstance(value, str) and _TRACE[key].fullmatch(value) is not None
    return (key in _IDS or (is_alias and key in _OF_AN_ALIAS)) and is_text(value, MAX_ID_BYTES)
