"""`otel-posthog tail`: its help and its arguments. What reads is imported only when it is asked for."""

from __future__ import annotations

import argparse

from otel_posthog.apps.numbers import count

NAME = "tail"
SUMMARY = "watch in a terminal what running apps send, and why"
DESCRIPTION = """\
Print what running apps and gateways of this user hand to PostHog, and what is
operational only, one line each as it comes: when, which event, what became of
it at each destination, by which rules, and what is sent. It shows those that
were started with OTEL_POSTHOG_INSPECT=1. Nothing is sent or stored.
"""
EPILOG = """\
examples:
  OTEL_POSTHOG_INSPECT=1 opentelemetry-instrument python app.py
  otel-posthog tail                          in another terminal
  otel-posthog tail --event 'ticket_*'       events of these names
  otel-posthog tail --outcome dropped        what PostHog does not get, and why
  otel-posthog tail --json | jq .events      as `explain --json` prints items

environment:
  OTEL_POSTHOG_INSPECT  where the apps listen, as for the apps

exit status: 0 stopped by Ctrl-C, 1 it may not look there, 2 a wrong argument
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--socket", metavar="PATH", help="the app's socket, or a directory of them (default: OTEL_POSTHOG_INSPECT)"
    )
    parser.add_argument(
        "--event",
        action="append",
        default=[],
        metavar="NAME",
        help="only events of this name; `*` stands for any characters; may be repeated",
    )
    parser.add_argument(
        "--outcome",
        action="append",
        default=[],
        choices=("sent", "dropped", "operational"),
        help="only what became so; may be repeated",
    )
    parser.add_argument(
        "-n", "--lines", type=count, default=10, metavar="N", help="begin with the last N items (default: 10)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--no-values", action="store_true", help="print names, keys and rules, and no value")


def run(arguments: argparse.Namespace) -> int:
    """Print until Ctrl-C and return the exit status."""
    from otel_posthog.apps.inspector.following import follow  # noqa: PLC0415 (only when asked for)

    return follow(arguments)
