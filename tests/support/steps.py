"""Counts of work that no clock and no other process can blur: function calls, and characters that patterns read."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from otel_posthog.regex import Compiled

_PATTERNS: tuple[Any, ...] = (re.Pattern, Compiled)


class Steps:
    """What was counted.

    Attributes:
        count: Calls of functions, and characters within what patterns matched or searched in vain.
    """

    def __init__(self) -> None:
        self.count = 0

    def of(self, work: Callable[[], object]) -> int:
        """Return how many steps `work` takes."""
        self.count = 0
        sys.setprofile(self._called)
        try:
            work()
        finally:
            sys.setprofile(None)
        return self.count

    def _called(self, _frame: object, event: str, _argument: object) -> None:
        self.count += event in {"call", "c_call"}


class _Counting:
    """A pattern that counts the characters it reads; what it does within a match is for the clock to tell."""

    def __init__(self, pattern: re.Pattern[str], steps: Steps) -> None:
        self._pattern, self._steps = pattern, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        return self._read(self._pattern.search(text, start, end), start, min(end, len(text)))

    def match(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        return self._read(self._pattern.match(text, start, end), start, start)

    def fullmatch(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        return self._read(self._pattern.fullmatch(text, start, end), start, start)

    def findall(self, text: str, start: int = 0, end: int = sys.maxsize) -> list[Any]:
        self._steps.count += max(0, min(end, len(text)) - start)
        return self._pattern.findall(text, start, end)

    def finditer(self, text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[re.Match[str]]:
        at = start
        for found in self._pattern.finditer(text, start, end):
            self._steps.count += found.end() - at
            at = found.end()
            yield found
        self._steps.count += max(0, min(end, len(text)) - at)

    def _read(self, found: re.Match[str] | None, start: int, end: int) -> re.Match[str] | None:
        self._steps.count += max(0, (found.end() if found else end) - start)
        return found


@contextmanager
def counted(modules: list[ModuleType]) -> Iterator[Steps]:
    """Count, for as long as the block lasts, what the patterns of `modules` read as well."""
    steps = Steps()
    before = [(module, name, value) for module in modules for name, value in vars(module).items()]
    try:
        for module, name, value in before:
            wrapped = _wrapped(value, steps)
            if wrapped is not value:
                setattr(module, name, wrapped)
        yield steps
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def _wrapped(value: Any, steps: Steps) -> Any:
    if isinstance(value, _PATTERNS):
        # To ask for its text has a late one compiled here, where it is not counted.
        return _Counting(value, steps) if isinstance(value.pattern, str) else value
    if isinstance(value, tuple) and any(isinstance(each, (*_PATTERNS, tuple)) for each in value):
        return tuple(_wrapped(each, steps) for each in value)
    if isinstance(value, dict) and any(isinstance(each, _PATTERNS) for each in value.values()):
        return {key: _wrapped(each, steps) for key, each in value.items()}
    return value
