"""What both doors of a worker work with, and do alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from otel_posthog.apps.gateway.budget import Budget, Share
from otel_posthog.apps.gateway.inflate import inflate
from otel_posthog.apps.gateway.options import Options
from otel_posthog.apps.gateway.receiver import Receiver, Steps, Taken
from otel_posthog.apps.gateway.refusal import Refusal
from otel_posthog.apps.gateway.telemetry import Telemetry
from otel_posthog.apps.gateway.tokens import Tokens, is_loopback
from otel_posthog.apps.gateway.turns import RETRY_AFTER_S, Turns
from otel_posthog.errors import Guard, MalformedTelemetry
from otel_posthog.intake.otlp_proto import Kind


class Sent(NamedTuple):
    """A request as it was received.

    Attributes:
        kind: Traces or logs.
        body: As sent.
        encoding: Its compression.
        is_json: Whether it is JSON; else protobuf.
    """

    kind: Kind
    body: bytes
    encoding: str
    is_json: bool = False


class Service:
    """What a worker is made of.

    Args:
        options: The command line's.
        tokens: Who may send.
        receiver: Takes the requests.
        telemetry: Gets what happened.
        guard: Counts errors of ours.
    """

    def __init__(
        self, options: Options, tokens: Tokens, receiver: Receiver, telemetry: Telemetry, guard: Guard
    ) -> None:
        self.options, self.receiver, self.telemetry = options, receiver, telemetry
        self.turns = Turns()
        # Whoever shows a token was told it; a page of elsewhere was not.
        self.checks_host = is_loopback(options.host) and not len(tokens)
        self._tokens, self._guard = tokens, guard
        self._budget, self._requests = Budget(options.max_waiting_bytes), 0

    @contextmanager
    def admitted(self, authorization: str | None, host: str, port: int, where: str) -> Iterator[Share]:
        """Let a request in by its headers, before anything of its body is received.

        Args:
            authorization: The header.
            host: The peer's address.
            port: The peer's.
            where: What the header is called there.

        Raises:
            Refusal: It shows no token, or there are too many others.
        """
        token = self._tokens.number(authorization)
        if token is None:
            raise Refusal(401, f"a bearer token that this gateway knows is needed in the {where}")
        if self._requests >= self.options.max_connections:
            raise Refusal(503, "too many requests are being received at once", retry_after_s=1)
        # The programs of one machine have one address.
        sender = f"{token} {host}" + (f" {port}" if is_loopback(host) else "")
        self._requests += 1
        try:
            with Share(self._budget, sender) as share:
                yield share
        finally:
            self._requests -= 1

    async def take(self, sent: Sent, share: Share, timeout_s: float | None = None) -> Taken:
        """Return what became of a request that was received.

        Args:
            sent: The request.
            share: What it may take of memory.
            timeout_s: How long its sender waits, where that is known.

        Raises:
            Refusal: It cannot be read, or its events are not on disk in time.
        """
        allowed_s = self.options.work_timeout_s if timeout_s is None else min(timeout_s, self.options.work_timeout_s)
        future = self.turns.submit(share.sender, self._steps(sent, share), time.monotonic() + allowed_s)
        taken = await asyncio.wrap_future(future)
        self.telemetry.taken(taken)
        if not taken.is_kept:
            raise Refusal(503, "the events cannot be kept now", retry_after_s=RETRY_AFTER_S)
        return taken

    def failed(self, error: Exception) -> Refusal:
        """Return what a request is answered that failed by a fault of ours, which is counted."""
        self._guard.caught("gateway", error)
        return Refusal(503, "an error of the gateway's own", retry_after_s=RETRY_AFTER_S)

    def _steps(self, sent: Sent, share: Share) -> Steps:
        inflated = inflate(sent.body, sent.encoding, self.options.max_inflated_bytes, share.take)
        yield
        take = self.receiver.take_json if sent.is_json else self.receiver.take_proto
        try:
            return (yield from take(inflated, sent.kind, share.take))
        except MalformedTelemetry as error:
            raise Refusal(400, str(error)) from None
