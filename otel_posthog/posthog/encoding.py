"""One Capture V1 event as UTF-8 JSON: encoded as the last step before it may be stored or sent, and decoded again.

`encode_event` gets the filtered name and properties of an `Event` and the `Person` it is sent as, and returns a
`CleanEvent`. It runs on the worker and never reads the unfiltered properties of the event: of that it takes uuid, time
and trace. What identity decided, and our own `$` names, win over whatever an app has put there.

`decode_event` gets what another process encoded, in a file that anybody may have written, and checks it key by key.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from otel_posthog.errors import DropEvent
from otel_posthog.model import MAX_NAME_BYTES, CleanEvent, Event, Person, Receipt
from otel_posthog.posthog.properties import JOURNEY, SAMPLED, is_reserved, reserved_by
from otel_posthog.regex import regex
from otel_posthog.values import moment_of

_LONE_SURROGATE = regex("[\ud800-\udfff]")
# `json.dumps` would make one for each event; what it is given has passed the filters, which let no value hold itself.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False)
_DECODER, _TIMESTAMP = json.JSONDecoder(), b'"timestamp":"'
# What it calls for a text, without the way there.
_text = json.encoder.encode_basestring
# What most events say of their person: that PostHog is to see no address.
_NO_IP_ALONE = {"$ip": "0.0.0.0"}  # noqa: S104 - nothing is bound to it
_NO_IP = json.dumps(_NO_IP_ALONE, separators=(",", ":"))[1:-1]
_SECOND_CHARS = len("2026-11-25T12:00:00")
# Names that an event gets by itself.
_ADDED = frozenset({"session_id", JOURNEY})
# Events that change persons or groups; PostHog refuses them for an event without a person.
_PERSON_EVENTS = frozenset(
    {"$identify", "$create_alias", "$merge_dangerously", "$groupidentify", "$set", "$set_once", "$unset"}
)

_REQUIRED = frozenset({"event", "uuid", "distinct_id", "timestamp", "options", "properties"})
# Those of PostHog's own properties that a V1 event has beside the others.
_BESIDE = frozenset({"session_id", "window_id"})
_OPTIONS = frozenset({"disable_skew_correction", "process_person_profile"})
MAX_ID_BYTES = 1024


class NotAnEventError(Exception):
    """It is not what `encode_event` makes."""


def encode_event(  # noqa: PLR0913 - the limits come by keyword
    event: Event,
    person: Person,
    name: str,
    properties: Mapping[str, object],
    *,
    destination: str,
    max_event_bytes: int,
    receipt: Receipt | None = None,
) -> CleanEvent:
    """Return `event` as bytes that may be stored and sent as they are.

    Args:
        event: Gives uuid, time, trace and span.
        person: Who it is sent as.
        name: The filtered event name.
        properties: The filtered, JSON-safe properties; reserved names in it are left out.
        destination: The name of the destination it is encoded for.
        max_event_bytes: Largest body; properties are left out, the largest first, until the rest fits.
        receipt: Gets which, by the rule `max_event_bytes`.

    Raises:
        DropEvent: `name_invalid` unless the name is 1-200 UTF-8 bytes; `person_event` if it would change a person that
            has no profile; `time_invalid` if the time is no date; `too_large` if it would be even without properties.
    """
    if not 1 <= len(_utf8(name)) <= MAX_NAME_BYTES:
        raise DropEvent("name_invalid")
    if name in _PERSON_EVENTS and not person.has_profile:
        raise DropEvent("person_event")
    sendable = {key: value for key, value in properties.items() if not is_reserved(key)}
    body = as_bytes(_document(event, person, name, sendable))
    if len(body) > max_event_bytes:
        fitting = _fitting(sendable, len(body) - max_event_bytes, receipt or Receipt())
        body = as_bytes(_document(event, person, name, fitting))
    if len(body) > max_event_bytes:
        raise DropEvent("too_large")
    return CleanEvent(event.uuid, body, destination)


def encode_planned(event: Event, person: Person, name: str, properties: str, *, destination: str) -> CleanEvent:
    """Return what `encode_event` does, of properties that are encoded already.

    Args:
        event: Gives uuid, time, trace and span.
        person: Who it is sent as; its properties and `properties` have no name in common.
        name: The filtered event name, in JSON.
        properties: The filtered properties that may be sent, in JSON without the braces; empty where there are none.
        destination: The name of the destination it is encoded for.

    Raises:
        DropEvent: `time_invalid` if the time is no date.
    """
    sent = dict(person.properties)
    session_id, window_id = sent.pop("$session_id", None), sent.pop("$window_id", None)
    profile = "true" if person.has_profile else "false"
    trace = f',"$trace_id":"{event.trace_id}"' if event.trace_id else ""
    span = f',"$span_id":"{event.span_id}"' if event.span_id else ""
    sampled = f',"{SAMPLED}":{"true" if event.is_sampled else "false"}' if event.trace_id else ""
    of_person = _NO_IP if sent == _NO_IP_ALONE else _json(sent)[1:-1]
    session = f',"session_id":{_text(session_id)}' if isinstance(session_id, str) else ""
    window = f',"window_id":{_text(window_id)}' if isinstance(window_id, str) else ""
    body = (
        f'{{"event":{name},"uuid":"{event.uuid}","distinct_id":{_text(person.distinct_id)}'
        f',"timestamp":"{_timestamp(event.time_ns)}"'
        f',"options":{{"disable_skew_correction":true,"process_person_profile":{profile}}}'
        f',"properties":{{{properties}{"," if properties and of_person else ""}{of_person}{trace}{span}{sampled}'
        f',"$geoip_disable":true}}{session}{window}}}'
    )
    return CleanEvent(event.uuid, _utf8(body), destination)


def is_added(name: str) -> bool:
    """Return whether a property of that name is left out of an event, or may be in it already."""
    return name in _ADDED or reserved_by(name) != ""


def as_bytes(document: Mapping[str, object]) -> bytes:
    """Return `document` as it is stored and sent."""
    return _utf8(_json(document))


def name_in(event: CleanEvent) -> str:
    """Return the name that an encoded event has."""
    name, _ = _DECODER.raw_decode(event.body.decode(), len('{"event":'))
    return str(name)


def time_in(event: CleanEvent) -> float | None:
    """Return the time that an encoded event has, in Unix seconds; None where it has none that can be read."""
    # No text in JSON has an unescaped quotation mark.
    _, _, rest = event.body.partition(_TIMESTAMP)
    try:
        return datetime.fromisoformat(rest.partition(b'"')[0].decode()).timestamp()
    except ValueError:
        return None


def decode_event(event: CleanEvent) -> dict[str, Any]:
    """Return the document that `event` is.

    Raises:
        NotAnEventError: It is none.
    """
    try:
        document = json.loads(event.body)
        is_one = (
            isinstance(document, dict)
            and _REQUIRED <= set(document) <= _REQUIRED | _BESIDE
            and is_text(document["event"], MAX_NAME_BYTES)
            and document["uuid"] == event.uuid == str(uuid.UUID(event.uuid))
            and is_text(document["distinct_id"], MAX_ID_BYTES)
            and datetime.fromisoformat(document["timestamp"]).tzinfo is not None
            and _are_options(document["options"])
            and isinstance(document["properties"], dict)
            and all(is_text(document.get(key, "-"), MAX_ID_BYTES) for key in _BESIDE)
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        is_one = False
    if not is_one:
        raise NotAnEventError
    return document  # type: ignore[no-any-return]


def is_text(value: object, most_bytes: int) -> bool:
    """Return whether `value` is a text that is not empty and has no more than `most_bytes` in UTF-8."""
    return isinstance(value, str) and 1 <= len(value.encode("utf-8", "replace")) <= most_bytes


def _fitting(properties: Mapping[str, object], excess_bytes: int, receipt: Receipt) -> dict[str, object]:
    """Return `properties` without the largest of them, whose bytes together are at least `excess_bytes`."""
    kept = dict(properties)
    sizes = {key: len(_utf8(_json({key: value}))) - len("{}") for key, value in properties.items()}
    for key in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if excess_bytes <= 0:
            break
        del kept[key]
        excess_bytes -= sizes[key]
        receipt.add(key, "max_event_bytes", "removed")
    return kept


def _document(event: Event, person: Person, name: str, properties: Mapping[str, object]) -> dict[str, object]:
    sent = {**properties, **person.properties}
    if event.trace_id:
        sent["$trace_id"] = event.trace_id
    if event.span_id:
        sent["$span_id"] = event.span_id
    if event.trace_id:
        sent[SAMPLED] = event.is_sampled
    sent["$geoip_disable"] = True
    session_id, window_id = sent.pop("$session_id", None), sent.pop("$window_id", None)
    document: dict[str, object] = {
        "event": name,
        "uuid": event.uuid,
        "distinct_id": person.distinct_id,
        "timestamp": _timestamp(event.time_ns),
        "options": {"disable_skew_correction": True, "process_person_profile": person.has_profile},
        "properties": sent,
    }
    if isinstance(session_id, str):
        document["session_id"] = session_id
    if isinstance(window_id, str):
        document["window_id"] = window_id
    return document


def _json(document: Mapping[str, object]) -> str:
    return _ENCODER.encode(document)


def _timestamp(time_ns: int) -> str:
    second, rest_ns = divmod(time_ns, 10**9)
    try:
        return f"{_second(second)}.{rest_ns // 1000:06}+00:00"
    except OverflowError:
        raise DropEvent("time_invalid") from None


# Events come many to a second.
@lru_cache(maxsize=8)
def _second(time_s: int) -> str:
    return moment_of(time_s * 10**9).isoformat()[:_SECOND_CHARS]


def as_json_text(value: object) -> str:
    """Return a JSON-safe value in JSON, as it stands in an encoded event."""
    return _text(value) if type(value) is str else _ENCODER.encode(value)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # One lone surrogate would make the server refuse the whole batch.
        return _LONE_SURROGATE.sub("\ufffd", text).encode()


def _are_options(options: object) -> bool:
    return isinstance(options, dict) and all(
        key in _OPTIONS and isinstance(value, bool) for key, value in options.items()
    )
