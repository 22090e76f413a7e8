"""An event that was sealed by another process, in a file that anybody may have written: is it one, and may it leave?

It is what `seal` makes, key by key, or refused. Key rules and detectors run again, over what people and programs wrote.
Who it is about, the catalog and the allow-list of telemetry were decided where it was sealed, and stay.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from otel_posthog.model import MAX_NAME_BYTES, CleanEvent, Receipt
from otel_posthog.privacy.filter import Filter
from otel_posthog.privacy.reserved import is_reserved
from otel_posthog.privacy.seal import as_bytes

_REQUIRED = frozenset({"event", "uuid", "distinct_id", "timestamp", "options", "properties"})
_OPTIONS = frozenset({"disable_skew_correction", "process_person_profile"})
_MAX_ID_CHARS = 1024
# Identity's, by what their values are.
_IDS = frozenset({"session_id", "$group_type", "$group_key"})
_OF_AN_ALIAS = frozenset({"alias", "distinct_id"})
_MAPS = frozenset({"$set", "$set_once", "$group_set"})
_TRACE = {"$trace_id": re.compile("[0-9a-f]{32}"), "$span_id": re.compile("[0-9a-f]{16}")}
_FIXED = {"$ip": "0.0.0.0", "$geoip_disable": True}  # noqa: S104 - what PostHog stores, no interface


class NoEventError(Exception):
    """It is not what `seal` makes."""


def check_sealed(event: CleanEvent) -> dict[str, Any]:
    """Return the document that `event` is.

    Raises:
        NoEventError: It is none.
    """
    try:
        document = json.loads(event.body)
        is_one = (
            isinstance(document, dict)
            and _REQUIRED <= set(document) <= _REQUIRED | {"session_id"}
            and _is_text(document["event"], MAX_NAME_BYTES)
            and document["uuid"] == event.uuid == str(uuid.UUID(event.uuid))
            and _is_text(document["distinct_id"], _MAX_ID_CHARS)
            and datetime.fromisoformat(document["timestamp"]).tzinfo is not None
            and _are_options(document["options"])
            and isinstance(document["properties"], dict)
            and _is_text(document.get("session_id", "-"), _MAX_ID_CHARS)
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        is_one = False
    if not is_one:
        raise NoEventError
    return document  # type: ignore[no-any-return]


def reseal(event: CleanEvent, filter_: Filter) -> CleanEvent:
    """Return `event` as it may leave by the key rules and detectors of `filter_`; the same where nothing has to go.

    Raises:
        NoEventError: It is no event, or has no name that may leave.
    """
    document = check_sealed(event)
    try:
        return _filtered(event, document, filter_)
    except ValueError:  # a number that JSON does not have
        raise NoEventError from None


def _filtered(event: CleanEvent, document: dict[str, Any], filter_: Filter) -> CleanEvent:
    name = filter_.name(document["event"], Receipt())
    properties = _properties(document["properties"], filter_, is_alias=name == "$create_alias")
    if name == document["event"] and properties == document["properties"]:
        # A key that stands twice, or what else is not as `seal` writes it, is not seen in the document.
        new = as_bytes(document)
        return event if new == event.body else CleanEvent(event.uuid, new, event.destination)
    if not _is_text(name, MAX_NAME_BYTES):
        raise NoEventError
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
    """Return whether a property is one that identity or the seal has put there, and not an app."""
    if key == "$groups":
        return isinstance(value, dict) and all(_is_text(each, _MAX_ID_CHARS) for each in value.values())
    if key in _FIXED:
        return value == _FIXED[key]
    if key in _TRACE:
        return isinstance(value, str) and _TRACE[key].fullmatch(value) is not None
    return (key in _IDS or (is_alias and key in _OF_AN_ALIAS)) and _is_text(value, _MAX_ID_CHARS)


def _are_options(options: object) -> bool:
    return isinstance(options, dict) and all(
        key in _OPTIONS and isinstance(value, bool) for key, value in options.items()
    )


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and 1 <= len(value.encode("utf-8", "replace")) <= most
