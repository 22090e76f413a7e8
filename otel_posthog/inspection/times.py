"""Times as a page shows them."""

from __future__ import annotations

from datetime import datetime, timezone


def utc(time_ns: int) -> str:
    """Return a time in Unix nanoseconds as ISO 8601 with milliseconds; empty for 0 and for what is no time."""
    try:
        moment = datetime.fromtimestamp(time_ns / 1e9, timezone.utc) if time_ns > 0 else None
    except (OverflowError, OSError, ValueError):
        return ""
    return "" if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
