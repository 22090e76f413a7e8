"""One event to each destination, the way an app's events go, followed until PostHog has it; and why it has not.

What the package's own delivery counts says whether it arrived. Where no answer came, a connection is made step by step
to find out what is in the way. Answers are looked at for their `Date` as well.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from otel_posthog import environment_variables as env
from otel_posthog import health as outcome
from otel_posthog.apps.doctor.clock import of_clock
from otel_posthog.apps.doctor.connection import Address, Failure, Problem, address_of, failing_step, is_tls_spoken
from otel_posthog.apps.doctor.deadline import Deadline, TimeOverError
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.apps.doctor.hosts import REGIONS, other_region
from otel_posthog.apps.doctor.network import Side, said_of
from otel_posthog.apps.doctor.parts import Part
from otel_posthog.deliver import Delivery, ingestion_url
from otel_posthog.deliver.connection import ca_bundle, proxy_for
from otel_posthog.deliver.transport import HttpTransport
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.identity import Pseudonyms, load_installation
from otel_posthog.model import Signal, Source
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Destination, Durability
from otel_posthog.posthog.responses import Response, is_redirect
from otel_posthog.privacy import without_secrets
from otel_posthog.setup.runtime import collection_now
from otel_posthog.setup.settings import Settings

EVENT_NAME = "otel_posthog_doctor"

_LOOK_S = 0.1
# What answers takes less; what does not is to be told soon.
REQUEST_S = 5.0
# What is kept of the time to find out why no answer came; half of a shorter one.
_WHY_S = 4.0
# How reasons begin that may be gone with the next attempt.
_PASSING = ("network_", "http_408", "http_425", "http_429", "http_5", "result")

ARRIVED = Kind(
    "trial_arrived", Group.POSTHOG, Level.OK, "PostHog took the event {event} in {seconds:.1f} s; it is under Activity"
)
NOT_SENT = Kind("trial_not_sent", Group.POSTHOG, Level.OK, "nothing was sent: collection is off, or previewed")


def _failed(name: str, why: str, fix: str) -> Kind:
    says = f"the event did not arrive ({why})"
    return Kind(f"trial_{name}", Group.POSTHOG, Level.WRONG, says, fix, Gravity.NOTHING_ARRIVES, Symptom.NOTHING)


_BY_REASON = {
    "http_401": _failed("key_unknown", "http 401", "check the key: PostHog does not know it{region}"),
    "http_403": _failed("key_refused", "http 403", "check the key: PostHog does not take events with it{region}"),
    "http_402": _failed("quota", "http 402", "check the project's billing limits in PostHog"),
    "http_404": _failed("no_endpoint", "http 404", "check the host: there is no PostHog there"),
    "http_407": _failed(
        "proxy_password", "http 407", "check the proxy that HTTPS_PROXY names: it wants a user and a password"
    ),
    "http_429": _failed(
        "too_many",
        "http 429",
        "PostHog takes no more just now: wait, and see in its settings how much the project sends",
    ),
    "not_posthog": _failed(
        "not_posthog",
        "the answer is not PostHog's",
        "check the host: what answers there is not PostHog{page}; a relay needs `accept_any_2xx: true`, "
        "a server that knows `/batch/` only `capture_mode: v0`",
    ),
    "result": _failed(
        "asked_again",
        "PostHog asks to have it again",
        "try again in a while: PostHog could not store it just now; its status page says whether it is well",
    ),
    "rejected": _failed("rejected", "rejected", "PostHog refuses the event for good: check that {host} is PostHog"),
}
WAITS = Kind(
    "trial_waits", Group.POSTHOG, Level.OK, "nothing was sent: what is wrong with the configuration comes first"
)
NOT_DECLARED = Kind(
    "trial_not_declared", Group.POSTHOG, Level.NOTE, "the event was not sent: the catalog does not declare {event}",
    "declare it in the catalog to have the way tried; nothing, if the host's answer is enough", Gravity.TO_KNOW,
    Symptom.SOME,
)  # fmt: skip
REDIRECTED = _failed(
    "redirected",
    "{why}",
    "set POSTHOG_HOST to where PostHog takes events itself: {host} redirects, which is not followed",
)
SERVER_FAILS = _failed(
    "server_fails",
    "{why}",
    "check that {host} can be reached from here and is well: it answers, with a failure of its own",
)
NO_PROXY = _failed(
    "proxy_unreachable",
    "no connection to the proxy",
    "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, or add {name} to NO_PROXY",
)
OTHER = _failed("other", "{why}", "check that {host} can be reached from here")
_NETWORK = Side("posthog", Group.POSTHOG, Symptom.NOTHING, "the event did not arrive: ").kinds()
KINDS = (
    *(ARRIVED, NOT_SENT, WAITS, NOT_DECLARED, REDIRECTED, SERVER_FAILS, NO_PROXY, OTHER),
    *_BY_REASON.values(),
    *_NETWORK.values(),
)  # fmt: skip


def trial(settings: Settings, environ: Mapping[str, str], until: Deadline) -> list[Part]:
    """Return the destinations that have a key: to look at one is to send one event there.

    Args:
        settings: As an app would have them.
        environ: For the id of this installation and the choice of its users.
        until: When the event is to be there, and where it is not, why.
    """
    if not collection_now(settings.collection, environ).enabled or settings.collection.is_preview:
        return [Part("trial", Group.POSTHOG, lambda: [NOT_SENT.found("trial")])]
    keyed = [each for each in settings.policy.destinations if each.api_key]
    return [Part(_about(each), Group.POSTHOG, partial(_tried, settings, each, environ, until)) for each in keyed]


def _about(destination: Destination) -> str:
    return f"trial {destination.name}"


class _Watched(HttpTransport):
    """Notes the last response.

    Attributes:
        last: The response; None where none came.
    """

    def __init__(self) -> None:
        super().__init__()
        self.last: Response | None = None

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Response:
        """Send one request, and note what came."""
        self.last = super().post(url, headers, body, timeout_s)
        return self.last


def _tried(
    settings: Settings, destination: Destination, environ: Mapping[str, str], until: Deadline
) -> Iterator[Finding]:
    policy, health, transport = settings.policy, Health(), _Watched()
    asked = until.before(min(until.step_s() / 2, _WHY_S))
    request_s = min(asked.left_s, policy.delivery.request_timeout_s, REQUEST_S)
    delivery = replace(
        policy.delivery, durability=Durability.MEMORY, shutdown_timeout_s=until.left_s, request_timeout_s=request_s
    )
    only, guard = replace(policy, destinations=(destination,), delivery=delivery), Guard(health)
    installation = load_installation(environ)
    pipeline = Pipeline(
        only,
        installation_id=installation.distinct_id,
        health=health,
        guard=guard,
        delivery=Delivery(only, health, guard, transport=transport),
        pseudonyms=Pseudonyms.kept_in(installation.directory, settings.keys),
    )
    started = time.monotonic()
    # Whoever asks for it consents, and it says nothing of anybody.
    attributes = {"analytics.consent": True}
    pipeline.submit(Signal(Source.LOG, EVENT_NAME, attributes, time.time_ns(), observed_time_ns=time.time_ns()))
    while not pipeline.flush(_LOOK_S) and not _is_decided(health.snapshot()):
        # Of what has answered there is no more to find out.
        if not (until if transport.last is not None else asked).left_s:
            break
    counts, duration_s = health.snapshot(), time.monotonic() - started
    pipeline.shutdown(0.0)
    yield _finding(destination, counts, transport.last, duration_s, until)
    if transport.last is not None:
        yield from of_clock(transport.last.headers, without_secrets(destination.host))


def _finding(
    destination: Destination,
    counts: Mapping[tuple[str, str], int],
    last: Response | None,
    duration_s: float,
    until: Deadline,
) -> Finding:
    about, host = _about(destination), without_secrets(destination.host)
    if any(name == outcome.DELIVERED and number for (name, _), number in counts.items()):
        return ARRIVED.found(about, event=EVENT_NAME, seconds=duration_s)
    reason = _reason(counts)
    if reason.startswith("catalog"):
        return NOT_DECLARED.found(about, event=EVENT_NAME)
    if last is None and reason not in _BY_REASON:
        return _no_answer(destination, reason, duration_s, until)
    kind = _BY_REASON.get(reason) or (REDIRECTED if is_redirect(reason) else SERVER_FAILS)
    page = ", but a web page: a login, a portal of this network, or PostHog's app" if _is_page(last) else ""
    why = reason.replace("_", " ")
    return kind.found(about, event=EVENT_NAME, host=host, why=why, region=_region(destination.host), page=page)


def _is_decided(counts: Mapping[tuple[str, str], int]) -> bool:
    """Return whether to wait longer changes nothing: a setting is wrong, or there is no connection at all."""
    reasons = {why: number for (name, why), number in counts.items() if name == outcome.RETRIED}
    # Once may be an accident; what is silent has had its time.
    network = sum(number for why, number in reasons.items() if why.startswith("network_"))
    is_silent = any("Timeout" in why for why in reasons)
    return network > 1 or is_silent or any(not why.startswith(_PASSING) for why in reasons)


def _reason(counts: Mapping[tuple[str, str], int]) -> str:
    wanted = (outcome.DROPPED, outcome.DEAD_LETTERED, outcome.RETRIED)
    return next(
        (why for each in wanted for (name, why), number in counts.items() if name == each and number), "no_answer"
    )


def _no_answer(destination: Destination, reason: str, duration_s: float, until: Deadline) -> Finding:
    """Return what is in the way, found out by a connection of its own."""
    about, host = _about(destination), without_secrets(destination.host)
    url, (certificates, variable) = ingestion_url(destination.host), ca_bundle()
    proxy = proxy_for(url)
    address = address_of(proxy or url, certificates)
    try:
        failure = failing_step(address, until)
        if proxy and failure is not None:
            return NO_PROXY.found(about, name=address_of(url).host)
        if failure is None and not proxy:
            failure = _unanswered(address, reason, duration_s, until)
    except TimeOverError:
        return OTHER.found(about, why=f"no answer within {duration_s:.1f} s, nor time to see why", host=host)
    if failure is None:
        return OTHER.found(about, why=reason.removeprefix("network_").replace("_", " "), host=host)
    ca = variable or "REQUESTS_CA_BUNDLE"
    return said_of(_NETWORK, failure, about, address, variable=env.POSTHOG_HOST, ca=ca)


def _unanswered(address: Address, reason: str, duration_s: float, until: Deadline) -> Failure | None:
    """Return why a request gets no answer where a connection is made."""
    if reason == "no_answer" or "Timeout" in reason:
        return Failure(Problem.SILENT, duration_s)
    if not address.is_tls and is_tls_spoken(address, until):
        return Failure(Problem.TLS_WANTED)
    return Failure(Problem.CLOSED) if "Protocol" in reason else None


def _region(host: str) -> str:
    other = other_region(host)
    return f"; where the project is in the {REGIONS[other]}, set POSTHOG_HOST=https://{other}" if other else ""


def _is_page(last: Response | None) -> bool:
    return last is not None and last.body.lstrip()[:1] == b"<"


@contextmanager
def silence() -> Iterator[None]:
    """What the package logs of a failure is what this command says."""
    log = logging.getLogger("otel_posthog")
    is_disabled, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = is_disabled
