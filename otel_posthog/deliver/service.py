"""One attempt to have PostHog take a batch: the request is built, posted and timed, and the response read.

Comes in: a batch. Goes out: a `Verdict`; whatever the network does becomes one. It waits for nothing but the response,
keeps no event and repeats nothing: what a verdict asks for is done by the retry queue. Runs on the sending thread.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from datetime import datetime

from otel_posthog.deliver.batch import Batch
from otel_posthog.deliver.transport import HttpTransport, TlsError, Transport, TransportError
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.policy import CaptureMode, Compression, DeliveryPolicy, Destination
from otel_posthog.posthog.requests import Attempt, Request, ingestion_url, v0_request, v1_request
from otel_posthog.posthog.responses import TLS, Action, Verdict, judge

_log = logging.getLogger("otel_posthog")

# After a 404, which a proxy may have said in passing (posthog-python retries it for that reason), V1 is tried again.
V1_AGAIN_S = 3600.0


class PostHogService:
    """The endpoints of one destination, of which Capture V1 may be missing.

    Args:
        destination: Its key and host.
        policy: How requests are made.
        health: Told how long requests take.
        guard: Keeps errors of ours out of the host app.
        transport: The network.
        now: The time, in UTC.
    """

    def __init__(  # noqa: PLR0913 - what an attempt takes
        self,
        destination: Destination,
        policy: DeliveryPolicy,
        health: Health,
        guard: Guard,
        *,
        transport: Transport | None,
        now: Callable[[], datetime],
    ) -> None:
        self._destination, self._policy, self._health, self._guard = destination, policy, health, guard
        self._transport: Transport = transport or HttpTransport()
        self._now, self._url = now, ingestion_url(destination.host)
        self._v1_from = 0.0 if destination.capture_mode is not CaptureMode.V0 else math.inf

    def reset_after_fork(self) -> None:
        """Leave the connections to the parent."""
        self._transport.reset_after_fork()

    def attempt(self, batch: Batch, timeout_s: Callable[[float], float]) -> Verdict:
        """Make one attempt at `batch` and return what its response means.

        Args:
            batch: The batch; the attempt is counted in it.
            timeout_s: Given the longest that a request may take, returns how long this one may.
        """
        batch.attempts += 1
        is_v1 = time.monotonic() >= self._v1_from
        request = (v1_request if is_v1 else v0_request)(self._attempt_of(batch), self._destination.api_key or "")
        started = time.monotonic()
        verdict = self._post(request, timeout_s, is_v1=is_v1)
        self._observe(verdict, time.monotonic() - started)
        if verdict.action is Action.FALL_BACK:
            self._v1_from = time.monotonic() + V1_AGAIN_S
            _log.info("destination %s has no Capture V1: /batch/ is used", self._destination.name)
        return verdict

    def _attempt_of(self, batch: Batch) -> Attempt:
        return Attempt(
            batch.events,
            batch.request_id,
            batch.created_at,
            sent_at=self._now().isoformat(),
            number=batch.attempts,
            is_compressed=self._policy.compression is Compression.GZIP,
            is_historical=self._policy.historical_migration,
        )

    def _post(self, request: Request, timeout_s: Callable[[float], float], *, is_v1: bool) -> Verdict:
        try:
            longest_s = timeout_s(self._policy.request_timeout_s)
            response = self._transport.post(self._url + request.path, request.headers, request.body, longest_s)
        except TlsError as error:
            return Verdict(Action.PAUSE, TLS, detail=str(error))
        except TransportError as error:
            return Verdict(Action.RETRY, f"network_{error}")
        except Exception as error:
            # Whatever a transport fails with, the events are not to blame.
            self._guard.caught("transport", error)
            return Verdict(Action.RETRY, "error_in_transport")
        return judge(
            response,
            is_v1=is_v1,
            now=self._now(),
            can_fall_back=is_v1 and self._destination.capture_mode is CaptureMode.AUTO,
            accepts_any_2xx=self._destination.accept_any_2xx,
        )

    def _observe(self, verdict: Verdict, duration_s: float) -> None:
        """Have the request counted, whose events a listener that fails must not cost."""
        try:
            self._health.delivery(duration_s, verdict.action.value)
        except Exception as error:
            self._guard.caught("delivery_listener", error)
