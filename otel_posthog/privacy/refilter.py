"""Filters an event again that another process has encoded, in a file that anybody may have written.

Comes in: the encoded event. Goes out: the same, or what the key rules and detectors of this machine's policy leave of
its name and properties. Who it is about, the catalog and the allow-list of telemetry were decided where it was encoded,
and stay; so does what it says of its trace, if it has that form. Runs in `otel-posthog spool import`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from otel_posthog.model import MAX_NAME_BYTES, CleanEvent, Receipt
from otel_posthog.policy.sections.trace_url import link_to_trace
from otel_posthog.posthog.encoding import MAX_ID_BYTES, NotAnEventError, as_bytes, decode_event, is_text
from otel_posthog.posthog.properties import SAMPLED, TRACE_URL, reserved_by
from otel_posthog.privacy.filter import Filter
from otel_posthog.regex import regex
from otel_posthog.values import unix_ns

_GROUPS, _KIND = "$groups", "$group_type"
_GROUP = frozenset({_KIND, "$group_key", "$group_set"})
_GROUP_UPDATE, _GROUP_ITSELF = "$groupidentify", frozenset({_KIND, "$group_key"})
# Identity's, by what their values are, beside the session of every kind.
_IDS_OF = {"$create_alias": frozenset({"alias", "distinct_id"}), _GROUP_UPDATE: _GROUP_ITSELF}
_MAPS = frozenset({"$set", "$set_once", "$group_set"})
_TRACE_ID, _SPAN_ID = regex("[0-9a-f]{32}"), regex("[0-9a-f]{16}")
# On every event: PostHog would take the sender's address otherwise, and look up where that is.
_FIXED = {"$ip": "0.0.0.0", "$geoip_disable": True}  # noqa: S104 - what PostHog stores, no interface


def refilter(event: CleanEvent, filter_: Filter, trace_template: str | None = None) -> CleanEvent:
    """Return `event` as it may leave by the key rules and detectors of `filter_`; the same where nothing has to go.

    Args:
        event: As another process encoded it.
        filter_: Of this machine's policy.
        trace_template: The address of an event's trace by that policy; a link that is another does not leave.

    Raises:
        NotAnEventError: It is no event, or has no name that may leave, or is the update of a group that has no type
            that may.
    """
    document = decode_event(event)
    try:
        return _filtered(event, document, filter_, trace_template)
    except ValueError:  # a number that JSON does not have
        raise NotAnEventError from None


def _filtered(event: CleanEvent, document: dict[str, Any], filter_: Filter, trace_template: str | None) -> CleanEvent:
    name = filter_.name(document["event"], Receipt())
    given = document["properties"]
    said = _of_trace(given, unix_ns(datetime.fromisoformat(document["timestamp"])), trace_template)
    properties = _properties(given, filter_, said, name)
    if not is_text(name, MAX_NAME_BYTES) or (name == _GROUP_UPDATE and not set(properties) >= _GROUP_ITSELF):
        raise NotAnEventError
    # A key that stands twice, or what else is not as `encode_event` writes it, is not seen in the document.
    new = as_bytes({**document, "event": name, "properties": properties})
    return event if new == event.body else CleanEvent(event.uuid, new, event.destination)


def _of_trace(given: Mapping[str, Any], time_ns: int, template: str | None) -> dict[str, Any]:
    """Return what an event says of its trace, as far as it is what the encoding writes."""
    trace_id, span_id, is_sampled = (given.get(name) for name in ("$trace_id", "$span_id", SAMPLED))
    said: dict[str, Any] = {}
    if isinstance(span_id, str) and _SPAN_ID.fullmatch(span_id):
        said["$span_id"] = span_id
    if not (isinstance(trace_id, str) and _TRACE_ID.fullmatch(trace_id)):
        return said
    said["$trace_id"] = trace_id
    if isinstance(is_sampled, bool):
        said[SAMPLED] = is_sampled
    # A link is followed by who trusts it: one that somebody else's policy, or nobody's, has made is none of ours.
    if template and is_sampled is True:
        link = link_to_trace(template, trace_id, said.get("$span_id", ""), time_ns)
        if given.get(TRACE_URL) == link:
            said[TRACE_URL] = link
    return said


def _properties(given: Mapping[str, Any], filter_: Filter, said: dict[str, Any], name: str) -> dict[str, Any]:
    kept = {key: value for key, value in given.items() if _is_identitys(key, value, name)} | said | _FIXED
    maps = {key: value for key, value in given.items() if key in _maps_of(name) and isinstance(value, dict)}
    kept.update((key, filter_.properties(value, Receipt())) for key, value in maps.items())
    kept = _with_types(kept, filter_)
    others = {key: value for key, value in given.items() if key not in kept and not reserved_by(key)}
    kept.update(filter_.properties(others, Receipt()))
    # In the order in which they came, for whoever compares the two.
    return {key: kept[key] for key in (*given, *kept) if key in kept}


def _with_types(kept: dict[str, Any], filter_: Filter) -> dict[str, Any]:
    """Return `kept` with the types of its groups as they may leave; what is of a type that may not goes with it."""
    if _GROUPS in kept:
        groups = {_type(kind, filter_): key for kind, key in kept[_GROUPS].items()}
        kept = {**kept, _GROUPS: {kind: key for kind, key in groups.items() if kind is not None}}
    if _KIND not in kept:
        return kept
    kind = _type(kept[_KIND], filter_)
    if kind is None:
        return {key: value for key, value in kept.items() if key not in _GROUP}
    return {**kept, _KIND: kind}


def _type(kind: str, filter_: Filter) -> str | None:
    """Return a type of groups, which is looked at as the name of a property; None where it may not leave."""
    return next(iter(filter_.properties({kind: True}, Receipt())), None)


def _maps_of(name: str) -> frozenset[str]:
    """Return the properties of an event of that name that hold what an app says of a person or a group."""
    return _MAPS if name == _GROUP_UPDATE else _MAPS - _GROUP


def _is_identitys(key: str, value: object, name: str) -> bool:
    """Return whether a property is one that identity or the encoding has put there, and not an app."""
    if key == _GROUPS:
        return isinstance(value, dict) and all(is_text(each, MAX_ID_BYTES) for each in value.values())
    of_its_kind = _IDS_OF.get(name, frozenset())
    return (key == "session_id" or key in of_its_kind) and is_text(value, MAX_ID_BYTES)
