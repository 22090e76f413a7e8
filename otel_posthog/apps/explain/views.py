"""Explanations shown: as plain text, in color on a terminal, or as JSON lines.

Text is the page's lines. JSON is an object for each item, then one that sums them up; `docs/explain.md` has the fields.
"""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, final

from otel_posthog.apps.explain.explanation import Explanation, Operational, ProductEvent, Sent, Summary
from otel_posthog.apps.explain.page import Line, item_lines, summary_lines
from otel_posthog.apps.explain.rows import sent_properties

if TYPE_CHECKING:
    from rich.console import Console

VERSION = 1
"""Of the fields; it grows when one goes or changes its meaning, not when one is added."""

_STYLES = {
    "plain": "",
    "soft": "bright_black",
    "title": "bold",
    "product": "magenta",
    "operational": "cyan",
    "old": "red strike",
    "new": "green",
    "bad": "red",
}
_MIN_WIDTH = 60


class _TextView:
    """Writes the lines of a page.

    Args:
        with_values: Whether values of the file are shown.
    """

    def __init__(self, *, with_values: bool) -> None:
        self._with_values = with_values

    def show(self, explanation: Explanation) -> None:
        """Write one item."""
        for line in item_lines(explanation, with_values=self._with_values):
            self._write(line)

    def finish(self, summary: Summary) -> None:
        """Write the summary."""
        for line in summary_lines(summary):
            self._write(line)

    def _write(self, line: Line) -> None:
        raise NotImplementedError


@final
class PlainView(_TextView):
    """Writes plain text, wrapped to the terminal's width.

    Args:
        out: Where to.
        with_values: Whether values of the file are shown.
    """

    def __init__(self, out: IO[str], *, with_values: bool) -> None:
        super().__init__(with_values=with_values)
        self._out = out
        self._width = max(_MIN_WIDTH, shutil.get_terminal_size((100, 24)).columns) if out.isatty() else 0

    def _write(self, line: Line) -> None:
        indent, pieces = line
        text = "".join(piece for piece, _ in pieces).rstrip()
        if self._width and len(text) > self._width:
            text = textwrap.fill(
                text, self._width, subsequent_indent=" " * indent, replace_whitespace=False, drop_whitespace=True
            )
        self._out.write(text + "\n")


@final
class ColorView(_TextView):
    """Writes in color, wrapped to the terminal's width.

    Args:
        console: Where to.
        with_values: Whether values of the file are shown.
    """

    def __init__(self, console: Console, *, with_values: bool) -> None:
        super().__init__(with_values=with_values)
        self._console = console

    def _write(self, line: Line) -> None:
        from rich.text import Text  # noqa: PLC0415 - rich comes with an extra

        indent, pieces = line
        text = Text.assemble(
            *((piece, " ".join(_STYLES[style] for style in styles.split())) for piece, styles in pieces)
        )
        first, *more = text.wrap(self._console, self._console.width) or [text]
        rest = Text(" ").join(more)
        self._console.print(first, soft_wrap=True)
        for each in rest.wrap(self._console, max(_MIN_WIDTH, self._console.width) - indent) if more else ():
            self._console.print(Text(" " * indent) + each, soft_wrap=True)


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
