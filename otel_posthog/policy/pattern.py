"""A small pattern language for declared strings, of which no pattern can be slow.

Regular expressions of Python backtrack: an unlucky one takes exponential time for a text that somebody else chooses.
Here a pattern is a row of character classes, each with a least and a largest count, and a match keeps the set of
places that can be reached: time is the length of the text times the number of classes, whatever the pattern.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from otel_posthog.regex import regex

MAX_PATTERN_CHARS, MAX_TEXT_CHARS = 200, 1000

_CLASS = regex(r"\[(?:[^\]\[\\^][^\]\[\\]*)\]")
_COUNT = regex(r"\{(\d{1,3})(?:,(\d{1,3}))?\}")
_SPECIAL = {
    "*": "write `{0,64}` for how many",
    "+": "write `{1,64}` for how many",
    ".": "write `[.]` for a dot",
    "|": "use `type: enum` with `values`",
    "(": "write `[(]` for a bracket",
    ")": "write `[)]` for a bracket",
    "^": "leave it out: a pattern is for the whole text",
    "$": "leave it out: a pattern is for the whole text, or write `[$]`",
    "\\": "write `[0-9]` for digits, `[.]` for a dot",
    "?": "write it behind a character",
    "{": "write `{3}` or `{1,8}` behind a character",
    "}": "write `[}]` for a brace",
    "[": "close it, with at least one character and without `^`, `[` and `\\` in it",
    "]": "write `[]]` not at all: a bracket cannot be matched",
}


class PatternError(ValueError):
    """A pattern that cannot be read.

    Args:
        problem: What is wrong.
        fix: What to write instead.
    """

    def __init__(self, problem: str, fix: str) -> None:
        self.problem, self.fix = problem, fix
        super().__init__(f"{problem}; {fix}")


class _Part(NamedTuple):
    characters: frozenset[str]
    least: int
    most: int


@lru_cache(1024)
def compile_pattern(pattern: str) -> tuple[_Part, ...]:
    """Return `pattern`, ready for `matches`.

    Raises:
        PatternError: It is no pattern; the message says what to write instead.
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        raise PatternError(f"a pattern has at most {MAX_PATTERN_CHARS} characters", "use `type: enum` or `max_chars`")
    parts: list[_Part] = []
    at = 0
    while at < len(pattern):
        characters, at = _characters(pattern, at)
        least, most, at = _counts(pattern, at)
        if least > most:
            raise PatternError("a count whose least is above its most", "write `{1,8}`")
        parts.append(_Part(characters, least, most))
    return tuple(parts)


def matches(pattern: str, text: str) -> bool:
    """Return whether `pattern` is the form of all of `text`."""
    if len(text) > MAX_TEXT_CHARS:
        return False
    reached = {0}
    for part in compile_pattern(pattern):
        reached = _after(part, text, reached)
        if not reached:
            return False
    return len(text) in reached


def _after(part: _Part, text: str, reached: set[int]) -> set[int]:
    """Return the places that can be reached from `reached` by one part, each looked at once."""
    found: set[int] = set()
    end_of_run, done = -1, -1
    for start in sorted(reached):
        if end_of_run < start:
            end_of_run = start
            while end_of_run < len(text) and text[end_of_run] in part.characters:
                end_of_run += 1
        last = min(start + part.most, end_of_run)
        found.update(range(max(start + part.least, done + 1), last + 1))
        done = max(done, last)
    return found


def _characters(pattern: str, at: int) -> tuple[frozenset[str], int]:
    group = _CLASS.match(pattern, at)
    if group is not None:
        return _members(group.group()[1:-1]), group.end()
    character = pattern[at]
    if character in _SPECIAL:
        raise PatternError(f"`{character}` at character {at + 1} of a pattern is not known", _SPECIAL[character])
    return frozenset(character), at + 1


def _members(inside: str) -> frozenset[str]:
    members: set[str] = set()
    at = 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            first, last = ord(inside[at]), ord(inside[at + 2])
            if last < first:
                raise PatternError(f"`{inside[at : at + 3]}` ends before it begins", "write e.g. `[a-z]`")
            members.update(map(chr, range(first, last + 1)))
            at += 3
        else:
            members.add(inside[at])
            at += 1
    return frozenset(members)


def _counts(pattern: str, at: int) -> tuple[int, int, int]:
    if pattern[at : at + 1] == "?":
        return 0, 1, at + 1
    count = _COUNT.match(pattern, at)
    if count is None:
        return 1, 1, at
    return int(count[1]), int(count[2] or count[1]), count.end()
