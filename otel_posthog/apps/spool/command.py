"""`otel-posthog spool`: its arguments, and the call of what runs it."""

from __future__ import annotations

import argparse
from pathlib import Path

from otel_posthog.apps.numbers import count, seconds
from otel_posthog.apps.parser import add_subcommand
from otel_posthog.apps.spool.pages import PAGES

NAME = "spool"
SUMMARY = "see, send, export and replay the events that wait on disk"
DESCRIPTION = """\
Events wait on disk from before the first attempt to send them until PostHog has
them. This shows what waits, and works on what ended processes left: what a
running process has is locked, shown, and left to that process.
Events here are filtered already: what you see is what PostHog gets.
"""
EPILOG = """\
examples:
  otel-posthog spool list               how much waits, since when, whose it is
  otel-posthog spool inspect --limit 3  the oldest events, as they will be sent
  otel-posthog spool drain              send it all now; exit 0: nothing is left
  otel-posthog spool dead               what PostHog refused for good, and why
  otel-posthog spool replay             have refused events sent once more
  otel-posthog spool erase --distinct-id ID   what waits of one person

a site without a network:
  otel-posthog spool export waiting.jsonl.gz   there
  otel-posthog spool import waiting.jsonl.gz   where there is one, and then
  otel-posthog spool drain

environment:
  OTEL_POSTHOG_SPOOL_DIR   where events wait (default: the folder spool of the
                           state directory); --directory wins
  POSTHOG_API_KEY, POSTHOG_HOST, OTEL_POSTHOG_POLICY, ...
                           as for the app: drain sends with them

exit status: 0 done and nothing left, 1 something is left, 2 it cannot be done
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    commands = parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND", dest="subcommand", required=True)
    common = _common()
    made = {name: add_subcommand(commands, name, page, [common]) for name, page in PAGES.items()}
    made["inspect"].add_argument("--limit", type=count, default=10, metavar="N", help="to show (default: 10; 0: all)")
    made["drain"].add_argument(
        "--timeout",
        type=seconds,
        default=300.0,
        metavar="SECONDS",
        help="stop after (default: 300), or after 20 without an event getting through; the rest stays",
    )
    made["drain"].add_argument(
        "--unbound",
        action="store_true",
        help="send as well what an earlier release kept, which did not note for which project",
    )
    made["replay"].add_argument("uuids", nargs="*", metavar="UUID", help="of these only (default: all)")
    made["export"].add_argument(
        "file", type=Path, metavar="FILE", help="a new file of JSON lines; compressed if its name ends in .gz"
    )
    made["export"].add_argument("--keep", action="store_true", help="leave the events in the spool as well")
    whose = made["erase"].add_mutually_exclusive_group(required=True)
    whose.add_argument(
        "--distinct-id",
        action="append",
        metavar="ID",
        help="events of this distinct_id, dead letters too (repeat for several; `otel-posthog pseudonym` prints them)",
    )
    whose.add_argument("--all", action="store_true", help="everything that no running process has")
    made["import"].add_argument("file", type=Path, metavar="FILE", help="what `export` wrote")


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand and return its exit status."""
    from otel_posthog.apps.spool.run import run_subcommand  # noqa: PLC0415 (only when asked for)

    return run_subcommand(arguments)


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--directory", type=_directory, metavar="DIR", help="the spool (default: OTEL_POSTHOG_SPOOL_DIR)"
    )
    common.add_argument("--destination", metavar="NAME", help="of this destination of the policy only")
    return common


def _directory(text: str) -> Path:
    """Return the directory of that name.

    Raises:
        argparse.ArgumentTypeError: The name is empty, as that of a variable that is not set: no directory is meant.
    """
    if not text:
        raise argparse.ArgumentTypeError("name a directory, or leave it out")
    return Path(text)
