"""How things are printed: for people in columns, for programs as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence

from otel_posthog.text import visible

GAP = "  "


def columns(rows: Sequence[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """Return `rows`, the first of them the head, in aligned columns, each on one line whatever stands in it."""
    rows = [[visible(cell) for cell in row] for row in rows]
    numbers = set(right)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        GAP.join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def size(size_bytes: int) -> str:
    """Return a size as people read it."""
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def age(since_ms: int | None) -> str:
    """Return how long ago that was."""
    if since_ms is None:
        return "-"
    left = max(0, int(time.time() - since_ms / 1000))
    for unit, seconds in (("d", 86_400), ("h", 3600), ("min", 60)):
        if left >= 2 * seconds:
            return f"{left // seconds} {unit}"
    return f"{left} s"


def count(number: int, what: str = "event") -> str:
    """Return `1 event`, `2 events`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def notice(line: str) -> None:
    """Print something that is not the result, on standard error."""
    print(visible(line), file=sys.stderr, flush=True)


def body_of(body: bytes) -> dict[str, object]:
    """Return the event that `body` is; empty where it is none."""
    try:
        event = json.loads(body)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
