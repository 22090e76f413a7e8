"""What stands for a span that the app's sampler drops, and which product events can be on it."""

from __future__ import annotations

from collections.abc import Iterator

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.intake import Lift
from otel_posthog.sdk import why_no_light_spans
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
KINDS = (LIGHT, WHOLE_BY_CHOICE, WHOLE_BY_SDK, NONE)


def of_sampling(settings: Settings) -> Iterator[Finding]:
    """Yield what is found of unsampled spans."""
    if settings.lift is None or settings.lift is Lift.OFF:
        yield NONE.found(ABOUT, name=env.OTEL_POSTHOG_SAMPLER)
        return
    which, reason = _WHICH[settings.lift], why_no_light_spans()
    if not settings.light_spans:
        yield WHOLE_BY_CHOICE.found(ABOUT, which=which, name=env.OTEL_POSTHOG_LIGHT_SPANS)
    elif reason:
        yield WHOLE_BY_SDK.found(ABOUT, which=which, reason=reason)
    else:
        yield LIGHT.found(ABOUT, which=which)
