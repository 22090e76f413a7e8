"""A table in plain text."""

from __future__ import annotations

from collections.abc import Sequence

GAP = "  "


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return `rows`, the first of them the head, in aligned columns: the first to the left, numbers to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join((lines[0], "-" * len(lines[0]), *lines[1:]))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    return GAP.join((first, *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))))
