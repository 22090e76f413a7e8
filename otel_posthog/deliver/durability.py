"""Which store a destination gets: on disk, or in memory where there is no disk to be had."""

from __future__ import annotations

import logging

from otel_posthog.deliver.spool import Spool
from otel_posthog.deliver.spool.files import HAS_LOCKS
from otel_posthog.deliver.spool.folder import SpoolRoot
from otel_posthog.deliver.store import MemoryStore, Store
from otel_posthog.health import Health
from otel_posthog.policy import DeliveryPolicy, Destination, Durability
from otel_posthog.private_files import ForeignError

_log = logging.getLogger("otel_posthog")

_FATE = "product events for %s wait in memory, and what PostHog does not have when the process ends is lost"


def open_store(
    destination: Destination,
    policy: DeliveryPolicy,
    health: Health,
    root: SpoolRoot | None,
) -> Store:
    """Return the store of `destination`; one line says so where that is memory.

    Args:
        destination: Whose events wait there.
        policy: `durability` and the bounds.
        health: Counts what the disk does.
        root: The spool; None where there is none.
    """
    memory = MemoryStore(policy.max_buffer_bytes)
    if root is None:
        return memory
    if policy.durability is Durability.MEMORY:
        _log.info(f"durability is `memory`: {_FATE}", destination.name)
        return memory
    if not HAS_LOCKS:
        _log.warning(f"this system has no file locks of POSIX, which a spool needs: {_FATE}", destination.name)
        return memory
    try:
        spool = Spool(root.path, root.folder_of(destination), policy, health, files=root.files)
    except OSError as error:
        place = error.filename if isinstance(error, ForeignError) else root.path
        _log.warning(
            f"the spool {place} cannot be used (%s): {_FATE}; name a directory that can be written in "
            "OTEL_POSTHOG_SPOOL_DIR, or say `durability: memory` in the policy",
            error.strerror,
            destination.name,
        )
        return memory
    spool.log()
    health.spool(destination.name, spool.level)
    return spool
