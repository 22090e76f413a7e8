"""How findings are shown to a person: by group, a line each, what to do below it, and a summary with the gravest first.

Marks are words where the output has no such characters, colors are for terminals only, and on a terminal lines are
broken where it ends. What comes from outside is made visible here, since colors pass the safe stream.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from otel_posthog.apps.doctor.finding import Finding, Group, Level
from otel_posthog.apps.terminal import is_colored, styled
from otel_posthog.text import visible

_MARKS = {Level.OK: ("✓", "ok"), Level.NOTE: ("•", "note"), Level.WRONG: ("✗", "WRONG")}
_COLORS = {Level.OK: "32", Level.NOTE: "33", Level.WRONG: "31"}
_BOLD, _DIM = "1", "2"
_MIN_WIDTH, _MAX_ABOUT = 60, 20


def show(found: Sequence[Finding], hint: str = "") -> None:
    """Print findings on standard output.

    Args:
        found: All of them.
        hint: What else could be looked at.
    """
    is_plain = not (sys.stdout.encoding or "ascii").lower().startswith("utf")
    page = _Page(is_plain=is_plain, is_colored=is_colored(sys.stdout), width=_width())
    print(*page.lines(found, hint), sep="\n", file=styled(sys.stdout) if page.is_colored else sys.stdout)


def _width() -> int:
    """Return how many characters a line has; 0 where nobody breaks lines."""
    return max(_MIN_WIDTH, shutil.get_terminal_size((100, 24)).columns) if sys.stdout.isatty() else 0


class _Page:
    """Lays findings out.

    Args:
        is_plain: Use no characters beyond ASCII.
        is_colored: Use colors.
        width: Of a line; 0 for any.
    """

    def __init__(self, *, is_plain: bool, is_colored: bool, width: int) -> None:
        self._is_plain, self.is_colored, self._width = is_plain, is_colored, width
        self._arrow = "->" if is_plain else "→"

    def lines(self, found: Sequence[Finding], hint: str) -> Iterator[str]:
        """Yield the lines of the page."""
        order = list(Group)
        column = min(_MAX_ABOUT, max((len(each.about) for each in found), default=0))
        ranked = sorted(found, key=lambda each: (order.index(each.kind.group), *each.rank))
        for group, members in groupby(ranked, key=lambda each: each.kind.group):
            yield self._styled(group.value, _BOLD)
            for each in members:
                yield from self._finding(each, column)
            yield ""
        yield from self._summary(found)
        if hint:
            yield from self._wrapped("", hint, "", _DIM)

    def _finding(self, finding: Finding, column: int) -> Iterator[str]:
        mark = f"{_MARKS[finding.level][self._is_plain]:{5 if self._is_plain else 1}}"
        about = visible(finding.about)
        indent = " " * (2 + len(mark) + 2 + column + 2)
        head = f"  {self._styled(mark, _COLORS[finding.level])}  {about:<{column}}  "
        yield from self._wrapped(head, visible(finding.says), indent)
        if finding.fix:
            start = indent + self._styled(f"{self._arrow} ", _COLORS[finding.level])
            yield from self._wrapped(start, visible(finding.fix), indent + " " * (len(self._arrow) + 1))

    def _summary(self, found: Sequence[Finding]) -> Iterator[str]:
        wrong = sorted((each for each in found if each.level is Level.WRONG), key=lambda each: each.rank)
        notes = sum(each.level is Level.NOTE for each in found)
        level = Level.WRONG if wrong else Level.OK
        mark = _MARKS[level][self._is_plain]
        noted = f", {_counted(notes, 'note')}" if notes else ""
        if not wrong:
            said = f"nothing is wrong{noted}"
        elif len(wrong) == 1:
            said = f"1 problem{noted}: {wrong[0].about}"
        else:
            named = ", ".join(dict.fromkeys(each.about for each in wrong))
            said = f"{_counted(len(wrong), 'problem')}{noted}; the gravest first: {named}"
        yield from self._wrapped(self._styled(f"{mark} ", _COLORS[level]), visible(said), "  ", _BOLD)

    def _wrapped(self, head: str, text: str, indent: str, style: str = "") -> Iterator[str]:
        """Yield `text` behind `head`, broken into lines where they have an end."""
        room = self._width - len(indent)
        parts = textwrap.wrap(text, room, break_on_hyphens=False) if self._width and room > 0 else [text]
        for number, part in enumerate(parts or [""]):
            yield f"{indent if number else head}{self._styled(part, style)}"

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.is_colored and style and text else text


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
