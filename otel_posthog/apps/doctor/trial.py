"""One event to each destination, the way an app's events go, and what came of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from otel_posthog import health as outcome
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import Pseudonyms, load_installation
from otel_posthog.model import Signal, Source
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Destination, Durability, Policy
from otel_posthog.posthog.responses import is_redirect
from otel_posthog.privacy import without_secrets
from otel_posthog.setup.runtime import collection_now
from otel_posthog.setup.settings import Settings

EVENT_NAME = "otel_posthog_doctor"

ARRIVED = Kind("trial_arrived", Group.POSTHOG, Level.OK, "PostHog took the event {event} in {seconds:.1f} s")
NOT_SENT = Kind("trial_not_sent", Group.POSTHOG, Level.OK, "nothing was sent: collection is off, or previewed")
FAILED = Kind(
    "trial_failed", Group.POSTHOG, Level.WRONG, "the event did not arrive ({why})", "{fix}", Gravity.NOTHING_ARRIVES,
    Symptom.NOTHING,
)  # fmt: skip
KINDS = (ARRIVED, NOT_SENT, FAILED)

_WHY = {"not_posthog": "the answer is not PostHog's", "tls": "no TLS connection"}
_FIXES = {
    "http_401": "check the key: PostHog does not know it",
    "http_403": "check the key: PostHog does not take events with it",
    "http_402": "check the project's billing limits in PostHog",
    "http_404": "check the host: there is no PostHog there",
    "not_posthog": "check the host: what answers there is not PostHog; a relay needs `accept_any_2xx: true`, "
    "a server that knows `/batch/` only `capture_mode: v0`",
    "tls": "check the host's certificate; have REQUESTS_CA_BUNDLE name the file of the certificates to believe",
    "http_407": "check the proxy that HTTPS_PROXY names: it wants a password",
}


def trial(settings: Settings, environ: Mapping[str, str], timeout_s: float) -> Iterator[Finding]:
    """Send one event to each destination that has a key, and yield what came of it.

    Args:
        settings: As an app would have them.
        environ: For the id of this installation and the choice of its users.
        timeout_s: How long each destination is given.
    """
    if not collection_now(settings.collection, environ).enabled or settings.collection.is_preview:
        yield NOT_SENT.found("trial")
        return
    for each in settings.policy.destinations:
        if each.api_key:
            yield _tried(settings, each, environ, timeout_s)


def _tried(settings: Settings, destination: Destination, environ: Mapping[str, str], timeout_s: float) -> Finding:
    policy, health = settings.policy, Health()
    delivery = replace(policy.delivery, durability=Durability.MEMORY, shutdown_timeout_s=timeout_s)
    only = replace(policy, destinations=(destination,), delivery=delivery)
    installation = load_installation(environ)
    pipeline = Pipeline(
        only,
        installation_id=installation.distinct_id,
        health=health,
        guard=Guard(health),
        pseudonyms=Pseudonyms.kept_in(installation.directory, settings.keys),
    )
    # What the package logs of a failure is what this command says.
    log = logging.getLogger("otel_posthog")
    is_disabled, log.disabled = log.disabled, True
    started = time.monotonic()
    try:
        pipeline.submit(Signal(Source.LOG, EVENT_NAME, {}, time.time_ns(), observed_time_ns=time.time_ns()))
        pipeline.flush(timeout_s)
        counts = health.snapshot()
        pipeline.shutdown(0.0)
    finally:
        log.disabled = is_disabled
    return _finding(only, counts, time.monotonic() - started)


def _finding(policy: Policy, counts: Mapping[tuple[str, str], int], duration_s: float) -> Finding:
    destination = policy.destinations[0]
    about = f"trial {destination.name}"
    if any(name == outcome.DELIVERED for name, _ in counts):
        return ARRIVED.found(about, event=EVENT_NAME, seconds=duration_s)
    reason = next(
        (
            why
            for wanted in (outcome.DROPPED, outcome.DEAD_LETTERED, outcome.RETRIED)
            for name, why in counts
            if name == wanted
        ),
        "no_answer",
    )
    host = without_secrets(destination.host)
    fix = _FIXES.get(reason, f"check that {host} can be reached from here")
    if is_redirect(reason):
        fix = f"set POSTHOG_HOST to where PostHog takes events itself: {host} redirects, which is not followed"
    if reason == "catalog":
        fix = f"nothing: the catalog does not declare {EVENT_NAME}, so it may not be sent"
    why = _WHY.get(reason, reason.removeprefix("network_").replace("_", " "))
    return FAILED.found(about, why=why, fix=fix)
