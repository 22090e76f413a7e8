"""`otel-posthog inspect`: its help and its arguments. What serves is imported only when it is asked for."""

from __future__ import annotations

import argparse

from otel_posthog.apps.numbers import port
from otel_posthog.policy import IdentityMode
from otel_posthog.policy.fields import words_of

NAME = "inspect"
SUMMARY = "watch in a browser what running apps send, and why"
NEEDED_MODULES = ("starlette", "uvicorn")
DESCRIPTION = """\
Open a local page that shows, for each span, log record and event, what PostHog
gets of it, which rule removed or changed what, and what goes on to the
operational side. It shows this user's apps and gateways that were started with
OTEL_POSTHOG_INSPECT=1, or a file, or what waits in the spool. Nothing is sent
or stored. The page is on 127.0.0.1; its address works once, for one browser.
"""
EPILOG = """\
examples:
  OTEL_POSTHOG_INSPECT=1 opentelemetry-instrument python app.py
  otel-posthog inspect                     in another terminal
  otel-posthog inspect telemetry.jsonl     a file that `explain` reads
  otel-posthog inspect --spool             what waits on disk
  otel-posthog inspect --no-browser --port 8123

environment of the app:
  OTEL_POSTHOG_INSPECT          1: listens on a socket of its user in the state
                                directory; a path: in that directory
  OTEL_POSTHOG_INSPECT_VALUES   1: also hands out values as they were before the
                                filters; without it they stay in the app

exit status: 0 stopped by Ctrl-C, 1 the file cannot be read, 2 it cannot start
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", metavar="FILE", nargs="?", help="a file to show, - for standard input")
    parser.add_argument("--spool", action="store_true", help="show the events that wait in the spool")
    parser.add_argument(
        "--socket", metavar="PATH", help="the app's socket, or a directory of them (default: OTEL_POSTHOG_INSPECT)"
    )
    parser.add_argument("--port", type=port, default=0, metavar="N", help="listen on (default: a free one)")
    browser = parser.add_mutually_exclusive_group()
    browser.add_argument("--open", action="store_true", help="open the page in a browser, also without a terminal")
    browser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--json", action="store_true", help="print the address as one JSON object")
    parser.add_argument("--no-values", action="store_true", help="show no value of FILE as it was before the filters")
    parser.add_argument("--policy", metavar="FILE", help="the policy for FILE (default: OTEL_POSTHOG_POLICY)")
    parser.add_argument(
        "--identity", metavar="MODE", choices=words_of(IdentityMode), help="the identity mode for FILE, as in `explain`"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C and return the exit status."""
    from otel_posthog.apps.inspector.session import run_session  # noqa: PLC0415 (only when asked for)

    return run_session(arguments)
