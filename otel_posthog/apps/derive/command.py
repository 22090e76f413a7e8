"""`otel-posthog derive`: its arguments, and what it does."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_posthog.apps.derive.survey import Survey

NAME = "derive"
SUMMARY = "suggest rules that make product events of the telemetry in a file"
DESCRIPTION = """\
Read telemetry of an app and say which product events rules could make of it:
the word that switches each rule on, how many events there are in the file and
about how many a day, and which properties they have; what no rule fits; and
rules to paste for frequent requests of the app's own. It shows names of
attributes and routes, and no other value. Nothing is sent, stored or changed.

FILE holds OTLP JSON, as the Collector's file exporter writes it, or what the
console exporters of OpenTelemetry for Python print, also between the other
lines of a program; - reads it from standard input.
"""
EPILOG = """\
examples:
  OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=posthog OTEL_TRACES_EXPORTER=console \\
    opentelemetry-instrument python app.py > telemetry.txt
  otel-posthog derive telemetry.txt
  otel-posthog derive --policy telemetry.txt > policy.yaml
  otel-posthog explain --policy policy.yaml telemetry.txt
  otel-posthog derive --json telemetry.txt | jq '.rules[] | {rule, count}'

exit status:
  0  read          1  the file cannot be read, or holds no telemetry
  2  a wrong argument

The figures a day are those of the file, as if it went on so: a file of an hour
of real use says more than one of a minute. Rules: docs/derive.md.
"""
READ, UNREADABLE, INTERRUPTED = 0, 1, 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("file", metavar="FILE", help="the file to read, - for standard input")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--policy", action="store_true", help="print a policy with the rules, as YAML, and nothing else")
    form.add_argument("--json", action="store_true", help="print all of it as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Read the file, print what it could become, and return the exit status."""
    from otel_posthog.apps.explain.documents import STANDARD_INPUT, UnreadableFileError  # noqa: PLC0415 (here and below)

    name = "standard input" if arguments.file == STANDARD_INPUT else arguments.file
    try:
        survey = _surveyed(arguments.file)
    except UnreadableFileError as error:
        print(f"otel-posthog derive: {name}: {error}", file=sys.stderr)
        return UNREADABLE
    except KeyboardInterrupt:
        return INTERRUPTED
    if not survey.items:
        print(f"otel-posthog derive: {name}: there are no spans and log records in it", file=sys.stderr)
        return UNREADABLE
    _print(survey, arguments, name)
    return READ


def _surveyed(path: str) -> Survey:
    from otel_posthog.apps.derive.survey import Survey  # noqa: PLC0415
    from otel_posthog.apps.explain.documents import JsonDocuments, open_text  # noqa: PLC0415
    from otel_posthog.apps.explain.items import items_of  # noqa: PLC0415
    from otel_posthog.apps.explain.records import is_console  # noqa: PLC0415
    from otel_posthog.apps.progress import counted  # noqa: PLC0415
    from otel_posthog.intake.otlp import LogRecord, SpanRecord  # noqa: PLC0415

    survey = Survey()
    with open_text(path, NAME) as text:
        items = (item for document in JsonDocuments(text, is_console) for item in items_of(document))
        for item in counted(items, "read"):
            if isinstance(item.content, (SpanRecord, LogRecord)):
                survey.add(item.content)
    return survey


def _print(survey: Survey, arguments: argparse.Namespace, name: str) -> None:
    from otel_posthog.apps.derive.page import as_json, page, policy_text  # noqa: PLC0415

    if arguments.policy:
        sys.stdout.write(policy_text(survey, name))
    elif arguments.json:
        sys.stdout.write(as_json(survey, name))
    else:
        sys.stdout.write(page(survey, name))
