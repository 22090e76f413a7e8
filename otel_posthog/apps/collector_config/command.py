"""`otel-posthog collector-config`: its arguments, and what it does."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

NAME = "collector-config"
SUMMARY = "print the policy as processors of an OpenTelemetry Collector"
EXTRA = "collector-config"
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

exit status: 0, 1 when --check finds another content, 2 for a policy that
cannot be used
"""
DIFFERENT, CANNOT = 1, 2


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


def missing_module() -> str | None:
    """Return None: everything needed is installed with the package."""
    return None


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from otel_posthog.apps.collector_config.session import run_session  # noqa: PLC0415 (only when asked for)

    try:
        return run_session(arguments)
    except OSError as error:
        print(f"otel-posthog collector-config: {error.filename}: {error.strerror}", file=sys.stderr)
        return CANNOT
