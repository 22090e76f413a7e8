"""What the doctor finds of what an app would meet: versions, integrations, settings, directories, OTLP.

Comes in: the environment, and the settings that it makes. Goes out: findings. Nothing stays, nothing is sent.
"""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.identity import start_line
from otel_posthog.intake import Lift
from otel_posthog.policy import Durability, Policy
from otel_posthog.policy.checks import weaknesses
from otel_posthog.policy.policy import revision_of
from otel_posthog.privacy import without_secrets
from otel_posthog.sdk import why_no_light_spans
from otel_posthog.setup.frameworks import uninstrumented
from otel_posthog.setup.runtime import collection_now
from otel_posthog.setup.settings import Settings
from otel_posthog.state import spool_directory, state_directory
from otel_posthog.switches import is_disabled

OLDEST_SDK = (1, 41)

_LAUNCHER = "opentelemetry-instrument"
_OTLP_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Level(str, Enum):
    """How good a finding is; the word is what `--json` prints."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor found out about one thing.

    Attributes:
        level: `wrong` keeps events from arriving or the operational side from being clean; `note` may be meant so.
        about: What was looked at.
        says: What is the case; never a key, a password or an id.
        fix: What to do; empty where nothing has to be done.
    """

    level: Level
    about: str
    says: str
    fix: str = ""

    def __post_init__(self) -> None:
        # Hosts and endpoints may be URLs with credentials.
        for name in ("about", "says", "fix"):
            object.__setattr__(self, name, without_secrets(getattr(self, name)))

    def as_json(self) -> dict[str, str]:
        """Return it as `--json` prints it."""
        return {"level": self.level.value, "about": self.about, "says": self.says, "fix": self.fix}


def of_this_environment(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is found of versions, integrations, frameworks and the operational side, whatever the settings are."""
    yield _versions()
    yield _integration(environ)
    yield _operational(environ)
    yield from (Finding(Level.NOTE, each.label, each.says, each.fix) for each in uninstrumented(environ))


def of_settings(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is found of settings that can be read."""
    policy = settings.policy
    source = "built in" if policy.source == "built-in" else policy.source
    yield Finding(Level.OK, "policy", f"{source}, version {revision_of(policy)}")
    fix = "nothing, if it is meant so"
    yield from (Finding(Level.NOTE, "policy", f"weaker than built in: {said}", fix) for said in weaknesses(policy))
    yield _collection(settings, environ)
    yield _unsampled(settings)
    for each in policy.destinations:
        host = without_secrets(each.host)
        if each.api_key:
            mode = policy.identity_of(each).value
            yield Finding(Level.OK, f"destination {each.name}", f"{host}, identity {mode}, key set")
        else:
            fix = f"set {each.api_key_env or env.POSTHOG_API_KEY}"
            yield Finding(
                Level.NOTE,
                f"destination {each.name}",
                f"{host}: no key, so nothing is sent there",
                fix,
            )
    yield from (Finding(Level.NOTE, "host", remark, "write that host") for remark in settings.remarks)
    yield _directory("state", state_directory(environ), env.OTEL_POSTHOG_STATE_DIR)
    yield _spool(policy, environ)


def _versions() -> Finding:
    sdk = _version("opentelemetry-sdk")
    python = platform.python_version()
    says = f"otel-posthog {_version('otel-posthog')}, opentelemetry-sdk {sdk}, Python {python}"
    if tuple(int(part) for part in sdk.split(".")[:2] if part.isdigit()) < OLDEST_SDK:
        fix = f'pip install "opentelemetry-sdk>={OLDEST_SDK[0]}.{OLDEST_SDK[1]}"'
        return Finding(Level.WRONG, "versions", says, fix)
    return Finding(Level.OK, "versions", says)


def _integration(environ: Mapping[str, str]) -> Finding:
    if is_disabled("posthog", environ):
        says = f"zero-code set-up is switched off by {env.DISABLED_INSTRUMENTATIONS}: nothing is set up or stripped"
        return Finding(
            Level.NOTE, "integration", says, "call otel_posthog.configure(), or take posthog out of that list"
        )
    if not any(each.name == "posthog" for each in entry_points(group="opentelemetry_pre_instrument")):
        return Finding(Level.WRONG, "integration", "the package's entry points are missing", "install it with pip")
    # Beside this interpreter first: that is the one the app of this environment is started with.
    beside = Path(sys.executable).with_name(_LAUNCHER)
    if not (beside.exists() or shutil.which(_LAUNCHER)):
        fix = 'pip install "otel-posthog[auto]", or call otel_posthog.configure()'
        return Finding(Level.NOTE, "integration", f"{_LAUNCHER} is not installed", fix)
    return Finding(Level.OK, "integration", f"{_LAUNCHER} python app.py sets everything up")


def _operational(environ: Mapping[str, str]) -> Finding:
    endpoint = next((environ[name] for name in _OTLP_ENDPOINTS if environ.get(name, "").strip()), "")
    if endpoint:
        return Finding(Level.OK, "operational side", "OTLP goes to the endpoint that the environment names")
    says = "no OTLP endpoint is named: exporters use their default on this machine"
    return Finding(Level.NOTE, "operational side", says, f"set {_OTLP_ENDPOINTS[0]}=http://collector:4317")


def _collection(settings: Settings, environ: Mapping[str, str]) -> Finding:
    collection = collection_now(settings.collection, environ)
    says = start_line(settings.policy, collection)
    if collection.enabled:
        return Finding(Level.OK, "collection", says)
    return Finding(Level.NOTE, "collection", says, "nothing is sent; the operational side is stripped all the same")


def _unsampled(settings: Settings) -> Finding:
    """Find out what stands for a span that the app's sampler drops, and why."""
    about = "unsampled spans"
    if settings.lift is None or settings.lift is Lift.OFF:
        return Finding(Level.NOTE, about, "none is recorded for product events", f"set {env.OTEL_POSTHOG_SAMPLER}=all")
    which = "all" if settings.lift is Lift.ALL else "those marked at their start"
    if not settings.light_spans:
        says = f"{which}, as whole spans of the SDK: {env.OTEL_POSTHOG_LIGHT_SPANS} is false"
        return Finding(Level.NOTE, about, says, "nothing, if it is meant so; light spans take less time")
    reason = why_no_light_spans()
    if reason:
        says = f"{which}, as whole spans of the SDK: {reason}"
        return Finding(Level.NOTE, about, says, "nothing has to be done; light spans would take less time")
    return Finding(Level.OK, about, f"{which}, as light spans: this SDK's are as they are known")


def _directory(about: str, path: Path, variable: str) -> Finding:
    """Find out whether `path` can be made and written, without making it."""
    there = next((each for each in (path, *path.parents) if each.exists()), path)
    try:
        # Not by permission bits: to a superuser they say yes on file systems that then refuse.
        with tempfile.TemporaryFile(dir=there):
            return Finding(Level.OK, f"{about} directory", str(path))
    except OSError:
        fix = f"set {variable} to one that can"
        return Finding(Level.WRONG, f"{about} directory", f"{path} cannot be written", fix)


def _spool(policy: Policy, environ: Mapping[str, str]) -> Finding:
    if policy.delivery.durability is Durability.MEMORY:
        says = "events wait in memory (`durability: memory`): a process that is killed loses them"
        return Finding(Level.NOTE, "spool directory", says)
    return _directory("spool", spool_directory(environ), env.OTEL_POSTHOG_SPOOL_DIR)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
