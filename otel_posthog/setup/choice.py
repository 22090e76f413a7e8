"""`set_collection()`: the switch for a program's own settings page."""

from __future__ import annotations

import os
from contextlib import suppress

from otel_posthog.deliver import drop, spool_root
from otel_posthog.identity import forget
from otel_posthog.policy import collection_choice
from otel_posthog.setup import configure


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
        forget(os.environ)
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
