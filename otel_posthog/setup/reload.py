"""Another policy in the running process, without an event lost: the next signal is cleaned by the new one.

What waits to be sent stays as it was cleaned. A policy that cannot be used is refused with one line, and the one before
it stays. Any thread may call; the worker does when a watched file has changed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace

from otel_posthog.errors import OtelPostHogError
from otel_posthog.identity import keys_file
from otel_posthog.policy import Destination, Policy, activate, collection_choice
from otel_posthog.policy.watch import Watch
from otel_posthog.setup.log import log_remarks
from otel_posthog.setup.propagator import propagate_actor
from otel_posthog.setup.requests import follow_requests
from otel_posthog.setup.runtime import Runtime
from otel_posthog.setup.scrubber import late_scrubber
from otel_posthog.setup.settings import Settings, keys_of, read_settings

_log = logging.getLogger("otel_posthog")

BUILT_IN = Policy().source

# A key is in force, from the time that its file names, in every process that has read the file by then.
KEYS_INTERVAL_S = 30.0


def reload_policy(runtime: Runtime, policy: Policy | str | os.PathLike[str] | None) -> Settings | None:
    """Put `policy` in force in what runs; None where it was refused, which is logged in one line.

    Args:
        runtime: What set-up made.
        policy: A policy, or the path of one; None reads the file that was read at start again.
    """
    before = runtime.settings
    given = policy or (None if before.policy.source == BUILT_IN else before.policy.source)
    try:
        settings = read_settings(os.environ, policy=given, api_key=before.api_key, host=before.host)
        settings, later = _effective(before, settings, is_running=runtime.pipeline is not None)
        scrubber = late_scrubber(settings.policy.operational_privacy, runtime.health)
        if runtime.pipeline is not None:
            runtime.pipeline.replace_policy(settings.policy, settings.keys)
            choice = collection_choice(os.environ)
            propagate_actor(settings.policy, runtime.pipeline.pseudonyms, choice, runtime.guard)
            follow_requests(settings.policy, runtime.pipeline, choice.is_off, runtime.guard)
    except OtelPostHogError as error:
        _log.error("%s. The policy before it stays in force", error)
        return None
    except Exception as error:
        _log.error("the policy could not be replaced (%s): the one before it stays in force", type(error).__name__)
        runtime.guard.caught("replace_policy", error)
        return None
    runtime.redactor.replace(settings.policy.operational, scrubber)
    activate(settings.policy)
    _log.info("the policy is replaced by %s", settings.policy.source)
    log_remarks(settings)
    if later:
        _log.warning("of the new policy, %s will be in force from the next start", ", ".join(later))
    return settings


def watch_policy(runtime: Runtime, changed: Callable[[], Policy]) -> None:
    """Have the worker call `changed` when a file of the policy has changed, if the policy asks for it.

    Args:
        runtime: What set-up made.
        changed: Reads the files again and returns the policy that is then in force.
    """
    pipeline, made = runtime.pipeline, _watch_of(runtime.settings.policy)
    if pipeline is None or made is None:
        return

    def check() -> None:
        nonlocal made
        if made is not None and made.has_changed():
            made = _watch_of(changed())

    pipeline.on_tick(check)


def watch_keys(runtime: Runtime, changed: Callable[[], None]) -> None:
    """Have the worker call `changed` when the file of the identity keys has changed, whatever the policy watches.

    A key is added with a time that is to come, so that all processes change at once: each has to know of it by then.

    Args:
        runtime: What set-up made.
        changed: Reads the keys again.
    """
    pipeline = runtime.pipeline
    if pipeline is None:
        return
    path: str | None = None
    made: Watch | None = None

    def check() -> None:
        nonlocal path, made
        policy = pipeline.policy
        found = keys_file(os.environ, policy.identity_keys_file)
        if found != path:
            # At the start, and with another policy: these keys have just been read.
            path = found
            made = Watch((found,), policy.watch_interval_s or KEYS_INTERVAL_S) if found else None
        elif made is not None and made.has_changed():
            changed()

    check()
    pipeline.on_tick(check)


def reload_keys(runtime: Runtime) -> Settings | None:
    """Put the identity keys in force that are configured now; None where they are the same, or refused in one line."""
    before, pipeline = runtime.settings, runtime.pipeline
    try:
        keys = keys_of(before.policy, os.environ)
    except OtelPostHogError as error:
        _log.error("%s. The keys before it stay in force", error)
        return None
    if pipeline is None or (keys and keys.keys) == (before.keys and before.keys.keys):
        return None
    pipeline.replace_policy(before.policy, keys)
    propagate_actor(before.policy, pipeline.pseudonyms, collection_choice(os.environ), runtime.guard)
    _log.info("the identity keys are read again: there are %d", len(keys.keys) if keys else 0)
    return replace(before, keys=keys)


def _watch_of(policy: Policy) -> Watch | None:
    if policy.watch_interval_s is None or policy.source == BUILT_IN:
        return None
    from otel_posthog.policy.yaml_file import files_of  # noqa: PLC0415 - YAML is only for those with a file

    return Watch(files_of(policy), policy.watch_interval_s)


def _effective(before: Settings, new: Settings, *, is_running: bool) -> tuple[Settings, list[str]]:
    """Return `new` with what a running process keeps, and the keys of which the new value is put off."""
    later = []
    if new.policy.delivery != before.policy.delivery:
        later.append("delivery")
    known = {each.name: each for each in before.policy.destinations if each.api_key} if is_running else {}
    destinations = []
    for each in new.policy.destinations:
        kept = _kept(each, known.get(each.name))
        if kept is not each:
            later.append(f"destination {each.name}")
        destinations.append(kept)
    if new.collection.enabled and not is_running:
        later.append("collection")
    if not new.collection.enabled:
        destinations = [replace(each, api_key=None) for each in destinations]
    policy = replace(new.policy, delivery=before.policy.delivery, destinations=tuple(destinations))
    return replace(new, policy=policy, lift=before.lift), later


def _kept(new: Destination, old: Destination | None) -> Destination:
    """Return `new` with the key, host and format with which events for it are being sent already."""
    sent_with = ("api_key", "host", "capture_mode", "accept_any_2xx")
    if old is None or all(getattr(new, name) == getattr(old, name) for name in sent_with):
        return new
    return replace(new, **{name: getattr(old, name) for name in sent_with})
