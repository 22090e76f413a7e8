"""The sampler `posthog`, for those who choose a sampler by name.

    OTEL_TRACES_SAMPLER=posthog OTEL_TRACES_SAMPLER_ARG=parentbased_traceidratio:0.1     the environment
    tracer_provider: {sampler: {posthog: }}                                              a configuration file

The SDK calls one of the two factories when it makes its tracer provider, before any set-up of ours; what a factory
raises, it says in one line, and goes on with its default sampler.
"""

from __future__ import annotations

import os
from importlib.metadata import entry_points

from opentelemetry.sdk.trace.sampling import Sampler

from otel_posthog.errors import ConfigurationError
from otel_posthog.intake import AnalyticsSampler
from otel_posthog.setup.settings import read_lift

GROUP = "opentelemetry_traces_sampler"
OURS = "posthog"

# https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/: the default, and the two that take
# a ratio.
_DEFAULT, _RATIO = "parentbased_always_on", "parentbased_traceidratio"
_TAKE_A_RATIO = frozenset({_RATIO, "traceidratio"})

_HELP = "write the name of another sampler (parentbased_traceidratio:0.1, always_on, ...) or a ratio from 0 to 1"


def from_environment(argument: str | None = None) -> Sampler:
    """Return the sampler for `OTEL_TRACES_SAMPLER=posthog`.

    Args:
        argument: `OTEL_TRACES_SAMPLER_ARG`, which says who decides about the operational trace: the name of another
            sampler, with `:argument` where it takes one, or a ratio, which stands for `parentbased_traceidratio`.
            Default: `parentbased_always_on`, the SDK's own.

    Raises:
        ConfigurationError: There is no such sampler; the SDK says so and takes its default one.
    """
    lift = read_lift(os.environ)
    return AnalyticsSampler(_inner((argument or "").strip() or _DEFAULT), lift)


def from_file() -> Sampler:
    """Return the sampler for `sampler: {posthog: }` in a configuration file, which hands no inner one on.

    The operational trace is decided by `parentbased_always_on`. To have another sampler decide, name that one in the
    file: set-up puts this one around it.
    """
    return from_environment(None)


def _inner(text: str) -> Sampler:
    name, _, argument = text.partition(":")
    if _is_number(text):
        name, argument = _RATIO, text
    name = name.strip().lower()
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    if found is None or name == OURS:
        raise ConfigurationError(f"OTEL_TRACES_SAMPLER_ARG names no sampler that can decide for posthog; {_HELP}")
    made = found.load()(_ratio(argument) if name in _TAKE_A_RATIO else argument or None)
    if not isinstance(made, Sampler):
        raise ConfigurationError(f"OTEL_TRACES_SAMPLER_ARG: {name} makes no sampler; {_HELP}")
    return made


def _ratio(argument: str) -> float:
    if not _is_number(argument) or not 0 <= float(argument) <= 1:
        raise ConfigurationError(f"OTEL_TRACES_SAMPLER_ARG has no ratio from 0 to 1; {_HELP}")
    return float(argument)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
