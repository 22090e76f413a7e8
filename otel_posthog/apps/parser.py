"""The parser of the command line: help laid out by its author, each mistake in one line with what to write instead.

A command adds its subcommands with `add_subcommand`. What all have alike (`--color`) is added to each of them by
`finish`. Completion and the reference are made by walking a parser, so that a new command is in both by itself.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

WRONG_USAGE = 2
COLORS = ("auto", "always", "never")

# As argparse of Python 3.10 to 3.14 words them, with quotes or without.
_NO_CHOICE = re.compile(r"argument [^:]+: invalid choice: (?P<given>.*?) \(.*", re.DOTALL)
_TOO_MUCH = re.compile(r"unrecognized arguments: (?P<given>.*)", re.DOTALL)
_PLAINER = (
    (r"argument (\S+?)(?:/\S+)?: expected one argument", r"\1 needs a value"),
    (r"argument (\S+?)(?:/\S+)?: not allowed with argument (\S+?)(?:/\S+)?", r"\1 and \2 exclude each other"),
    (r"one of the arguments (\S+) (\S+) is required", r"\1 or \2 is missing"),
)
_MISSING = re.compile(r"the following arguments are required: (?P<names>.*)", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """Of the command line, of a command, or of a subcommand.

    Args:
        arguments: As `argparse.ArgumentParser` has them.
        summary: What it does, in a line.
        options: As `argparse.ArgumentParser` has them.

    Attributes:
        summary: As given.
    """

    def __init__(self, *arguments: Any, summary: str = "", **options: Any) -> None:
        # An option that is cut short would mean another one when a release adds that.
        settings = {"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False}
        super().__init__(*arguments, **{**settings, **options})
        self.summary = summary
        self._words: Sequence[str] = ()

    @property
    def commands(self) -> dict[str, Parser]:
        """Its commands by name; none where it does something itself."""
        for action in self._actions:
            if isinstance(action.choices, dict):
                return {name: each for name, each in action.choices.items() if isinstance(each, Parser)}
        return {}

    @property
    def options(self) -> list[argparse.Action]:
        """Its options."""
        return [each for each in self._actions if each.option_strings]

    @property
    def values(self) -> list[argparse.Action]:
        """What it takes beside options."""
        return [each for each in self._actions if not each.option_strings and not isinstance(each.choices, dict)]

    def called_by(self, words: Iterable[str]) -> Parser:
        """Return the command that `words` call."""
        found = self
        for word in words:
            found = found.commands.get(word, found)
        return found

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Return what `words` say; a mistake in them ends the program."""
        self._words = words
        return self.parse_args(words)

    def error(self, message: str) -> NoReturn:
        """Print what is wrong in one line, with what to write instead, and end with status 2."""
        too_much, no_choice = _TOO_MUCH.fullmatch(message), _NO_CHOICE.fullmatch(message)
        missing = _MISSING.fullmatch(message)
        meant = self.called_by(self._words)
        if too_much is not None:
            message = meant.refused(too_much["given"])
        elif no_choice is not None and self.commands:
            message = self.unknown(no_choice["given"].strip("'\""))
        elif missing is not None:
            message = meant.lacking(missing["names"])
        line = " ".join(message.split())
        for pattern, plainer in _PLAINER:
            line = re.sub(f"^{pattern}$", plainer, line)
        print(f"{meant.prog}: {line} (usage: {meant.prog} --help)", file=sys.stderr)
        sys.exit(WRONG_USAGE)

    def refused(self, given: str) -> str:
        """Return in words that `given` is no option and no value that it takes."""
        word = given.split(maxsplit=1)[0]
        if not word.startswith("-"):
            return f"{given} is more than it takes"
        known = [name for each in self.options for name in each.option_strings]
        return f"there is no option {word}{_meant(word.partition('=')[0], known)}"

    def lacking(self, names: str) -> str:
        """Return in words that what is called `names` was not given."""
        if self.commands:
            return f"which subcommand? There are {', '.join(self.commands)}"
        return f"{names} {'are' if ',' in names else 'is'} missing"

    def unknown(self, given: str) -> str:
        """Return in words that `given` is none of its commands."""
        what = "subcommand" if " " in self.prog else "command"
        listed = f"; there are {', '.join(self.commands)}"
        return f"there is no {what} {given}{_meant(given, self.commands) or listed}"


def _meant(given: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(given, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


class Page(NamedTuple):
    """What the help of a subcommand says beside its arguments.

    Attributes:
        summary: What it does, in a line.
        about: The same in sentences.
        examples: Lines to copy, each of which works.
        status: What its exit status says.
        printed: What `--json` has it print.
    """

    summary: str
    about: str
    examples: str
    status: str
    printed: str


def add_subcommand(
    commands: Any, name: str, page: Page, parents: Sequence[argparse.ArgumentParser] = ()
) -> argparse.ArgumentParser:
    """Return the parser of a new subcommand.

    Args:
        commands: What `add_subparsers` returned.
        name: Of the subcommand.
        page: Its help.
        parents: With arguments that it has as well.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=page.summary,
        summary=page.summary,
        parents=parents,
        description=page.about,
        epilog=f"examples:\n{page.examples}\nexit status: {page.status}\n",
    )
    parser.add_argument("--json", action="store_true", help=f"print {page.printed}")
    return parser


def finish(parser: Parser) -> None:
    """Give to each command that does something itself what all of them have."""
    for each in leaves(parser):
        if not any("--color" in option.option_strings for option in each.options):
            each.add_argument("--color", choices=COLORS, default="auto", help="when to print colors (default: auto)")


def leaves(parser: Parser) -> Iterator[Parser]:
    """Yield the commands, and of those that have some the subcommands."""
    below = parser.commands
    if not below:
        yield parser
    for each in below.values():
        yield from leaves(each)
