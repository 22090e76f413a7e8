"""An event's uuid: as the app gave it, else derived from the telemetry, the same on every delivery.

Runs on the worker. No uuid is random and none is an id of a user: what is derived is a hash of the telemetry, and a
given one that is somebody's id is refused.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence

from otel_posthog.actor.attributes import as_id
from otel_posthog.model import Note, Signal, Source
from otel_posthog.recogniser import CONTENT_UID, NOT_DERIVED, RECORD_UID_KEY
from otel_posthog.translate.vocabulary import UUID_KEY

_NAMESPACE = uuid.UUID("6f74656c-2d70-4f73-a468-6f672d757569").bytes


def event_uuid(signal: Signal, time_ns: int, note: Note, ids: Sequence[tuple[str, str]] = ()) -> str:
    """Return the event's uuid, lowercase: the item's, and where a rule derives it, one made of that and of the rule.

    Several rules may each make an event of one item.

    Args:
        signal: The signal.
        time_ns: The event's time.
        note: Called with `uuid_invalid` when the app gave one that is none, or one that says who acts.
        ids: (whose, id) of all ids of the item.
    """
    found = _item_uuid(signal, time_ns, note, ids)
    return found if signal.rule in NOT_DERIVED else derived_uuid(found, "rule", signal.rule)


def _item_uuid(signal: Signal, time_ns: int, note: Note, ids: Sequence[tuple[str, str]] = ()) -> str:
    """Return the uuid of an item, lowercase.

    `analytics.uuid` if it is one, else the uid that a receiver made of all that it received, else `log.record.uid`,
    else a version 5 UUID of trace id, span id, name, time and repeat index. A log record's observed time goes in as
    well: two lines of one span may bear the same time, which `logging` keeps in microseconds. So does, outside a
    trace, the resource: all that distinguishes processes then.

    Args:
        signal: The signal.
        time_ns: The event's time.
        note: Called with `uuid_invalid` when the app gave one that is none, or one that says who acts.
        ids: (whose, id) of all ids of the item. A uuid that is one of them would go out in every mode, and make one
            event of all that a user does.
    """
    given = signal.attributes.get(UUID_KEY)
    if given is not None:
        parsed = _parse_uuid(given)
        if parsed is not None and not _is_one_of(parsed, ids):
            return parsed
        note("uuid_invalid")
    record_uid = _record_uid(signal)
    if record_uid and not _is_one_of(record_uid, ids):
        return _parse_uuid(record_uid) or derived_uuid("uid", record_uid)
    if signal.uid:
        return _as_uuid(signal.uid)
    return derived_uuid(*_fingerprint(signal, time_ns))


def _record_uid(signal: Signal) -> str:
    """Return the record's own uid; empty where there is none, or one that a receiver has made another of."""
    found = signal.attributes.get(RECORD_UID_KEY)
    if not isinstance(found, str) or (signal.uid and found.startswith(CONTENT_UID)):
        return ""
    return found


def derived_uuid(*parts: str) -> str:
    """Return the version 5 UUID of `parts`; texts that are no UTF-8 have one too."""
    # With lengths, since a name may hold any separator.
    text = "".join([f"{len(part)}:{part}" for part in parts]).encode("utf-8", "surrogatepass")
    digest = hashlib.sha1(_NAMESPACE + text, usedforsecurity=False).digest()
    return _as_uuid(digest)


def _as_uuid(digest: bytes) -> str:
    """Return the version 5 UUID that a hash's first bytes are."""
    digits = digest[:16].hex().ljust(32, "0")
    # As `str(uuid.UUID(bytes=..., version=5))` has it, in a third of the time.
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _fingerprint(signal: Signal, time_ns: int) -> list[str]:
    # The telemetry's own time as well, by which repeats are numbered: the app may give several items one timestamp.
    times = (str(time_ns), str(signal.time_ns))
    parts = [f"{signal.trace_id:032x}", f"{signal.span_id:016x}", signal.name, *times, str(signal.repeat_index)]
    if signal.source is Source.LOG:
        parts.append(str(signal.observed_time_ns))
    if not signal.trace_id:
        # Without a trace only the resource tells two processes apart.
        keys = ("service.name", "service.instance.id", "host.name", "process.pid")
        parts.extend(as_id(signal.resource.get(key)) or "" for key in keys)
    return parts


def _is_one_of(given: str, ids: Sequence[tuple[str, str]]) -> bool:
    """Return whether `given` is one of `ids`, in whatever spelling of a UUID."""
    return any((_parse_uuid(each) or each) == (_parse_uuid(given) or given.strip()) for _, each in ids)


def _parse_uuid(value: object) -> str | None:
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None
