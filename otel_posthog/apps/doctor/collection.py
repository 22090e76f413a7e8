"""Whether anything is collected, by which switch it is off, and what a person sees of that at a start.

Every switch that is off is named, not the one alone that a start names: mending one would only show the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.identity import notice_shown, off_switch, start_line
from otel_posthog.policy import Collection, Policy, collection_choice, decide
from otel_posthog.setup.settings import Settings

ABOUT = "collection"

_STRIPPED = "until then nothing is sent, and the operational side is stripped all the same"


def _off(name: str, by: str, fix: str) -> Kind:
    return Kind(
        f"off_{name}", Group.CONFIGURATION, Level.NOTE, "{line}", f"{fix}; {_STRIPPED}", Gravity.NOTHING_STARTS,
        Symptom.NOTHING, f"Usage statistics disabled by {by}",
    )  # fmt: skip


ON = Kind("collects", Group.CONFIGURATION, Level.OK, "{line}; {switch}=false switches it off")
BY_ENABLED = _off(
    "by_enabled", "OTEL_POSTHOG_ENABLED=false", "unset {name}, or set it to true, if events are to be sent"
)
BY_SWITCH = _off("by_usage_stats", "USAGE_STATS=false", "unset {name}, or set it to true, if events are to be sent")
BY_TRACKING = _off("by_do_not_track", "DO_NOT_TRACK=1", "unset {name} if events are to be sent")
BY_SDK = _off(
    "by_sdk_disabled",
    "OTEL_SDK_DISABLED=true",
    "unset {name}: it switches OpenTelemetry off as well, spans and logs included",
)
BY_SDK_WORD = _off(
    "by_sdk_disabled_word",
    "OTEL_SDK_DISABLED=1",
    "unset {name}, or write `true` to switch OpenTelemetry off as well: it takes no other word, and goes on",
)
BY_CHOICE = _off(
    "by_choice",
    "set_collection(False)",
    "somebody opted out at run time; otel_posthog.set_collection(True) opts in again, if that person says so",
)
NO_KEY = _off("no_key", "POSTHOG_API_KEY (not set)", "set {name} to the project's key, which begins with phc_")
PREVIEW = Kind(
    "preview", Group.CONFIGURATION, Level.NOTE, "{line}",
    "unset {name} where events are to be sent; `preview` and `console` are for development",
    Gravity.NOTHING_STARTS, Symptom.SOME,
    "Usage statistics in preview by OTEL_POSTHOG_ENABLED=preview: events are counted, none is sent",
)  # fmt: skip
NOTICE_SHOWN = Kind("notice_shown", Group.CONFIGURATION, Level.OK, "shown at this installation's first start")
NOTICE_TO_COME = Kind(
    "notice_to_come", Group.CONFIGURATION, Level.OK,
    "not shown yet: no app has started with collection on and this state directory; it will be on standard error",
)  # fmt: skip

KINDS = (
    ON,
    BY_ENABLED,
    BY_SWITCH,
    BY_TRACKING,
    BY_SDK,
    BY_SDK_WORD,
    BY_CHOICE,
    NO_KEY,
    PREVIEW,
    NOTICE_SHOWN,
    NOTICE_TO_COME,
)

_BY_VARIABLE = {
    env.OTEL_POSTHOG_ENABLED: BY_ENABLED,
    env.DO_NOT_TRACK: BY_TRACKING,
    env.SDK_DISABLED: BY_SDK,
    env.POSTHOG_API_KEY: NO_KEY,
}


def of_collection(settings: Settings, environ: Mapping[str, str], *, is_key_wrong: bool) -> Iterator[Finding]:
    """Yield what is found of collection: every switch that is off, or that it is on.

    Args:
        settings: As an app would have them.
        environ: As those were read from.
        is_key_wrong: Whether there is a key that cannot be used, which is a finding already.
    """
    policy = settings.policy
    is_off = False
    for name, collection in _switches(policy, environ):
        is_off = True
        if name != env.POSTHOG_API_KEY or not is_key_wrong:
            is_word = name == env.SDK_DISABLED and environ[name].strip().lower() != "true"
            kind = BY_SDK_WORD if is_word else _BY_VARIABLE.get(name, BY_SWITCH)
            yield kind.found(ABOUT, line=start_line(policy, collection), name=name)
    if collection_choice(environ).is_off():
        is_off = True
        yield BY_CHOICE.found(ABOUT, line=start_line(policy, Collection(False, "set_collection(False)")))
    if is_off:
        return
    line = start_line(policy, settings.collection)
    if settings.collection.is_preview:
        yield PREVIEW.found(ABOUT, line=line, name=env.OTEL_POSTHOG_ENABLED)
        return
    yield ON.found(ABOUT, line=line, switch=off_switch(policy))
    yield (NOTICE_SHOWN if notice_shown(environ) else NOTICE_TO_COME).found("notice")


def _switches(policy: Policy, environ: Mapping[str, str]) -> Iterator[tuple[str, Collection]]:
    """Yield the variables that switch collection off, each with what a start would say if it were the only one."""
    left = dict(environ)
    while not (collection := decide(policy, left)).enabled:
        name = collection.reason.partition("=")[0].partition(" ")[0]
        yield name, collection
        if name == env.POSTHOG_API_KEY or left.pop(name, None) is None:
            return
