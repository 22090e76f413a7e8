"""`otel-posthog collector-config`: its arguments, and what it does."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_posthog.policy import Policy

NAME = "collector-config"
SUMMARY = "print the policy as processors of an OpenTelemetry Collector"
DESCRIPTION = """\
Compile a policy into processors of the OpenTelemetry Collector (filter,
transform, redaction), so that one file rules the apps that have this package
and the telemetry of those that do not. The pipelines to use them in are in
collector-config/ of the source.
"""
EPILOG = """\
examples:
  otel-posthog collector-config > privacy.yaml
  otel-posthog collector-config --policy policy.yaml --output privacy.yaml
  otel-posthog collector-config --policy policy.yaml --check privacy.yaml
      in CI: is the file what the policy says?

  otel-posthog collector-config --format alloy > config.alloy

  otelcol-contrib --config base.yaml --config privacy.yaml \\
    --config grafana.yaml --config posthog.yaml --config both.yaml

environment:
  OTEL_POSTHOG_POLICY   the policy file where none is named

exit status: 0, 1 when --check finds another content or no file, 2 for a policy
that cannot be used or a file that cannot be written
"""
DIFFERENT, CANNOT = 1, 2
BUILT_IN = "the built-in policy"
ELSEWHERE = "in an app with this package, or in an `otel-posthog gateway` that gets the telemetry directly"
REFUSED = "nothing is handed on for {rules}: that runs {elsewhere}"
IN_PART = (
    "without what only the text of a query tells, which stays in the Collector: {rules}; all of it is there {elsewhere}"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--policy", metavar="FILE", help="the policy file (default: OTEL_POSTHOG_POLICY, else built in)"
    )
    parser.add_argument(
        "--format",
        choices=("otel", "alloy"),
        default="otel",
        help="for a Collector (default), or all of a Grafana Alloy",
    )
    target = parser.add_mutually_exclusive_group()
    target.add_argument("--output", type=Path, metavar="FILE", help="write there (default: standard output)")
    target.add_argument("--check", type=Path, metavar="FILE", help="compare with what is there, and write nothing")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object: format, config (as text); with --check, file and same; with --output, file",
    )


def run(arguments: argparse.Namespace) -> int:
    """Compile, write or compare, and return the exit status."""
    from otel_posthog.errors import OtelPostHogError  # noqa: PLC0415 (here and below: help comes at once)

    try:
        text = _compiled(arguments.policy, arguments.format)
        if arguments.check is not None:
            return _check(arguments.check, text, is_json=arguments.json)
        if arguments.output is not None:
            arguments.output.write_text(text, encoding="utf-8")
            if arguments.json:
                print(json.dumps({"file": str(arguments.output)}))
        else:
            sys.stdout.write(
                json.dumps({"format": arguments.format, "config": text}) + "\n" if arguments.json else text
            )
    except OtelPostHogError as error:
        print(f"otel-posthog collector-config: {error}", file=sys.stderr)
        return CANNOT
    except OSError as error:
        print(f"otel-posthog collector-config: {error.filename or arguments.output}: {error.strerror}", file=sys.stderr)
        return CANNOT
    return 0


def _compiled(policy_file: str | None, format_name: str) -> str:
    """Return the configuration.

    Raises:
        OtelPostHogError: The policy cannot be used.
    """
    from otel_posthog import environment_variables as env  # noqa: PLC0415
    from otel_posthog.apps.collector_config.formats import alloy_config, collector_config  # noqa: PLC0415
    from otel_posthog.setup.settings import read_policy  # noqa: PLC0415

    path = policy_file or os.environ.get(env.OTEL_POSTHOG_POLICY, "").strip()
    policy = read_policy(os.environ, path or None)
    for line in _left_to_others(policy):
        print(f"otel-posthog collector-config: {line}", file=sys.stderr)
    make = alloy_config if format_name == "alloy" else collector_config
    return make(policy, Path(path).name if path else BUILT_IN)


def _left_to_others(policy: Policy) -> Iterator[str]:
    """Yield in a line each which rules a Collector hands nothing on for, and of which not all."""
    from otel_posthog.apps.collector_config.derive import refused, told_by_text  # noqa: PLC0415

    found = refused(policy)
    if found:
        rules = ", ".join(f"`{name}` (needs {what})" for name, what in found.items())
        yield REFUSED.format(rules=rules, elsewhere=ELSEWHERE)
    parts = {name: properties for name, properties in told_by_text(policy).items() if name not in found}
    if parts:
        rules = ", ".join(f"{' and '.join(f'`{each}`' for each in its)} of `{name}`" for name, its in parts.items())
        yield IN_PART.format(rules=rules, elsewhere=ELSEWHERE)


def _check(path: Path, text: str, *, is_json: bool) -> int:
    what = "is not what the policy says"
    try:
        is_same = path.read_bytes() == text.encode()
    except OSError as error:
        is_same, what = False, f"cannot be read ({error.strerror})"
    if is_json:
        print(json.dumps({"file": str(path), "same": is_same}))
    if is_same:
        return 0
    print(f"{path} {what}: make it anew with --output {path}", file=sys.stderr)
    return DIFFERENT
