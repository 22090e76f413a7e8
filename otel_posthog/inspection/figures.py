"""What a viewer is told of a process once a second: queue, spool, delivery, counts. Identifiers and numbers only."""

from __future__ import annotations

import time
from typing import Any

from otel_posthog import health as outcome
from otel_posthog.health import Health
from otel_posthog.inspection.times import utc

_COUNTED = (
    outcome.RECEIVED,
    outcome.DELIVERED,
    outcome.PREVIEWED,
    outcome.DROPPED,
    outcome.RETRIED,
    outcome.DEAD_LETTERED,
)


class Figures:
    """Reads them.

    Args:
        health: The pipeline's counts.
    """

    def __init__(self, health: Health) -> None:
        self._health = health
        self._attempts = 0
        self._last: dict[str, object] | None = None
        health.on_delivery(self._note)

    def read(self) -> dict[str, Any]:
        """Return `queue`, `spool` and `delivery`."""
        counts, gauges = self._health.snapshot(), self._health.read_gauges()
        totals = dict.fromkeys((*_COUNTED, "faults"), 0)
        for (name, _), amount in counts.items():
            key = "faults" if name == outcome.FAULT else name
            if key in totals:
                totals[key] += amount
        listed = sorted(counts.items(), key=lambda each: -each[1])
        return {
            "queue": {"worker_bytes": int(gauges.get("worker", 0)), "buffer_bytes": int(gauges.get("buffer", 0))},
            "spool": [
                {
                    "destination": name,
                    "bytes": level.size_bytes,
                    "events": level.events,
                    "oldest_age_s": round(level.oldest_age_s, 1),
                }
                for name, level in sorted(self._health.read_spools().items())
            ],
            "delivery": {
                **totals,
                "reasons": [{"outcome": name, "reason": reason, "count": n} for (name, reason), n in listed if reason],
                "attempts": self._attempts,
                "last_attempt": self._last,
            },
        }

    def _note(self, duration_s: float, result: str) -> None:
        self._attempts += 1
        self._last = {"time": utc(time.time_ns()), "duration_s": round(duration_s, 4), "outcome": result}
