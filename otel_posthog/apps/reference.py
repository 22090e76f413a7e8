"""Writes `docs/commands.md`, the reference of the command line, from its parser: `make policy`.

Run as `python -m otel_posthog.apps.reference PATH`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from otel_posthog.apps.cli import command_line
from otel_posthog.apps.completion.tree import Value, nodes
from otel_posthog.apps.parser import Parser, leaves

_HEAD = """\
# Commands

What `otel-posthog` does, command by command. This page is made of the same text as `--help`: `make policy` renews it.

## What holds for all of them

| | |
|---|---|
| `--help` | what it does, its options, examples that work as they stand |
| `--json` | the result as JSON on standard output, with the keys that the tables below name; keys are added, \
and none is renamed or removed within a major version. What a person is told beside it goes to standard error |
| `--color auto`, `always`, `never` | `auto`, the default: colors on a terminal only. `NO_COLOR` and \
`FORCE_COLOR`, set to anything, decide where `--color` does not; JSON has none |
| progress | on standard error, where that is a terminal |
| a mistake | one line on standard error: what is wrong, and what to write instead |
| a reader that goes, as `head` does behind a pipe | ends without a word |
| `otel-posthog --version` | the version that is installed |

| exit status | |
|---|---|
| 0 | done, and nothing is wrong; of a server (`gateway`, `inspect`): stopped by a signal |
| 1 | what was looked at is not in order: a finding of `doctor`, a difference, a file that cannot be read, \
something that is left to do |
| 2 | it could not begin: a wrong argument, policy or setting, or an extra that is not installed, with the line \
that installs it |
| 130 | interrupted by Ctrl-C |

`otel-posthog completion bash`, `zsh` or `fish` prints the script by which your shell completes all of this.

"""


def text() -> str:
    """Return the page."""
    parser = command_line()
    return _HEAD + "\n".join(line for each in leaves(parser) for line in _section(each))


def _section(parser: Parser) -> Iterator[str]:
    (node,) = (each for each in nodes(parser) if not each.path)
    yield f"## {parser.prog}\n"
    if node.value is not None or node.options:
        yield "| | |\n|---|---|"
        for value in parser.values:
            yield f"| `{value.metavar or value.dest}` | {_cell(value.help or '')} |"
        for action, option in zip(parser.options, node.options, strict=True):
            takes = "" if option.value is None else f" {_placeholder(option.value, str(action.metavar))}"
            yield f"| {', '.join(f'`{name}{takes}`' for name in option.names)} | {_cell(option.about)} |"
    yield f"\n```text\n{(parser.description or '').strip()}\n\n{(parser.epilog or '').strip()}\n```\n"


def _placeholder(value: Value, metavar: str) -> str:
    return "{" + ",".join(value.words) + "}" if value.words else metavar


def _cell(about: str) -> str:
    return " ".join(about.replace("%%", "%").split()).replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
