"""`otel-posthog doctor`: its arguments, and how findings are shown."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from otel_posthog.apps.numbers import seconds_up_to
from otel_posthog.errors import ConfigurationError

NAME = "doctor"
SUMMARY = "say what this environment would collect, and what is wrong with it"
DESCRIPTION = """\
Look at what an app with this environment would do: variables, policy, switches,
destinations, OTLP, filters, spool, versions, integrations. Run it where the app
runs, with the app's variables. Nothing is changed, and nothing leaves unless
--send is given.
"""
EPILOG = """\
examples:
  otel-posthog doctor            what is the case, and what to do about it
  otel-posthog doctor --send     and send one event to each destination, and an
                                 empty request to each end of OTLP
  otel-posthog doctor --app shop.app
                                 and import the app in a process of its own, to
                                 see what it does to OpenTelemetry's providers
  otel-posthog doctor --json     for a script

environment: that of the app (POSTHOG_API_KEY, OTEL_POSTHOG_POLICY, ...)

exit status: 0 nothing is wrong, 1 something is, or was not reached in time
"""
WRONG = 1
_MAX_SECONDS = 24 * 60 * 60
# An app with its frameworks takes longer to import than a host to answer.
_SECONDS, _APP_SECONDS = 10.0, 30.0
_HINT = "nothing was sent: `otel-posthog doctor --send` tries both sides, with one event for each destination"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--send",
        action="store_true",
        help="send the event otel_posthog_doctor to each destination, and ask the ends of OTLP",
    )
    parser.add_argument(
        "--timeout",
        type=seconds_up_to(_MAX_SECONDS),
        metavar="SECONDS",
        help="for all of it, and one more to say what was not reached (default: 10, with --app 30)",
    )
    parser.add_argument(
        "--app",
        type=_module,
        metavar="MODULE",
        help="import the app's module, set up as the app is, and look at its providers",
    )
    parser.add_argument(
        "--plain", action="store_true", help="of --app: the app is not started with opentelemetry-instrument"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array of findings, the gravest first")


def _module(text: str) -> str:
    # As servers are told of an app: shop.app:app.
    name = text.strip().partition(":")[0]
    if not name:
        raise argparse.ArgumentTypeError("write the name of a module of the app, for example shop.app")
    if not all(each.isidentifier() for each in name.split(".")):
        parts = re.findall(r"\w+", re.sub(r"\.py$", "", name))
        raise argparse.ArgumentTypeError(
            f"write the name of a module as in an import, for example {'.'.join(parts) or 'shop.app'}"
        )
    return name


def _folder() -> Path:
    try:
        return Path.cwd()
    except OSError:
        raise ConfigurationError("the current directory is gone; go to that of the app") from None


def run(arguments: argparse.Namespace) -> int:
    """Look, print, and return the exit status."""
    from otel_posthog.apps.doctor.limits import unusable, without  # noqa: PLC0415
    from otel_posthog.apps.doctor.propagators import import_without  # noqa: PLC0415

    environ = dict(os.environ)
    with without(*unusable(environ)):
        import_without()
        return _look(arguments, environ)


def _look(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from otel_posthog.apps.doctor.examination import Wishes, examine  # noqa: PLC0415 - help comes at once
    from otel_posthog.apps.doctor.finding import Level  # noqa: PLC0415
    from otel_posthog.apps.doctor.view import show  # noqa: PLC0415

    if arguments.plain and not arguments.app:
        raise ConfigurationError("--plain says how an app is started: write --app MODULE as well")
    found = examine(
        environ,
        _folder(),
        Wishes(
            is_sending=arguments.send,
            app=arguments.app or "",
            is_launched=not arguments.plain,
            timeout_s=arguments.timeout or (_APP_SECONDS if arguments.app else _SECONDS),
        ),
    )
    if arguments.json:
        print(json.dumps([each.as_json() for each in found], indent=2, ensure_ascii=False))
    else:
        show(found, "" if arguments.send else _HINT)
    return WRONG if any(each.level is Level.WRONG for each in found) else 0
