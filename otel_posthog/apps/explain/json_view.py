"""Explanations as JSON lines: an object for each item, then one that sums them up. `docs/explain.md` has the fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, final

from otel_posthog.apps.explain.explanation import Explanation, Operational, ProductEvent, Sent
from otel_posthog.apps.explain.rows import sent_properties
from otel_posthog.apps.explain.summary import Summary

VERSION = 1
"""Of the fields; it grows when one goes or changes its meaning, not when one is added."""


@final
class JsonView:
    """Writes JSON lines.

    Args:
        out: Where to.
        with_values: Whether anything of the file may be in them but keys that are safe to show.
    """

    def __init__(self, out: IO[str], *, with_values: bool) -> None:
        self._out, self._with_values = out, with_values

    def show(self, explanation: Explanation) -> None:
        """Write one item."""
        item: dict[str, object] = {
            "type": "item",
            "version": VERSION,
            "line": explanation.line,
            "kind": explanation.kind,
            "side": "product" if explanation.events or explanation.dropped else "operational",
            "reason": None if explanation.events else explanation.reason,
            "dropped": list(explanation.dropped),
            "events": [self._event(each) for each in explanation.events],
            "operational": explanation.operational and self._operational(explanation.operational),
        }
        if self._with_values:
            item["name"] = explanation.name
        self._write(item)

    def finish(self, summary: Summary) -> None:
        """Write the summary."""
        self._write(
            {
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
        )

    def _event(self, event: ProductEvent) -> dict[str, object]:
        made: dict[str, object] = {
            "reason": event.reason,
            "notes": list(event.notes),
            "destinations": [self._sent(each) for each in event.sent],
        }
        if self._with_values:
            made["before"] = {
                "event": event.name,
                "properties": event.properties,
                "telemetry": event.telemetry,
                "who": event.who,
            }
        return made

    def _sent(self, sent: Sent) -> dict[str, object]:
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
        if self._with_values:
            made["event"] = sent.event
        return made

    def _operational(self, side: Operational) -> dict[str, object]:
        made: dict[str, object] = {
            "withheld": side.withheld or None,
            "kept": [part.key for part in side.parts if part.after is not None],
            "redacted": [part.key for part in side.parts if part.after is not None and part.after != part.before],
            "removed": [part.key for part in side.parts if part.after is None],
        }
        if self._with_values:
            made["values"] = [{"key": part.key, "value": part.after} for part in side.parts if part.after is not None]
        return made

    def _write(self, content: Mapping[str, object]) -> None:
        # Bytes have no form in JSON, nor a Mapping that is no dict.
        text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), default=_encodable)
        self._out.write(text + "\n")


def _encodable(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else f"<{len(value)} bytes>" if isinstance(value, bytes) else None
