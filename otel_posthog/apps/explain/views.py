"""Explanations shown: as plain text, in color on a terminal, or as JSON lines.

Text is the page's lines. JSON is an object for each item, then one that sums them up; `docs/explain.md` has the fields.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, final

from otel_posthog.apps.explain.page import Line, item_lines, summary_lines
from otel_posthog.inspection.explanation import Explanation, Summary
from otel_posthog.inspection.form import Values, as_line, item_form, summary_form

if TYPE_CHECKING:
    from rich.console import Console

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
        self._write(item_form(explanation, Values.ALL if self._with_values else Values.NONE))

    def finish(self, summary: Summary) -> None:
        """Write the summary."""
        self._write(summary_form(summary))

    def _write(self, content: Mapping[str, object]) -> None:
        self._out.write(as_line(content) + "\n")
