"""What the sender learns from refusals: to go slower, and to ask for less at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import uniform

from otel_posthog.policy import DeliveryPolicy

# One bad event in a batch of 100 is found after at most 8 refusals; a server that refuses everything says so 4 times a
# second.
BURST, PER_SECOND = 16.0, 4.0
# The shortest backoff, as a share of the longest at that attempt: PostHog expects 0.1 s before a first repeat, which is
# this share of the default `retry_initial_s`.
LEAST_JITTER = 0.2


def backoff_s(policy: DeliveryPolicy, attempts: int) -> float:
    """Return how long to wait after `attempts` of them: full jitter below a ceiling that doubles."""
    # The exponent is bounded so that the power stays a float however long an outage lasts.
    ceiling = min(policy.retry_max_s, policy.retry_initial_s * 2.0 ** min(attempts - 1, 32))
    return uniform(LEAST_JITTER * ceiling, ceiling)  # noqa: S311 - spreads load, keeps no secret


class Pace:
    """A token bucket of refusals, so that a batch that is halved again and again never floods the server.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left, self._at = BURST, clock()

    def delay_s(self) -> float:
        """Take one refusal from the bucket; return how long to wait before the next request."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND) - 1.0
        self._at = now
        return max(0.0, -self._left / PER_SECOND)


# Requests that are taken before the server is asked whether it takes larger ones by now.
ACCEPTED_BEFORE_GROWTH = 200


class BatchSize:
    """How many bytes of events a request may have: half of what was too large, and slowly up again.

    A proxy with a limit below PostHog's own would otherwise refuse every batch once.

    Args:
        most_bytes: The policy's `max_batch_bytes`.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = self.max_bytes = most_bytes
        self._accepted = 0

    def refused(self, size_bytes: int, *, is_too_large: bool) -> None:
        """Note that a request with `size_bytes` of events was refused."""
        if is_too_large:
            self._accepted = 0
            self.max_bytes = min(self.max_bytes, max(1, size_bytes // 2))

    def accepted(self) -> None:
        """Note that a request was taken."""
        self._accepted += 1
        if self._accepted >= ACCEPTED_BEFORE_GROWTH:
            self._accepted = 0
            self.max_bytes = min(self._most_bytes, self.max_bytes * 2)
