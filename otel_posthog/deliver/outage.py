"""What is logged while a destination takes nothing: one line for each outage and kind of failure.

Comes in: the verdict of each attempt that failed. Runs on the sending thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from otel_posthog.posthog.responses import NOT_POSTHOG, SPEAKS_V0, TLS, Verdict, is_redirect

_log = logging.getLogger("otel_posthog")

_REFUSED = "PostHog does not take events for destination %s (%s): check POSTHOG_API_KEY and POSTHOG_HOST; events %s"
_NOT_POSTHOG = (
    "what answers for destination %s is not PostHog: check POSTHOG_HOST, or write `accept_any_2xx: true` for a relay "
    "in the policy; events %s"
)
_OLDER = (
    "what answers for destination %s is not PostHog, or one that knows `/batch/` only: check POSTHOG_HOST, or write "
    "`capture_mode: v0` in the policy, or `accept_any_2xx: true` for a relay; events %s"
)
_MOVED = (
    "the host of destination %s redirects (%s), which is not followed: set POSTHOG_HOST to where PostHog takes events "
    "itself, such as https://us.i.posthog.com; events %s"
)
_TLS = (
    "no TLS connection for destination %s (%s): check POSTHOG_HOST, and have REQUESTS_CA_BUNDLE name the file of the "
    "certificates to believe where they are your own; events %s"
)
_LASTS = "destination %s has taken nothing for a minute (%s): check the network and POSTHOG_HOST; events %s"

ON_DISK, IN_MEMORY = "wait on disk until then", "wait in memory until then"
LOST = "are not delivered before the end"

# A server that restarts is not worth a line.
PASSING_S = 60.0


class OutageLog:
    """Logs one destination's outages.

    Args:
        destination: Its name.
        clock: Monotonic seconds.
    """

    def __init__(self, destination: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._destination, self._clock = destination, clock
        self._since: float | None = None
        self._logged: set[str] = set()

    def end(self) -> None:
        """Note that the destination answers as it should, so that the next outage is logged again."""
        self._since, self._logged = None, set()

    def log_refused(self, verdict: Verdict, fate: str) -> None:
        """Log a failure that a person has to do something about.

        Args:
            verdict: What the destination said.
            fate: What becomes of the events, in words.
        """
        if verdict.reason == NOT_POSTHOG:
            self._log_once(logging.ERROR, _OLDER if verdict.detail == SPEAKS_V0 else _NOT_POSTHOG, fate)
            return
        line = _MOVED if is_redirect(verdict.reason) else _TLS if verdict.reason == TLS else _REFUSED
        words = (verdict.detail or _words(verdict),)
        self._log_once(logging.ERROR, line, *words, fate)

    def log_lasting(self, verdict: Verdict, fate: str) -> None:
        """Log a failure that passes by itself, once it has lasted.

        Args:
            verdict: What the destination said, or the network.
            fate: What becomes of the events, in words.
        """
        now = self._clock()
        self._since = now if self._since is None else self._since
        if now - self._since >= PASSING_S:
            self._log_once(logging.WARNING, _LASTS, _words(verdict), fate)

    def _log_once(self, level: int, line: str, *words: str) -> None:
        if line not in self._logged:
            self._logged.add(line)
            _log.log(level, line, self._destination, *words)


def _words(verdict: Verdict) -> str:
    kind, _, rest = verdict.reason.partition("_")
    return rest if kind == "network" else verdict.reason.replace("_", " ").upper()
