"""Whether this process collects anything, and which switch decided.

Off wins: any one switch that says so ends it, whatever the others say. The answer names the switch, for the start line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from otel_posthog import environment_variables as env
from otel_posthog.policy.policy import Policy

FALSE_WORDS = frozenset({"0", "false", "no", "off", "disabled", "n", "f"})
TRUE_WORDS = frozenset({"1", "true", "yes", "on", "enabled", "y", "t"})


@dataclass(frozen=True, slots=True)
class Collection:
    """The decision.

    Attributes:
        enabled: Whether events are collected.
        reason: What decided, e.g. `ALGA_USAGE_STATS=false`; empty when enabled.
        is_preview: Whether they are filtered and counted, and none is sent.
        is_shown: Whether each of a preview is printed as it would be sent.
    """

    enabled: bool
    reason: str = ""
    is_preview: bool = False
    is_shown: bool = False


PREVIEW, CONSOLE = "preview", "console"
OPTED_OUT = Collection(False, "set_collection(False)")


def decide(policy: Policy, environ: Mapping[str, str]) -> Collection:
    """Return whether events are collected under `policy` in `environ`; a choice made at run time is not asked.

    Args:
        policy: Its `collection.off_switches` are asked as well, and its destinations must have a key.
        environ: The process's environment.
    """
    for name in (env.OTEL_POSTHOG_ENABLED, env.USAGE_STATS, *policy.collection.off_switches):
        value = environ.get(name, "").strip()
        if name == env.OTEL_POSTHOG_ENABLED and value.lower() in {PREVIEW, CONSOLE}:
            continue
        # A word that is neither yes nor no (`ture`, `nope`) was meant to say something: fail closed.
        if value and value.lower() not in TRUE_WORDS:
            return Collection(False, f"{name}={_shown(value)}")
    for name in (env.DO_NOT_TRACK, env.SDK_DISABLED):
        value = environ.get(name, "").strip()
        if value and value.lower() not in FALSE_WORDS:
            return Collection(False, f"{name}={_shown(value)}")
    word = environ.get(env.OTEL_POSTHOG_ENABLED, "").strip().lower()
    if word in {PREVIEW, CONSOLE}:
        return Collection(True, is_preview=True, is_shown=word == CONSOLE)
    if not any(destination.api_key for destination in policy.destinations):
        return Collection(False, f"{env.POSTHOG_API_KEY} (not set)")
    return Collection(True)


def _shown(value: str) -> str:
    """Return a switch's value if it is a plain word; anything else might be a misplaced secret."""
    return value if value.lower() in FALSE_WORDS | TRUE_WORDS else "(not a yes or no)"
