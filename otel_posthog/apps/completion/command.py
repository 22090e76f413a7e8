"""`otel-posthog completion SHELL`: prints the script that has a shell complete the command line.

Comes in: the parser of the command line. Goes out: a script, which asks nothing of this program when it runs.
"""

from __future__ import annotations

import argparse
import json

NAME = "completion"
SUMMARY = "have your shell complete commands, options and files"
DESCRIPTION = """\
Print a script by which a shell completes what you type after `otel-posthog`:
commands, options, the words that an option takes, and files where it takes one.
The script starts no process. Make it anew after an upgrade.
"""
EPILOG = """\
examples:
  otel-posthog completion bash > ~/.otel-posthog.bash
      with `source ~/.otel-posthog.bash` in ~/.bashrc
  otel-posthog completion zsh > ~/.zfunc/_otel-posthog
      with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  otel-posthog completion fish > ~/.config/fish/completions/otel-posthog.fish
  otel-posthog completion --json bash      the commands and options, for others

for this session only:
  source <(otel-posthog completion bash)
  source <(otel-posthog completion zsh)
  otel-posthog completion fish | source

exit status: 0 printed, 2 a shell that is not known
"""
SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print a JSON array instead, an object for each command: path, commands, options, takes",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the script and return the exit status."""
    from otel_posthog.apps.completion import scripts  # noqa: PLC0415 (here and below: the command line knows this one)
    from otel_posthog.apps.completion.tree import as_json, nodes  # noqa: PLC0415

    found = list(nodes(arguments.parser))
    if arguments.json:
        print(json.dumps([as_json(each) for each in found]))
    else:
        print(scripts.SCRIPTS[arguments.shell](found), end="")
    return 0
