"""What is said in the log while a destination takes nothing: one line for each outage, whatever goes on failing."""

from __future__ import annotations

import logging

from otel_posthog.deliver.verdict import NOT_POSTHOG, Verdict

_log = logging.getLogger("otel_posthog")

_REFUSED = "PostHog does not take events for destination %s (%s): check POSTHOG_API_KEY and POSTHOG_HOST; events %s"
_NOT_POSTHOG = (
    "what answers for destination %s is not PostHog: check POSTHOG_HOST, or write `accept_any_2xx: true` for a relay "
    "in the policy; events %s"
)

ON_DISK, IN_MEMORY = "wait on disk until then", "wait in memory until then"
LOST = "are not delivered before the end"


class Outage:
    """Tells of one destination's outages.

    Args:
        destination: Its name.
    """

    def __init__(self, destination: str) -> None:
        self._destination = destination
        self._is_told = False

    def over(self) -> None:
        """Note that the destination answers as it should, so that the next outage is told again."""
        self._is_told = False

    def refused(self, verdict: Verdict, fate: str) -> None:
        """Tell of a failure that somebody has to do something about.

        Args:
            verdict: What the destination said.
            fate: What becomes of the events, in words.
        """
        if self._is_told:
            return
        self._is_told = True
        if verdict.reason == NOT_POSTHOG:
            _log.error(_NOT_POSTHOG, self._destination, fate)
        else:
            _log.error(_REFUSED, self._destination, verdict.reason.replace("_", " ").upper(), fate)
