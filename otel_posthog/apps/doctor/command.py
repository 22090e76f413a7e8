"""`otel-posthog doctor`: its arguments, and how findings are shown."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from otel_posthog.text import visible

if TYPE_CHECKING:
    from otel_posthog.apps.doctor.checks import Finding

NAME = "doctor"
SUMMARY = "say what this environment would collect, and what is wrong with it"
DESCRIPTION = """\
Look at what an app with this environment would do: versions, integrations,
policy, switches, destinations, directories, OTLP. Run it where the app runs,
with the app's variables. Nothing is changed, and nothing leaves unless --send
is given.
"""
EPILOG = """\
examples:
  otel-posthog doctor            what is the case, and what to do about it
  otel-posthog doctor --send     and send one event to each destination
  otel-posthog doctor --json     for a script

environment: that of the app (POSTHOG_API_KEY, OTEL_POSTHOG_POLICY, ...)

exit status: 0 nothing is wrong, 1 something is
"""
WRONG = 1

_MARKS = {"ok": ("✓", "ok"), "note": ("•", "note"), "wrong": ("✗", "WRONG")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--send", action="store_true", help="send the event otel_posthog_doctor to each destination")
    parser.add_argument(
        "--timeout", type=float, default=10.0, metavar="SECONDS", help="for each destination (default: 10)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array of findings")


def run(arguments: argparse.Namespace) -> int:
    """Look, print, and return the exit status."""
    found = list(_findings(os.environ, is_sending=arguments.send, timeout_s=arguments.timeout))
    if arguments.json:
        print(json.dumps([each.as_json() for each in found], indent=2, ensure_ascii=False))
    else:
        _show(found)
    return WRONG if any(each.level.value == "wrong" for each in found) else 0


def _findings(environ: Mapping[str, str], *, is_sending: bool, timeout_s: float) -> Iterable[Finding]:
    from otel_posthog.apps.doctor.checks import (  # noqa: PLC0415 - help comes at once
        Finding,
        Level,
        of_settings,
        of_this_environment,
    )
    from otel_posthog.apps.doctor.posthog_python import of_posthog_python  # noqa: PLC0415
    from otel_posthog.apps.doctor.trial import trial  # noqa: PLC0415
    from otel_posthog.errors import OtelPostHogError  # noqa: PLC0415
    from otel_posthog.setup.settings import read_settings  # noqa: PLC0415

    yield from of_this_environment(environ)
    try:
        settings = read_settings(environ)
    except OtelPostHogError as error:
        # The line of the error says what to write instead.
        yield Finding(Level.WRONG, "configuration", str(error))
        return
    yield from of_settings(settings, environ)
    yield from of_posthog_python(settings.policy, environ, Path.cwd())
    if is_sending:
        yield from trial(settings, environ, timeout_s)


def _show(found: Sequence[Finding]) -> None:
    # Not every terminal and log has these characters.
    is_plain = not (sys.stdout.encoding or "ascii").lower().startswith("utf")
    width, arrow = max(len(each.about) for each in found), "->" if is_plain else "→"
    for each in found:
        mark = f"{_MARKS[each.level.value][is_plain]:{5 if is_plain else 1}}"
        print(visible(f"{mark}  {each.about:<{width}}  {each.says}"))
        if each.fix:
            print(visible(f"{'':{len(mark)}}  {'':<{width}}  {arrow} {each.fix}"))
