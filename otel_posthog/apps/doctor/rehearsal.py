"""What an app has in its process once it is imported: its providers, and whether this package is among them.

Comes in: the name of a module. A process is started as the app is, with exporters and sending switched off; it imports
the module and says what it finds. The app's own code runs there as at any import, and nothing else of it does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.deadline import Deadline
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.apps.doctor.process import launcher
from otel_posthog.identity.notice import START

ABOUT = "app"
_EXPORTERS = {f"OTEL_{each}_EXPORTER": "none" for each in ("TRACES", "METRICS", "LOGS")}
_WHAT = {"spans": "set_tracer_provider", "logs": "set_logger_provider"}

_NOTE, _WRONG = Level.NOTE, Level.WRONG
READY = Kind("app_ready", Group.PROCESS, Level.OK, "{module}: its spans and log records come by here, set up by {by}")
NOT_IMPORTED = Kind(
    "app_not_imported", Group.PROCESS, _WRONG, "importing {module} fails ({error})",
    "run it in the app's directory, with the app's variables and its virtual environment", Gravity.NOTHING_STARTS,
    Symptom.NOTHING,
)  # fmt: skip
HANGS = Kind(
    "app_hangs", Group.PROCESS, _WRONG, "importing {module} takes longer than {seconds:g} s",
    "name a module that only makes the app, and does not serve; or raise --timeout", Gravity.NOTHING_STARTS,
    Symptom.NOTHING,
)  # fmt: skip
DOES_NOT_START = Kind(
    "app_does_not_start", Group.PROCESS, _WRONG,
    "a process that is set up as the app's ends with status {status}: {line}",
    "start the app itself with `opentelemetry-instrument` and see to that error first",
    Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
NOT_ATTACHED = Kind(
    "app_not_attached", Group.PROCESS, _WRONG, "{module} is not set up: nothing is sent, and nothing is stripped",
    "start it with `opentelemetry-instrument python ...`, or have it call otel_posthog.configure()",
    Gravity.LEAKS, Symptom.NOTHING,
)  # fmt: skip
NO_PROVIDER = Kind(
    "provider_missing", Group.PROCESS, _WRONG,
    "there is no SDK provider for {what}: product events from there are not seen",
    "call {call}(...) in the app, or start it with `opentelemetry-instrument`", Gravity.SOME_MISSING, Symptom.SOME,
)  # fmt: skip
FOREIGN = Kind(
    "provider_foreign", Group.PROCESS, _WRONG,
    "{name} is not OpenTelemetry's SDK: product events in {what} are not seen, and what it sends is not stripped",
    "keep analytics.* off it and use otel_posthog.capture() with an SDK LoggerProvider; or take the SDK's provider",
    Gravity.LEAKS, Symptom.SOME,
)  # fmt: skip
DROPS = Kind(
    "provider_drops_processors", Group.PROCESS, _WRONG,
    "{name} has dropped the processor for {what}: product events there are not seen, and analytics.* stays on them",
    "call otel_posthog.configure() after whatever exchanges its processors, or have that keep those that are there",
    Gravity.LEAKS, Symptom.SOME,
)  # fmt: skip
TWICE = Kind(
    "posthog_processor_beside", Group.PROCESS, _NOTE,
    "{names} of posthog-python sends {what} to PostHog by itself: past identity mode, catalog and switches",
    "take one of the two out; nothing, if AI spans are left to it and `derive` has no rules for them", Gravity.LEAKS,
    Symptom.PRIVACY,
)  # fmt: skip
IDLE = Kind(
    "posthog_exporter_idle", Group.PROCESS, _NOTE, "the exporter `posthog` for {what} has nothing to do beside {by}",
    "take `posthog` out of the list of exporters", Gravity.TO_KNOW, Symptom.SOME,
)  # fmt: skip
SAYS = Kind(
    "app_warns", Group.PROCESS, _NOTE, "{line}", "see to what it says", Gravity.SOME_MISSING, Symptom.SOME,
    "shop.telemetry.Own has no exporter that can be wrapped: if anything is sent there, that is not redacted; ...",
)  # fmt: skip
KINDS = (
    READY, NOT_IMPORTED, HANGS, DOES_NOT_START, NOT_ATTACHED, NO_PROVIDER, FOREIGN, DROPS, TWICE, IDLE, SAYS,
)  # fmt: skip


def of_app(
    module: str, environ: Mapping[str, str], folder: Path, *, is_launched: bool, until: Deadline
) -> Iterator[Finding]:
    """Yield what is found once `module` is imported.

    Args:
        module: Its name, as in an import.
        environ: The app's environment.
        folder: Where the app is.
        is_launched: Whether the app is started with `opentelemetry-instrument`.
        until: When the import is to be through.

    Raises:
        TimeOverError: There is too little time to begin it.
    """
    seconds = until.step_s()
    with tempfile.TemporaryDirectory() as scratch:
        written, errors = Path(scratch) / "facts.json", Path(scratch) / "errors"
        program = [sys.executable, "-m", "otel_posthog.apps.doctor.rehearsed", str(written), module]
        started = launcher() if is_launched else ""
        try:
            # No pipe: what the app leaves running would hold that open.
            with errors.open("wb") as out:
                ran = subprocess.run(
                    [started, *program] if started else program,
                    cwd=folder,
                    env=_environment(environ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=out,
                    timeout=seconds,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            yield HANGS.found(ABOUT, module=module, seconds=round(seconds, 1))
            return
        if not written.exists():
            yield DOES_NOT_START.found(ABOUT, status=ran.returncode, line=_last_line(errors))
            return
        yield from _of_facts(json.loads(written.read_text(encoding="utf-8")), module)


def _last_line(path: Path) -> str:
    lines = map(str.strip, reversed(path.read_text(encoding="utf-8", errors="replace").splitlines()))
    # What this package says of the rehearsal itself is no error of the app's.
    return next((each for each in lines if each and not each.startswith(START)), "(nothing is said)")


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the rehearsal: nothing is exported and nothing sent, whatever is on."""
    word = environ.get(env.OTEL_POSTHOG_ENABLED, "").strip().lower()
    preview = {env.OTEL_POSTHOG_ENABLED: "preview"} if word in {"", "true", "1", "yes", "on", "console"} else {}
    return {**environ, **_EXPORTERS, **preview}


def _of_facts(facts: Mapping[str, Any], module: str) -> Iterator[Finding]:
    if facts["error"]:
        yield NOT_IMPORTED.found(ABOUT, module=module, error=facts["error"])
    elif not facts["is_attached"] and not facts["spans"]["is_seen"]:
        yield NOT_ATTACHED.found(ABOUT, module=module)
    else:
        found = [each for what in _WHAT for each in _of_provider(what, facts[what], facts["set_up_by"])]
        yield from found
        if not any(each.level is _WRONG for each in found):
            yield READY.found(ABOUT, module=module, by=facts["set_up_by"])
    yield from (SAYS.found(ABOUT, line=each) for each in facts["lines"])


def _of_provider(what: str, provider: Mapping[str, Any], by: str) -> Iterator[Finding]:
    words = {"what": what, "name": provider["class"], "call": _WHAT[what], "by": by}
    if provider["is_foreign"]:
        yield FOREIGN.found("provider", **words)
    elif not provider["is_sdk"]:
        yield NO_PROVIDER.found("provider", **words)
    elif not provider["is_seen"]:
        yield DROPS.found("provider", **words)
    if provider["of_posthog"]:
        yield TWICE.found("processors", **words, names=", ".join(provider["of_posthog"]))
    if provider["is_exporter_there"]:
        yield IDLE.found("processors", **words)
