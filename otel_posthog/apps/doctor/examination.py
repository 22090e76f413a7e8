"""All that the doctor looks at, in one list, the gravest first; it is over when its time is.

What hangs is one part of many: each is looked at by itself, and what was not reached is told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor import reading
from otel_posthog.apps.doctor.browser import of_browser
from otel_posthog.apps.doctor.clock import SKEWED
from otel_posthog.apps.doctor.collection import of_collection
from otel_posthog.apps.doctor.deadline import Deadline, TimeOverError
from otel_posthog.apps.doctor.derive_rules import of_derive_rules
from otel_posthog.apps.doctor.destinations import of_destinations
from otel_posthog.apps.doctor.directories import of_directories
from otel_posthog.apps.doctor.filters import of_filters
from otel_posthog.apps.doctor.finding import Finding, Group
from otel_posthog.apps.doctor.limits import of_limits
from otel_posthog.apps.doctor.otlp import of_otlp
from otel_posthog.apps.doctor.otlp_ends import of_otlp_ends
from otel_posthog.apps.doctor.parts import Look, Part, begun, not_examined
from otel_posthog.apps.doctor.posthog_python import of_posthog_python
from otel_posthog.apps.doctor.process import of_process
from otel_posthog.apps.doctor.progress import waiting_for
from otel_posthog.apps.doctor.propagators import of_propagators
from otel_posthog.apps.doctor.rehearsal import of_app
from otel_posthog.apps.doctor.requirements import of_requirements
from otel_posthog.apps.doctor.sampling import of_sampling
from otel_posthog.apps.doctor.sdk_variables import of_sdk_variables
from otel_posthog.apps.doctor.spool import of_spool
from otel_posthog.apps.doctor.trial import WAITS, silence, trial
from otel_posthog.apps.doctor.variables import of_variables
from otel_posthog.setup.settings import Settings

# Beyond the time of an examination, for parts that end with it to say what they saw.
LAST_WORD_S = 0.5

_Of = Callable[[Settings, reading.Reading, Path], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is looked at beyond files and the environment.

    Attributes:
        is_sending: Send one event to each destination, and an empty request to each end of the operational side.
        app: The name of a module of the app to import; empty for none.
        is_launched: Whether the app is started with `opentelemetry-instrument`.
        timeout_s: How long all of it may take.
    """

    is_sending: bool = False
    app: str = ""
    is_launched: bool = True
    timeout_s: float = 10.0


def examine(environ: Mapping[str, str], folder: Path, wishes: Wishes) -> list[Finding]:
    """Return all findings, the gravest first; that something was not reached in time is one of them.

    Args:
        environ: The app's environment.
        folder: Where the app is.
        wishes: What is looked at beyond files and the environment.
    """
    until, waiting = Deadline.after(wishes.timeout_s), _in_words(wishes)
    with silence(), waiting_for(waiting) if waiting else nullcontext():
        looks = [begun(each) for each in _of_environment(environ)]
        ends = [begun(each) for each in (of_otlp_ends(environ, until) if wishes.is_sending else ())]
        further = list[Look]()
        settings = begun(Part("settings", Group.CONFIGURATION, partial(_read, environ, folder, wishes, until, further)))
        if wishes.app:
            ends.insert(0, Look(_app(wishes, environ, folder, until)))
            # Not on a thread: Ctrl-C ends the process of the app as well.
            ends[0].run()
        until_said = until.later(LAST_WORD_S)
        found = settings.found(until_said)
        if not settings.is_whole:
            further = [Look(each) for each in _of_settings(None, folder, wishes, until)]
        looks = [*looks, *further, *ends]
        found += [each for look in looks for each in look.found(until_said)]
    left = [each.part for each in (settings, *looks) if not each.is_whole]
    found += not_examined(left, wishes.timeout_s)
    return sorted(_without_repeats(found), key=lambda each: each.rank)


def _read(
    environ: Mapping[str, str], folder: Path, wishes: Wishes, until: Deadline, further: list[Look]
) -> Iterator[Finding]:
    """Yield the mistakes in the settings, and have looked at what depends on them."""
    result = reading.read(environ)
    further += [begun(each) for each in _of_settings(result, folder, wishes, until)]
    yield from result.findings


