"""What a program asks of the package once it is set up: deliver, stop, switch collection, say what is collected.

Each is a public function of the package that any thread may call; none raises but for what its docstring names.
"""

from __future__ import annotations

import os
from contextlib import suppress

from otel_posthog import identity
from otel_posthog.deliver import drop, spool_root
from otel_posthog.emit.record import take_unheard
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Policy, active, collection_choice
from otel_posthog.setup import configure
from otel_posthog.setup.settings import read_settings


def flush(timeout_s: float = 5.0) -> bool:
    """Wait until every product event so far is delivered.

    Args:
        timeout_s: The longest this may take.

    Returns:
        False where the time did not suffice, and where since the last call `capture()` and its like were called with
        nothing to receive them: no OpenTelemetry SDK for logs, or no set-up of this package. True where collection
        is off.
    """
    pipeline = _pipeline()
    return _all_heard() & (pipeline.flush(timeout_s) if pipeline else True)


def shutdown(timeout_s: float = 5.0) -> bool:
    """Deliver what is waiting and stop sending; stripping and redaction go on. False as in `flush()`.

    Args:
        timeout_s: The longest this may take.
    """
    pipeline = _pipeline()
    return _all_heard() & (pipeline.shutdown(timeout_s) if pipeline else True)


def set_collection(enabled: bool) -> bool:
    """Switch collection off or on again, for this installation: kept across restarts, seen by its other processes.

    Off: from now on nothing is sent, and what waits to be sent, in memory or on disk, is dropped and counted as
    `opted_out`; a request that is on its way cannot be called back. Other processes see it within three seconds. On: as
    another installation, with a new id; a switch in the environment stays off, since any off switch wins. Works without
    set-up, too.

    Args:
        enabled: False opts out.

    Returns:
        False where the choice could not be kept (no writable state directory): opting out then holds in this process
        alone, and an opt-out that is on disk stays.
    """
    kept = collection_choice(os.environ).choose(enabled)
    if not enabled:
        identity.forget_installation(os.environ)
    made = configure.running()
    if made is not None and made.pipeline is not None:
        try:
            made.pipeline.heed_choice()
        except Exception as error:
            made.guard.caught("set_collection", error)
    elif not enabled:
        # Nobody here sends; what other processes left must not wait for one that does.
        with suppress(OSError):
            spool = spool_root(os.environ)
            drop(spool.files, spool.path, spool.is_mine)
    return kept


def notice_text(policy: Policy | str | os.PathLike[str] | None = None) -> str:
    """Return what users are to know about usage statistics under the policy in force, as plain text.

    Args:
        policy: For a program that asks before it calls `configure(policy=...)`: the same. By default the policy in
            force, and before there is one the one that the environment names.

    Raises:
        ConfigurationError: Nothing is in force yet, and what is to be cannot be used.
    """
    if policy is None and configure.running() is not None:
        return identity.notice_text(active())
    return identity.notice_text(read_settings(os.environ, policy=policy).policy)


def _pipeline() -> Pipeline | None:
    made = configure.running()
    return made.pipeline if made else None


def _all_heard() -> bool:
    made = configure.running()
    unheard = take_unheard(is_set_up=made is not None)
    return not unheard or (made is not None and made.pipeline is None)
