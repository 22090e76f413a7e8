"""The command `otel-posthog`: finds the subcommand and runs it.

A subcommand is a module with `NAME`, `SUMMARY`, `DESCRIPTION`, `EPILOG`, `add_arguments` and `run`; one that needs the
extra of its name has `NEEDED_MODULES` too. What is heavy is imported by `run`, so that help and errors come at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec

from otel_posthog.apps import policy, pseudonym
from otel_posthog.apps.collector_config import command as collector_config
from otel_posthog.apps.demo import command as demo
from otel_posthog.apps.derive import command as derive
from otel_posthog.apps.doctor import command as doctor
from otel_posthog.apps.explain import command as explain
from otel_posthog.apps.gateway import command as gateway
from otel_posthog.apps.inspector import command as inspector
from otel_posthog.apps.spool import command as spool
from otel_posthog.apps.terminal import safe_output

COMMANDS = (collector_config, demo, derive, doctor, explain, gateway, inspector, policy, pseudonym, spool)
MISSING_EXTRA = 2

DESCRIPTION = """\
Standard OpenTelemetry in; product events to PostHog through privacy filters,
operational telemetry to OTLP.
"""
EPILOG = """\
Nothing of an app has to change for otel-posthog to work; give its process a key
and start it as ever:

  POSTHOG_API_KEY=phc_... opentelemetry-instrument python app.py

environment of that app:
  POSTHOG_API_KEY       the project's key; without one nothing is collected
  POSTHOG_HOST          the ingestion host (default: https://us.i.posthog.com)
  OTEL_POSTHOG_POLICY   a policy file: what may be collected, what may leave
  OTEL_POSTHOG_ENABLED  false switches collection off, as do USAGE_STATS=false
                        and DO_NOT_TRACK=1
  OTEL_*                as everywhere in OpenTelemetry
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (the process's own by default) and return the exit status."""
    with safe_output():
        return _run(arguments)


def _run(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if "command" not in parsed:
        parser.print_help()
        return 0
    command = parsed.command
    if not all(map(_is_installed, getattr(command, "NEEDED_MODULES", ()))):
        message = f'otel-posthog {command.NAME} needs its extra: pip install "otel-posthog[{command.NAME}]"'
        print(message, file=sys.stderr)
        return MISSING_EXTRA
    try:
        status = int(command.run(parsed))
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # one of its parents is missing
        return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="otel-posthog",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"otel-posthog {version('otel-posthog')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        subparser = commands.add_parser(
            command.NAME,
            help=command.SUMMARY,
            description=command.DESCRIPTION,
            epilog=command.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(command=command)
    return parser
