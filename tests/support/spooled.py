"""Spools for tests: quick to make, and emptied as a sender would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from otel_posthog.deliver.spool import Spool
from otel_posthog.deliver.spool.folder import Folder
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy


def spool(root: Path, health: Health | None = None, *, destination: str | Folder = "default", **options: Any) -> Spool:
    """Return a spool in `root`; options are those of the policy, `files`, `now_ms` and `max_segment_bytes`.

    A name alone is a folder as an earlier release had it, bound to no project.
    """
    own = {name: options.pop(name) for name in ("files", "now_ms", "max_segment_bytes") if name in options}
    return Spool(root, destination, DeliveryPolicy(**options), health or Health(), **own)


def event(number: int, size: int = 300) -> CleanEvent:
    """Return an event that is told from every other."""
    return CleanEvent(f"00000000-0000-4000-8000-{number:012d}", b'{"n":%d,"x":"' % number + b"x" * size + b'"}')


def drained(store: Spool, *, max_events: int = 100) -> list[CleanEvent]:
    """Take and acknowledge everything; fail where that does not come to an end."""
    out: list[CleanEvent] = []
    for _ in range(100_000):
        if not len(store):
            return out
        batch = store.take(max_events, 10**7)
        out += batch
        store.acknowledge(batch)
    raise AssertionError(f"never empty: {len(store)} left")


def segments(root: Path) -> list[Path]:
    """Return every segment below `root`."""
    return sorted(root.glob("*/*/*.seg"))
