"""The text of a Python traceback in, the frames of the app's own code that it names out; each checked.

A message may hold anything, lines that look like a traceback's among them: what `parse_traceback` reads is a claim. A
frame is sent only if its file is that of a module which this process has loaded and which is the app's own, and if
that file has a function of this name and so many lines. What is then sent of it are facts about the source code, never
a piece of the text: no message, however it looks, can pass for a frame. Where the program is not here (a file of
telemetry, another process) there are no frames. Runs on the worker, linear in the text, bounded in what is read.
"""

from __future__ import annotations

import builtins
import linecache
import re
import sys
import sysconfig
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from pathlib import PurePath
from types import ModuleType
from typing import NamedTuple

from otel_posthog.posthog.properties import MAX_EXCEPTIONS, MAX_FRAMES
from otel_posthog.regex import regex

MAX_CHARS = 256 * 1024

_HEADER = "Traceback (most recent call last):"
_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"
_FRAME_LINE = regex(r'  File "([^"\n]{1,1000})", line (\d{1,7}), in (\S{1,200})\Z')
_GROUP = regex(r"  [|+] ")

_SCOPE = regex(r"^\s*(?:async\s+)?(?:def|class)\s+(\w+)", re.MULTILINE)
_NAMELESS = frozenset({"<module>", "<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
_MODULE = regex(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_OURS = ("otel_posthog.", "otel_posthog_instrumentation.", "opentelemetry.")
_LIBRARIES = tuple(
    PurePath(path).parts for name in ("stdlib", "platstdlib", "scripts") if (path := sysconfig.get_paths().get(name))
)
_FILES_KEPT = 256


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


class Frame(NamedTuple):
    """A frame of the app's own code.

    Attributes:
        module: Its dotted name; `__main__` for a program.
        filename: The module's file below the folder it was imported from, with slashes; a program's own name.
        function: The function's name, without the class.
        lineno: From 1.
    """

    module: str
    filename: str
    function: str
    lineno: int


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
            match = _FRAME_LINE.match(line)
            if match:
                frames.append((match[1], int(match[2]), match[3]))
        else:
            found.append(Raised(line.split(":", 1)[0], tuple(frames[-MAX_FRAMES:]), relation))
            frames, relation = None, ""
    return found[: -MAX_EXCEPTIONS - 1 : -1]


def in_app_frame(path: str, lineno: int, function: str) -> Frame | None:
    """Return the frame at `path`, or None unless it is one of the app's own code.

    Args:
        path: As the traceback has it.
        lineno: The line.
        function: The function's name.
    """
    module = _modules_by_file(len(sys.modules)).get(path)
    if module is None or not _is_in_app(module, path):
        return None
    lines, names = _source(path)
    if not 1 <= lineno <= lines or (function not in names and function not in _NAMELESS):
        return None
    return Frame(module, _filename(module, path), function, lineno)


def known_type(qualified: str) -> str | None:
    """Return `qualified` if it is the name of an exception type of this process, else None."""
    parts = qualified.split(".")
    if not _MODULE.fullmatch(qualified):
        return None
    for end in range(len(parts) - 1, -1, -1):
        found: object = sys.modules.get(".".join(parts[:end])) if end else builtins
        for name in parts[end:]:
            found = _attributes(found).get(name)
        if isinstance(found, type) and issubclass(found, BaseException):
            return qualified
    return None


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


def _is_in_app(module: str, path: str) -> bool:
    parts = PurePath(path).parts
    if f"{module}.".startswith(_OURS) or not _MODULE.fullmatch(module) or not _INSTALLED.isdisjoint(parts):
        return False
    return not any(parts[: len(library)] == library for library in _LIBRARIES)


def _filename(module: str, path: str) -> str:
    name = PurePath(path).name
    parents = module.split(".") if name == "__init__.py" else module.split(".")[:-1]
    return "/".join((*parents, name))


# The number of loaded modules stands for which they are: when it changes the table is made again.
@lru_cache(maxsize=1)
def _modules_by_file(_: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, module in tuple(sys.modules.items()):
        path = _file_of(module)
        if path is not None:
            found.setdefault(path, name)
    return found


def _file_of(module: object) -> str | None:
    """Return the file of a module; Python has taken it from a program that has ended, whose last events are sent."""
    attributes = _attributes(module)
    path, loader = attributes.get("__file__"), attributes.get("__loader__")
    if path is None and type(loader) is SourceFileLoader:
        path = loader.path
    return path if isinstance(path, str) else None


def _attributes(holder: object) -> dict[str, object]:
    """Return what `holder` has, without calling anything of its own: a lazy module would be imported by a look."""
    if not isinstance(holder, (ModuleType, type)):
        return {}
    return dict(object.__getattribute__(holder, "__dict__"))


@lru_cache(maxsize=_FILES_KEPT)
def _source(path: str) -> tuple[int, frozenset[str]]:
    """Return how many lines the source at `path` has, and the names of the functions in it."""
    lines = linecache.getlines(path)
    return len(lines), frozenset(_SCOPE.findall("".join(lines)))
