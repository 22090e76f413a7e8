"""What becomes of the messages of one client of posthog-python: which destinations are meant, and what it loses.

A client sends to the project of its key. Its events go to the destinations with that key and to no other; where there
is none they are dropped, counted and said once, since another project's data is worse than none. Whatever a client is
set to that this pipeline does otherwise is said once, at WARNING. Runs on the app's threads; never raises into them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from otel_posthog.bridge.message import emit_message
from otel_posthog.errors import Guard
from otel_posthog.policy import Destination, Policy, active
from otel_posthog.posthog.requests import ingestion_url
from otel_posthog.setup import configure, control

DEFAULT_FLUSH_S = 10.0
"""As posthog-python's own `flush()`."""

PAUSE_S = 30.0
"""While PostHog is away, an app in `sync_mode` must not wait for it call by call."""

_log = logging.getLogger("otel_posthog")
_pauses_until_s = 0.0


def is_asked_for() -> bool:
    """Return whether the policy in force asks for the bridge: False where nothing is set up."""
    return configure.running() is not None and active().collection.bridge


def deliver(client: Any, message: Mapping[str, Any] | None, uuid: str) -> None:
    """Hand over what `client` would have sent; never raises into the app.

    Args:
        client: The client of posthog-python.
        message: What it would have sent; None where that is not known.
        uuid: What the call returns for it.
    """
    try:
        _deliver(client, message, uuid)
    except Exception as error:
        made = configure.running()
        if made is not None:
            made.guard.caught("bridge", error)
        elif Guard.reraise:
            raise
        else:
            _say(f"an event of posthog-python could not be taken over ({type(error).__name__})")


def flush(timeout_s: float | None = DEFAULT_FLUSH_S) -> None:
    """Wait until what was handed over is delivered; what is not by then waits on disk.

    Args:
        timeout_s: The longest this may take; None is posthog-python's default, as nothing here waits without end.
    """
    control.flush(DEFAULT_FLUSH_S if timeout_s is None else max(0.0, timeout_s))


def flush_call(timeout_s: float | None) -> None:
    """Wait for the event of one call in `sync_mode`, unless such a wait was in vain within the last `PAUSE_S`.

    Args:
        timeout_s: The longest this may take, `DEFAULT_FLUSH_S` at most.
    """
    global _pauses_until_s
    now_s = time.monotonic()
    if now_s >= _pauses_until_s and not control.flush(min(timeout_s or DEFAULT_FLUSH_S, DEFAULT_FLUSH_S)):
        _pauses_until_s = time.monotonic() + PAUSE_S


def _deliver(client: Any, message: Mapping[str, Any] | None, uuid: str) -> None:
    made = configure.running()
    if message is None:
        _say("an event of posthog-python was not seen on its way and is not sent; please report it")
        return
    if made is None:
        _say(
            "otel-posthog is not set up in this program: what posthog-python captures goes nowhere; call "
            "otel_posthog.configure() first, or start it with opentelemetry-instrument"
        )
        emit_message(message, uuid, ())
    elif made.settings.collection.is_preview:
        emit_message(message, uuid, ())
    elif made.pipeline is not None:
        policy = active()
        meant = _meant(client, policy)
        if meant:
            is_for_all = len(meant) == sum(1 for each in policy.destinations if each.api_key)
            emit_message(message, uuid, () if is_for_all else tuple(each.name for each in meant))
        else:
            made.guard.lost("bridge_key", 1)


def _meant(client: Any, policy: Policy) -> list[Destination]:
    """Return the destinations with the key of `client`, after saying what of its settings cannot be kept."""
    meant = [each for each in policy.destinations if each.api_key and each.api_key == client.api_key]
    if not meant:
        _say(
            "a client of posthog-python has a project key that no destination has: its events are dropped, counted as "
            "bridge_key; set POSTHOG_API_KEY to that key, or add a destination with it to the policy"
        )
    for is_lost, says in _LOSSES:
        if meant and is_lost(client, policy, meant):
            _say(f"posthog-python: {says}")
    return meant


def _is_elsewhere(client: Any, _: Policy, meant: list[Destination]) -> bool:
    host = getattr(client, "host", None)
    return isinstance(host, str) and all(ingestion_url(each.host) != ingestion_url(host) for each in meant)


def _is_history(client: Any, policy: Policy, _: list[Destination]) -> bool:
    return bool(getattr(client, "historical_migration", False)) and not policy.delivery.historical_migration


_LOSSES: tuple[tuple[Callable[[Any, Policy, list[Destination]], bool], str], ...] = (
    (
        _is_elsewhere,
        "its client's host is not that of the destination with its key, where its events go now; set POSTHOG_HOST",
    ),
    (
        _is_history,
        "historical_migration of a client is not kept: set it in the policy of a program that does nothing else",
    ),
    (
        lambda client, *_: getattr(client, "disable_geoip", True) is False,
        "disable_geoip=False is not kept: no event has an address that a place could be told from",
    ),
    (
        lambda client, *_: getattr(client, "on_error", None) is not None,
        "on_error is not called: what cannot be sent waits on disk, and is counted and logged where it is refused",
    ),
)


@cache
def _say(text: str) -> None:
    """Log `text`, once."""
    _log.warning("%s", text)
