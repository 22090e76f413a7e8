"""One call of `otel-posthog collector-config`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.apps.collector_config.alloy import alloy
from otel_posthog.apps.collector_config.command import CANNOT, DIFFERENT
from otel_posthog.apps.collector_config.compiler import compiled
from otel_posthog.errors import OtelPostHogError
from otel_posthog.setup.settings import read_policy

BUILT_IN = "the built-in policy"


def run_session(arguments: argparse.Namespace) -> int:
    """Compile, write or compare, and return the exit status.

    Raises:
        OSError: A file cannot be read or written.
    """
    path = arguments.policy or os.environ.get(env.OTEL_POSTHOG_POLICY, "").strip()
    try:
        policy = read_policy(os.environ, path or None)
    except OtelPostHogError as error:
        print(f"otel-posthog collector-config: {error}", file=sys.stderr)
        return CANNOT
    made = alloy if arguments.format == "alloy" else compiled
    text = made(policy, Path(path).name if path else BUILT_IN)
    if arguments.check is not None:
        return _check(arguments.check, text)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        arguments.output.write_text(text, encoding="utf-8")
    return 0


def _check(path: Path, text: str) -> int:
    if path.read_text("utf-8") == text:
        return 0
    print(f"{path} is not what the policy says: make it anew with --output {path}", file=sys.stderr)
    return DIFFERENT
