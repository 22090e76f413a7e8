"""The command line as a shell completes it: commands, their options, and what values these take."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, NamedTuple

from otel_posthog.apps.parser import Parser

FILES, DIRECTORIES, WORDS, ANYTHING = "files", "directories", "words", ""
_PATHS = {"FILE": FILES, "DIR": DIRECTORIES, "PATH": FILES}


class Value(NamedTuple):
    """What an option, or the command itself, takes.

    Attributes:
        kind: `FILES`, `DIRECTORIES`, `WORDS` or `ANYTHING`.
        words: Those to choose from.
    """

    kind: str
    words: tuple[str, ...] = ()


class Option(NamedTuple):
    """An option of a command.

    Attributes:
        names: `--policy`, or `-h` and `--help`.
        about: What it does.
        value: What it takes; None where it takes nothing.
    """

    names: tuple[str, ...]
    about: str
    value: Value | None


class Node(NamedTuple):
    """A command.

    Attributes:
        path: The words that call it.
        commands: Its own commands, with their summaries.
        options: In the order of its help.
        value: What it takes beside options; None where that is nothing.
    """

    path: tuple[str, ...]
    commands: dict[str, str]
    options: list[Option]
    value: Value | None


def nodes(parser: Parser, path: tuple[str, ...] = ()) -> Iterator[Node]:
    """Yield the command that `parser` reads and those below it."""
    commands = {name: each.summary for name, each in parser.commands.items()}
    values = [_value(each) for each in parser.values]
    yield Node(path, commands, [_option(each) for each in parser.options], values[0] if values else None)
    for name, each in parser.commands.items():
        yield from nodes(each, (*path, name))


def as_json(node: Node) -> dict[str, Any]:
    """Return `node` in terms of JSON."""
    options = [{"names": each.names, "about": each.about, "takes": _plain(each.value)} for each in node.options]
    return {"path": node.path, "commands": node.commands, "options": options, "takes": _plain(node.value)}


def _plain(value: Value | None) -> dict[str, Any] | None:
    return None if value is None else {"kind": value.kind, "words": value.words}


def _option(action: argparse.Action) -> Option:
    about = " ".join((action.help or "").split())
    return Option(tuple(action.option_strings), about, None if action.nargs == 0 else _value(action))


def _value(action: argparse.Action) -> Value:
    if action.choices is not None:
        return Value(WORDS, tuple(map(str, action.choices)))
    return Value(_PATHS.get(str(action.metavar), ANYTHING))
