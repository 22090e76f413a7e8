"""Whether this machine's clock is right, by the `Date` of whoever answered: events have the time of this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom

ABOUT = "clock"
# A date has whole seconds, an answer takes some.
TOLERATED_S = 60.0

SKEWED = Kind(
    "clock_skewed", Group.PROCESS, Level.WRONG, "this machine's clock is {seconds:.0f} s {way} that of {host}",
    "set it (NTP; of a container it is the host's): events are stored under this machine's time", Gravity.SOME_MISSING,
    Symptom.SOME,
)  # fmt: skip
KINDS = (SKEWED,)


def of_clock(headers: Mapping[str, str], host: str) -> Iterator[Finding]:
    """Yield that the clock is wrong, if it is.

    Args:
        headers: Of an answer that has just come, by lowercase name.
        host: Who answered.
    """
    try:
        ahead_s = time.time() - parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        return
    if abs(ahead_s) > TOLERATED_S:
        yield SKEWED.found(ABOUT, seconds=abs(ahead_s), way="ahead of" if ahead_s > 0 else "behind", host=host)
