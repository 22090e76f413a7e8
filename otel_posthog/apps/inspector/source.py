"""Where a viewer's items come from: running apps, a file, or the spool."""

from __future__ import annotations

from typing import Any, Protocol

from otel_posthog.apps.inspector.journal import Journal


class Source(Protocol):
    """Fills a journal, on threads of its own."""

    def start(self, journal: Journal) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def state(self) -> dict[str, Any]:
        """Return what a `state` says of it: `source`, `values_shown`, `processes`, `queue`, `spool`, `delivery`."""

    def rule(self, item: dict[str, Any], kind: str, key: str) -> dict[str, Any]:
        """Return the lines of a rule that is made of an item, and what it would do; saves nothing.

        Args:
            item: As it is in the journal.
            kind: `derive`, `allow` or `sensitive_key`.
            key: What the last two are about.

        Raises:
            RuleError: None can be made.
        """


NOTHING_RUNS: dict[str, Any] = {
    "processes": [],
    "queue": {"worker_bytes": 0, "buffer_bytes": 0},
    "spool": [],
    "delivery": {
        "received": 0,
        "delivered": 0,
        "previewed": 0,
        "dropped": 0,
        "retried": 0,
        "dead_lettered": 0,
        "faults": 0,
        "reasons": [],
        "attempts": 0,
        "last_attempt": None,
    },
}
"""What a `state` says where no app is looked at."""
