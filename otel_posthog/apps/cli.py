"""The command `otel-posthog`: finds the subcommand and runs it.

A subcommand is a module with `NAME`, `SUMMARY`, `DESCRIPTION`, `EPILOG`, `add_arguments` and `run`; one that needs the
extra of its name has `NEEDED_MODULES` too. What is heavy is imported by `run`, so that help and errors come at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from traceback import walk_tb

from otel_posthog.apps import policy, pseudonym
from otel_posthog.apps.collector_config import command as collector_config
from otel_posthog.apps.completion import command as completion
from otel_posthog.apps.demo import command as demo
from otel_posthog.apps.derive import command as derive
from otel_posthog.apps.doctor import command as doctor
from otel_posthog.apps.explain import command as explain
from otel_posthog.apps.gateway import command as gateway
from otel_posthog.apps.inspector import command as inspector
from otel_posthog.apps.inspector import tail
from otel_posthog.apps.parser import Parser, finish
from otel_posthog.apps.spool import command as spool
from otel_posthog.apps.terminal import OutputError, choose_color, safe_output
from otel_posthog.errors import OtelPostHogError

COMMANDS = (
    *(collector_config, completion, demo, derive, doctor, explain, gateway, inspector, policy, pseudonym, spool),
    tail,
)
DONE, CANNOT, INTERRUPTED = 0, 2, 130

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

exit status of every command:
  0    done, and nothing is wrong; of a server: stopped by a signal
  1    what was looked at is not in order: a finding, a difference, a file to
       look at that cannot be read; or something was left undone
  2    it cannot be done: a wrong argument, policy or setting, a missing extra,
       a file to work with that cannot be read or written
  130  interrupted by Ctrl-C

Colors are for terminals: NO_COLOR and --color never switch them off,
FORCE_COLOR and --color always on. `otel-posthog completion` has your shell
complete commands and options. All of it: docs/commands.md.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (the process's own by default) and return the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    with safe_output():
        try:
            status = _run(words)
        except SystemExit:  # by help, or by a mistake in the words
            if _flush(words, DONE) != DONE:
                raise SystemExit(CANNOT) from None
            raise
        except OutputError as ended:
            status = _lost(words, ended, DONE)
        except KeyboardInterrupt:
            status = INTERRUPTED
        except (OtelPostHogError, OSError, UnicodeError) as error:
            _complain(words, _said(error))
            status = CANNOT
        except ValueError as error:
            if not _is_of_import(error):
                raise
            _complain(words, f"OpenTelemetry cannot start with its OTEL_* variables: {error}")
            status = CANNOT
        return _flush(words, status)


def _flush(words: Sequence[str], status: int) -> int:
    """Write what is held back of the output, and return the exit status, `status` where nobody misses it."""
    try:
        sys.stdout.flush()
    except OutputError as ended:
        return _lost(words, ended, status)
    return status


def _lost(words: Sequence[str], ended: OutputError, status: int) -> int:
    if ended.has_no_reader:  # `| head`
        return status
    _complain(words, f"standard output: {_said(ended.error)}")
    return CANNOT


def _complain(words: Sequence[str], what: str) -> None:
    print(f"{command_line().called_by(words).prog}: {what}", file=sys.stderr)


def _is_of_import(error: ValueError) -> bool:
    """Return whether OpenTelemetry could not be imported, of which some modules read their variables then."""
    frames = [(str(each.f_globals.get("__name__")), each.f_code.co_name) for each, _ in walk_tb(error.__traceback__)]
    is_importing = any(code == "<module>" and module.startswith("opentelemetry.") for module, code in frames)
    return is_importing and not frames[-1][0].startswith("otel_posthog")


def _said(error: Exception) -> str:
    """Return in one line what is wrong."""
    if isinstance(error, UnicodeError):
        return "a file that was named is not UTF-8 text; save it as UTF-8"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
    return str(error)


def _run(words: Sequence[str]) -> int:
    parser = command_line()
    parsed = parser.read(words)
    if "command" not in parsed:
        parser.print_help()
        return 0
    command = parsed.command
    if not all(map(_is_installed, getattr(command, "NEEDED_MODULES", ()))):
        message = f'otel-posthog {command.NAME} needs its extra: pip install "otel-posthog[{command.NAME}]"'
        print(message, file=sys.stderr)
        return CANNOT
    choose_color(parsed.color)
    # Completion is about all of it.
    parsed.parser = parser
    return int(command.run(parsed))


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # one of its parents is missing
        return False


def command_line() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(prog="otel-posthog", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"otel-posthog {version('otel-posthog')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        subparser = commands.add_parser(
            command.NAME,
            help=command.SUMMARY,
            summary=command.SUMMARY,
            description=command.DESCRIPTION,
            epilog=command.EPILOG,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(command=command)
    finish(parser)
    return parser
