"""What stands for a span that the app's sampler drops, and which product events can be on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.errors import ConfigurationError
from otel_posthog.intake import Lift
from otel_posthog.sdk import why_no_light_spans
from otel_posthog.setup.named_sampler import GROUP, OURS, from_environment
from otel_posthog.setup.settings import Settings

ABOUT = "unsampled spans"

_WHICH = {Lift.ALL: "all", Lift.MARKED: "those marked at their start"}
LIGHT = Kind("unsampled_light", Group.FILTERS, Level.OK, "{which}, as light spans: this SDK's are as they are known")
WHOLE_BY_CHOICE = Kind(
    "unsampled_whole", Group.FILTERS, Level.NOTE, "{which}, as whole spans of the SDK: {name} is false",
    "nothing, if it is meant so; light spans take less time", Gravity.TO_KNOW, Symptom.SLOW,
)  # fmt: skip
WHOLE_BY_SDK = Kind(
    "unsampled_whole_by_sdk", Group.FILTERS, Level.NOTE, "{which}, as whole spans of the SDK: {reason}",
    "nothing has to be done; light spans would take less time", Gravity.TO_KNOW, Symptom.SLOW,
)  # fmt: skip
NONE = Kind(
    "unsampled_none", Group.FILTERS, Level.NOTE, "none is recorded for product events", "set {name}=all",
    Gravity.SOME_MISSING, Symptom.SOME,
)  # fmt: skip
_ONLY_MARKED = (
    "{name}=marked records of these only those that carry analytics.* when they start: what is marked later, "
    "span events and derived events are lost"
)
MARKED_OF_NOTHING = Kind(
    "marked_of_nothing", Group.FILTERS, Level.WRONG, "the app's sampler ({sampler}) keeps no span, and " + _ONLY_MARKED,
    "set {name}=all", Gravity.NOTHING_ARRIVES, Symptom.SOME,
)  # fmt: skip
MARKED_OF_SOME = Kind(
    "marked_of_some", Group.FILTERS, Level.NOTE, "the app's sampler ({sampler}) drops spans, and " + _ONLY_MARKED,
    "set {name}=all; nothing, if every product event is marked at the start of its span", Gravity.SOME_MISSING,
    Symptom.SOME,
)  # fmt: skip
NONE_OF_NOTHING = Kind(
    "unsampled_none_of_nothing", Group.FILTERS, Level.WRONG,
    "the app's sampler ({sampler}) keeps no span, and {name}=off records none: no span is a product event",
    "set {name}=all", Gravity.NOTHING_ARRIVES, Symptom.SOME,
)  # fmt: skip
UNKNOWN_SAMPLER = Kind(
    "sampler_unknown", Group.FILTERS, Level.WRONG,
    "OTEL_TRACES_SAMPLER names a sampler that nobody here has: the SDK logs that, and keeps every span",
    "correct the name (parentbased_traceidratio, always_on, posthog, ...), or install what brings it",
    Gravity.SOME_MISSING, Symptom.OTLP,
)  # fmt: skip
BAD_ARGUMENT = Kind(
    "sampler_argument", Group.FILTERS, Level.WRONG, "{error}: the SDK logs that, and keeps every span", "",
    Gravity.SOME_MISSING, Symptom.OTLP,
    "OTEL_TRACES_SAMPLER_ARG names no sampler that can decide for posthog; ...",
)  # fmt: skip
KINDS = (
    LIGHT, WHOLE_BY_CHOICE, WHOLE_BY_SDK, NONE, MARKED_OF_NOTHING, MARKED_OF_SOME, NONE_OF_NOTHING, UNKNOWN_SAMPLER,
    BAD_ARGUMENT,
)  # fmt: skip

_SAMPLER, _ARGUMENT = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
_OF_SDK = {"always_on": 1.0, "always_off": 0.0, "traceidratio": None}


def of_sampling(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is found of the app's sampler, and of unsampled spans.

    Args:
        settings: As an app would have them.
        environ: Names the app's sampler.
    """
    name = env.OTEL_POSTHOG_SAMPLER
    sampler, kept = _sampler(environ)
    yield from _of_name(environ)
    words = {"name": name, "sampler": sampler}
    if settings.lift is None or settings.lift is Lift.OFF:
        yield (NONE_OF_NOTHING if kept == 0 else NONE).found(ABOUT, **words)
        return
    if settings.lift is Lift.MARKED and kept is not None and kept < 1:
        yield (MARKED_OF_NOTHING if kept == 0 else MARKED_OF_SOME).found("sampler", **words)
    yield _stand_in(settings, settings.lift)


def _stand_in(settings: Settings, lift: Lift) -> Finding:
    which, reason = _WHICH[lift], why_no_light_spans()
    if not settings.light_spans:
        return WHOLE_BY_CHOICE.found(ABOUT, which=which, name=env.OTEL_POSTHOG_LIGHT_SPANS)
    if reason:
        return WHOLE_BY_SDK.found(ABOUT, which=which, reason=reason)
    return LIGHT.found(ABOUT, which=which)


def _sampler(environ: Mapping[str, str]) -> tuple[str, float | None]:
    """Return the app's sampler, and what part of the traces it keeps; None where that cannot be told."""
    if environ.get(env.CONFIG_FILE, "").strip():
        return "that of the configuration file", None
    name, argument = environ.get(_SAMPLER, "").strip().lower(), environ.get(_ARGUMENT, "").strip()
    if name == OURS:
        ratio = _number(argument)
        name, _, argument = ("parentbased_traceidratio", "", argument) if ratio is not None else argument.partition(":")
    kept = _OF_SDK.get(name.strip().lower().removeprefix("parentbased_") or "always_on")
    if kept is None and name.endswith("traceidratio"):
        kept = _number(argument) if argument else 1.0
    shown = f"{name}, {argument}" if argument and kept is not None else name
    return shown or "parentbased_always_on", kept


def _of_name(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield that the SDK would not take the app's sampler."""
    name = environ.get(_SAMPLER, "").strip().lower()
    if (
        not name
        or name.removeprefix("parentbased_") in _OF_SDK.keys() - {"traceidratio"}
        or environ.get(env.CONFIG_FILE, "").strip()
    ):
        return
    if not list(entry_points(group=GROUP, name=name)):
        yield UNKNOWN_SAMPLER.found("sampler")
    elif name.endswith("traceidratio"):
        argument = environ.get(_ARGUMENT, "").strip()
        if argument and not 0 <= _or_nan(argument) <= 1:
            yield BAD_ARGUMENT.found("sampler", error=f"{_ARGUMENT} is no number from 0 to 1, as in 0.1")
    elif name == OURS:
        try:
            from_environment(environ.get(_ARGUMENT))
        except ConfigurationError as error:
            yield BAD_ARGUMENT.found("sampler", error=error)


def _or_nan(text: str) -> float:
    number = _number(text)
    return math.nan if number is None else number


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
