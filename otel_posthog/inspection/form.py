"""An explanation in the form that `explain --json` prints and an inspector shows: an object of plain JSON values.

What of it is there depends on who looks. Names, keys that are safe to show, rules and reasons always are; what the
filters let through where values may be shown, what there was before them only where that was asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import Enum
from typing import cast

from otel_posthog.inspection.explanation import Explanation, Kept, Operational, ProductEvent, Sent, Summary
from otel_posthog.model import shown_path

VERSION = 1
"""Of the fields; it grows when one goes or changes its meaning, not when one is added."""

MAX_DEPTH = 100
"""Of what is shown of a value that JSON has no form for as it is."""

# Python writes out no number of more than 4,300 digits.
_MAX_INTEGER_BITS = 14_000

# In the order in which people say it: SELECT sqlite, publish kafka.
_NAMING = (
    *("db.operation.name", "db.system.name", "messaging.operation.type", "messaging.system"),
    *("rpc.method", "rpc.system", "gen_ai.operation.name", "gen_ai.provider.name"),
)


class Values(Enum):
    """Which values an object holds: none, those that leave the process, or those before the filters too."""

    NONE = "none"
    LEAVING = "leaving"
    ALL = "all"


def item_form(explanation: Explanation, values: Values) -> dict[str, object]:
    """Return the object of one item."""
    made: dict[str, object] = {
        "type": "item",
        "version": VERSION,
        "line": explanation.line,
        "kind": explanation.kind,
        "side": "product" if explanation.events or explanation.dropped else "operational",
        "reason": None if explanation.events else explanation.reason,
        "dropped": list(explanation.dropped),
        "events": [_event(each, values) for each in explanation.events],
        "operational": explanation.operational and _operational(explanation.operational, values),
    }
    if values is Values.ALL:
        made["name"] = explanation.name
        made["operational_before"] = _changed_parts(explanation.operational)
    elif values is Values.LEAVING:
        made["name"] = leaving_name(explanation)
    return made


def leaving_name(explanation: Explanation) -> str:
    """Return what an item may be called where its own name may not be shown: by what leaves of it."""
    sent = next((each.event["event"] for event in explanation.events for each in event.sent if each.event), "")
    leaving = explanation.operational.leaving if explanation.operational else {}
    method, route = (leaving.get(key) for key in ("http.request.method", "http.route"))
    if isinstance(route, str):
        return f"{method} {route}" if isinstance(method, str) else route
    found = [leaving[key] for key in _NAMING if isinstance(leaving.get(key), str)]
    return str(sent) or " ".join(map(str, found))


def summary_form(summary: Summary) -> dict[str, object]:
    """Return the object that sums items up."""
    return {
        "type": "summary",
        "version": VERSION,
        "items": summary.items,
        "operational": summary.operational,
        "events": summary.events,
        "invalid": dict(summary.invalid),
        "sent": dict(summary.sent),
        "dropped": [
            {"destination": name, "reason": reason, "count": count}
            for (name, reason), count in sorted(summary.dropped.items())
        ],
        "actions": [
            {"rule": rule, "action": action, "count": count}
            for (rule, action), count in sorted(summary.actions.items())
        ],
    }


def as_line(content: Mapping[str, object]) -> str:
    """Return an object as one line of JSON, as strict as browsers want it: what has no form in it stands in words."""
    try:
        return _dumped(content)
    except (ValueError, TypeError, RecursionError):
        return _dumped(_strict(content))


def sent_properties(sent: Sent) -> Mapping[str, object]:
    """Return the properties that PostHog gets; none where it gets no event."""
    return cast("Mapping[str, object]", sent.event["properties"]) if sent.event else {}


def shown_keys(event: ProductEvent) -> list[str]:
    """Return the keys of an event that are safe to show, sorted: those that are sent, and those of the receipts."""
    sent = {key for each in event.sent for key in sent_properties(each)}
    changed = {key for each in event.sent for key, _, _ in each.changes}
    return sorted(sent | changed)


def shown_part(part: Kept) -> str:
    """Return the key of an operational part, where nothing may be shown that is no name."""
    return shown_path(part.key)


def _event(event: ProductEvent, values: Values) -> dict[str, object]:
    made: dict[str, object] = {
        "reason": event.reason,
        "rule": event.rule,
        "notes": list(event.notes),
        "keys": shown_keys(event),
        "destinations": [_sent(each, values) for each in event.sent],
    }
    if values is Values.ALL:
        made["before"] = {
            "event": event.name,
            "properties": event.properties,
            "telemetry": event.telemetry,
            "who": event.who,
        }
    return made


def _sent(sent: Sent, values: Values) -> dict[str, object]:
    made: dict[str, object] = {
        "destination": sent.destination,
        "identity": sent.identity,
        "policy": sent.policy,
        "sent": sent.event is not None,
        "dropped": sent.dropped or None,
        "name": sent.event["event"] if sent.event else None,
        "changes": [{"key": key, "rule": rule, "action": action} for key, rule, action in sent.changes],
        "properties": sorted(sent_properties(sent)),
    }
    if values is not Values.NONE:
        made["event"] = sent.event
    return made


def _operational(side: Operational, values: Values) -> dict[str, object]:
    named = _own_key if values is Values.ALL else shown_part
    made: dict[str, object] = {
        "withheld": side.withheld or None,
        "kept": [named(part) for part in side.parts if part.after is not None],
        "redacted": [named(part) for part in side.parts if part.after is not None and part.after != part.before],
        "removed": [named(part) for part in side.parts if part.after is None],
    }
    if values is Values.ALL:
        made["values"] = [{"key": part.key, "value": part.after} for part in side.parts if part.after is not None]
    elif values is Values.LEAVING:
        made["values"] = [{"key": key, "value": value} for key, value in side.leaving.items()]
    return made


def _own_key(part: Kept) -> str:
    return part.key


def _changed_parts(side: Operational | None) -> list[dict[str, object]]:
    """Return what the operational side does not get as it was, as it was."""
    parts = side.parts if side else ()
    return [
        {"key": part.key, "value": part.before} for part in parts if part.after is None or part.after != part.before
    ]


def _dumped(content: object) -> str:
    # Bytes have no form in JSON, nor a Mapping that is no dict.
    return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=_encodable)


def _strict(value: object, above: tuple[int, ...] = ()) -> object:
    """Return a value with words in place of what JSON does not have: NaN, keys that are no text, endless numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and value.bit_length() > _MAX_INTEGER_BITS:
        return f"a whole number of {value.bit_length():,} bits"
    if not isinstance(value, (Mapping, list, tuple)):
        return value
    if id(value) in above or len(above) >= MAX_DEPTH:
        return "(nested too deeply)"
    above = (*above, id(value))
    if isinstance(value, Mapping):
        return {str(key): _strict(each, above) for key, each in value.items()}
    return [_strict(each, above) for each in value]


def _encodable(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else f"<{len(value)} bytes>" if isinstance(value, bytes) else None
