"""`otel-posthog explain`: its arguments, and the call of what runs it."""

from __future__ import annotations

import argparse

from otel_posthog.policy import IdentityMode
from otel_posthog.policy.fields import words_of

NAME = "explain"
SUMMARY = "show what becomes of the events in a file, and why"
DESCRIPTION = """\
Show, for every span, log record or event in a file, whether it is a product
event and why, what each destination would get of it, which rule changed what,
and what would stay on the operational side. Nothing is sent, stored or counted.

FILE holds one of these, or - reads it from standard input:
  OTLP JSON          resourceSpans or resourceLogs, one document or JSON lines,
                     as the Collector's file exporter writes them
  console output     what ConsoleSpanExporter and its like print, also between
                     the other lines of a program
  events             {"event": "...", "properties": {...}}, also in a list, in a
                     PostHog batch, or as JSON lines
  properties         {"plan": "pro", "note": "..."}
"""
EPILOG = """\
examples:
  otel-posthog explain telemetry.jsonl
  OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=posthog OTEL_TRACES_EXPORTER=console \\
    opentelemetry-instrument python app.py | otel-posthog explain -
  otel-posthog explain --policy policy.yaml --identity identified events.json
  echo '{"plan": "pro", "note": "mail jo@example.org"}' | otel-posthog explain -
  otel-posthog explain --json --no-values telemetry.jsonl | jq .events

exit status:
  0  explained          1  the file cannot be read, or is none of these
  2  a wrong argument or policy

environment:
  OTEL_POSTHOG_POLICY, OTEL_POSTHOG_IDENTITY, ...  as in the app
  NO_COLOR, FORCE_COLOR                            as --color never, always
Colors need rich: pip install "otel-posthog[demo]"; else the text is plain.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("file", metavar="FILE", help="the file to explain, - for standard input")
    parser.add_argument("--policy", metavar="FILE", help="the policy to apply (default: OTEL_POSTHOG_POLICY)")
    parser.add_argument(
        "--identity",
        metavar="MODE",
        choices=words_of(IdentityMode),
        help=f"as whom events are sent: {', '.join(mode.value for mode in IdentityMode)} (default: the policy's)",
    )
    parser.add_argument("--all", action="store_true", help="also show items that are operational only")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object a line: an item each, then a summary"
    )
    parser.add_argument(
        "--no-values", action="store_true", help="print names, keys and rules, and no value of the file"
    )


def run(arguments: argparse.Namespace) -> int:
    """Explain the file and return the exit status."""
    from otel_posthog.apps.explain.session import run_session  # noqa: PLC0415 (the pipeline: only when asked for)

    return run_session(arguments)
