"""All that the doctor looks at, in one list, the gravest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor import reading
from otel_posthog.apps.doctor.clock import SKEWED
from otel_posthog.apps.doctor.collection import of_collection
from otel_posthog.apps.doctor.derive_rules import of_derive_rules
from otel_posthog.apps.doctor.destinations import of_destinations
from otel_posthog.apps.doctor.directories import of_directories
from otel_posthog.apps.doctor.filters import of_filters
from otel_posthog.apps.doctor.finding import Finding
from otel_posthog.apps.doctor.otlp import of_otlp
from otel_posthog.apps.doctor.otlp_ends import of_otlp_ends
from otel_posthog.apps.doctor.posthog_python import of_posthog_python
from otel_posthog.apps.doctor.process import of_process
from otel_posthog.apps.doctor.progress import waiting_for
from otel_posthog.apps.doctor.rehearsal import of_app
from otel_posthog.apps.doctor.requirements import of_requirements
from otel_posthog.apps.doctor.sampling import of_sampling
from otel_posthog.apps.doctor.spool import of_spool
from otel_posthog.apps.doctor.trial import WAITS, silence, trial
from otel_posthog.apps.doctor.variables import of_variables
from otel_posthog.setup.settings import Settings

# An app with its frameworks takes longer to import than a host to answer.
_IMPORTS = 3


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is looked at beyond files and the environment.

    Attributes:
        is_sending: Send one event to each destination, and an empty request to each end of the operational side.
        app: The name of a module of the app to import; empty for none.
        is_launched: Whether the app is started with `opentelemetry-instrument`.
        timeout_s: How long each of them is given.
    """

    is_sending: bool = False
    app: str = ""
    is_launched: bool = True
    timeout_s: float = 10.0


def examine(environ: Mapping[str, str], folder: Path, wishes: Wishes) -> list[Finding]:
    """Return all findings, the gravest first.

    Args:
        environ: The app's environment.
        folder: Where the app is.
        wishes: What is looked at beyond files and the environment.
    """
    result = reading.read(environ)
    found = [
        *result.findings,
        *of_variables(environ),
        *of_process(environ),
        *of_requirements(),
        *of_otlp(environ),
    ]
    if result.settings is not None:
        found += _of_settings(result.settings, result, folder)
    if wishes.app:
        with waiting_for(f"importing {wishes.app}"):
            found += of_app(
                wishes.app, environ, folder, is_launched=wishes.is_launched, timeout_s=_IMPORTS * wishes.timeout_s
            )
    if wishes.is_sending:
        with waiting_for("asking PostHog and the ends of OTLP"):
            found += _asked(result, wishes.timeout_s)
    return sorted(_without_repeats(found), key=lambda each: each.rank)


def _asked(result: reading.Reading, timeout_s: float) -> list[Finding]:
    """Return what both sides answer, all of whom are asked at once: one that is silent holds up no other."""
    calls = of_otlp_ends(result.environ, timeout_s)
    # What would be sent with settings that are only a part of the app's says nothing of the app.
    if result.settings is None or result.findings:
        calls.append(lambda: [WAITS.found("trial")])
    else:
        calls += trial(result.settings, result.environ, timeout_s)
    with silence(), ThreadPoolExecutor(max_workers=len(calls) or 1) as pool:
        return [each for found in pool.map(lambda call: call(), calls) for each in found]


def _without_repeats(found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings, and of those about the clock, which each answer may give, the first alone."""
    is_clock_told = False
    for each in found:
        if each.kind is not SKEWED or not is_clock_told:
            yield each
        is_clock_told |= each.kind is SKEWED


def _of_settings(settings: Settings, result: reading.Reading, folder: Path) -> Iterator[Finding]:
    environ, is_key_wrong = result.environ, bool(result.left_out & {env.POSTHOG_API_KEY, env.OTEL_POSTHOG_POLICY})
    yield from of_collection(settings, environ, is_key_wrong=is_key_wrong)
    yield from of_destinations(settings, environ, is_key_wrong=is_key_wrong)
    yield from of_filters(settings, environ)
    yield from of_sampling(settings, environ)
    yield from of_derive_rules(settings.policy, environ)
    yield from of_directories(settings.policy, environ)
    yield from of_spool(settings, environ)
    yield from of_posthog_python(settings.policy, environ, folder)