def _in_words(wishes: Wishes) -> str:
    what = [f"importing {wishes.app}"] if wishes.app else []
    what += ["asking PostHog and the ends of OTLP"] if wishes.is_sending else []
    return ", ".join(what)


def _of_environment(environ: Mapping[str, str]) -> list[Part]:
    """Return what is looked at whatever the settings are."""
    return [
        Part("variables", Group.CONFIGURATION, lambda: of_variables(environ)),
        Part("integration", Group.PROCESS, lambda: of_process(environ)),
        Part("versions", Group.PROCESS, of_requirements),
        Part("propagators", Group.PROCESS, lambda: of_propagators(environ)),
        Part("limits", Group.PROCESS, lambda: of_limits(environ)),
        Part("SDK variables", Group.PROCESS, lambda: of_sdk_variables(environ)),
        Part("operational side", Group.OTLP, lambda: of_otlp(environ)),
    ]


_OF_SETTINGS: tuple[tuple[str, Group, _Of], ...] = (
    (
        "collection", Group.CONFIGURATION,
        lambda settings, read, _: of_collection(settings, read.environ, is_key_wrong=_is_key_wrong(read)),
    ),
    (
        "destinations", Group.POSTHOG,
        lambda settings, read, _: of_destinations(settings, read.environ, is_key_wrong=_is_key_wrong(read)),
    ),
    ("policy", Group.FILTERS, lambda settings, *_: of_filters(settings)),
    ("browser", Group.FILTERS, lambda settings, read, _: of_browser(settings.policy, read.environ)),
    ("sampler", Group.FILTERS, lambda settings, read, _: of_sampling(settings, read.environ)),
    ("derive", Group.FILTERS, lambda settings, read, _: of_derive_rules(settings.policy, read.environ)),
    ("directories", Group.SPOOL, lambda settings, read, _: of_directories(settings.policy, read.environ)),
    ("spool", Group.SPOOL, lambda settings, read, _: of_spool(settings, read.environ)),
    (
        "posthog-python", Group.PROCESS,
        lambda settings, read, folder: of_posthog_python(settings.policy, read.environ, folder),
    ),
)  # fmt: skip


def _is_key_wrong(read: reading.Reading) -> bool:
    return bool(read.left_out & {env.POSTHOG_API_KEY, env.OTEL_POSTHOG_POLICY})


def _of_settings(result: reading.Reading | None, folder: Path, wishes: Wishes, until: Deadline) -> Iterator[Part]:
    """Yield what depends on the settings: on those that could be read, or none where reading them does not end."""
    if result is None:
        yield from (Part(name, group, _never) for name, group, _ in _OF_SETTINGS)
    elif result.settings is not None:
        for name, group, of in _OF_SETTINGS:
            yield Part(name, group, partial(of, result.settings, result, folder))
    if wishes.is_sending:
        yield from _trials(result, until)


def _trials(result: reading.Reading | None, until: Deadline) -> list[Part]:
    if result is None:
        return [Part("trial", Group.POSTHOG, _never)]
    # What would be sent with settings that are only a part of the app's says nothing of the app.
    if result.settings is None or result.findings:
        return [Part("trial", Group.POSTHOG, lambda: [WAITS.found("trial")])]
    return trial(result.settings, result.environ, until)


def _app(wishes: Wishes, environ: Mapping[str, str], folder: Path, until: Deadline) -> Part:
    look = partial(of_app, wishes.app, environ, folder, is_launched=wishes.is_launched, until=until)
    return Part(wishes.app, Group.PROCESS, look)


def _never() -> list[Finding]:
    """Stand for what cannot be looked at, since its time went by with what comes before it."""
    raise TimeOverError


def _without_repeats(found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings, and of those about the clock, which each answer may give, the first alone."""
    is_clock_told = False
    for each in found:
        if each.kind is not SKEWED or not is_clock_told:
            yield each
        is_clock_told |= each.kind is SKEWED
