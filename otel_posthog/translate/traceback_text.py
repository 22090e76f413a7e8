"""The text of a Python traceback in, what it says of frames and causes out; unverified.

A message may hold anything, lines that look like a traceback's among them: what is read here is a claim, and only what
`own_code` finds to be so may be sent. Linear in the text, bounded in what is read and returned.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_CHARS = 256 * 1024
MAX_FRAMES, MAX_EXCEPTIONS = 50, 20  # of posthog-python's 50 exceptions and any number of frames, what a person reads

_HEADER = "Traceback (most recent call last):"
_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"
_FRAME = re.compile(r'  File "([^"\n]{1,1000})", line (\d{1,7}), in (\S{1,200})\Z')
_GROUP = re.compile(r"  [|+] ")


class Raised(NamedTuple):
    """One exception of a traceback.

    Attributes:
        type: As the text has it.
        frames: (path, line, function), the innermost last.
        raised_from: `cause` or `context`, how the next in the chain relates to it; empty for the last.
    """

    type: str
    frames: tuple[tuple[str, int, str], ...]
    raised_from: str


def parse_traceback(text: str, message: str) -> list[Raised]:
    """Return the exceptions in `text`, the one that was caught first; empty where it is no Python traceback.

    Args:
        text: As `traceback.format_exception` writes it.
        message: The message of the one that was caught, which the text ends with.
    """
    text = text[-MAX_CHARS:].rstrip("\n")
    text = text.removesuffix(message.rstrip("\n")) if message else text
    found: list[Raised] = []
    frames: list[tuple[str, int, str]] | None = None
    relation = ""
    for line in map(_ungrouped, text.split("\n")):
        if frames is None:
            frames, relation = _opened(line, relation, is_first=not found)
        elif line.startswith("  "):
            match = _FRAME.match(line)
            if match:
                frames.append((match[1], int(match[2]), match[3]))
        else:
            found.append(Raised(line.split(":", 1)[0], tuple(frames[-MAX_FRAMES:]), relation))
            frames, relation = None, ""
    return found[: -MAX_EXCEPTIONS - 1 : -1]


def _opened(line: str, relation: str, *, is_first: bool) -> tuple[list[tuple[str, int, str]] | None, str]:
    """Return an empty list of frames if `line` begins a traceback, and how that relates to the one above it."""
    if line == _CAUSE:
        return None, "cause"
    if line == _CONTEXT:
        return None, "context"
    if line.endswith(_HEADER) and (is_first or relation):
        return [], relation
    return None, relation if not line else ""


def _ungrouped(line: str) -> str:
    """Return `line` without what an exception group draws before it."""
    return _GROUP.sub("", line, count=1) if _GROUP.match(line) else line
