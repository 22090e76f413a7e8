"""What both receivers share: who is let in, how much memory a request may take, and the way to the consumer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from otel_posthog.apps.gateway.access import Tokens, is_loopback
from otel_posthog.apps.gateway.consumer import Steps
from otel_posthog.apps.gateway.inflate import inflate
from otel_posthog.apps.gateway.memory import MemoryLimiter, Reservation, Reserve
from otel_posthog.apps.gateway.responses import ExportOutcome, Refusal
from otel_posthog.apps.gateway.scheduler import RETRY_AFTER_S, FairScheduler
from otel_posthog.apps.gateway.settings import Options
from otel_posthog.apps.gateway.telemetry import Telemetry
from otel_posthog.errors import Guard, MalformedTelemetry
from otel_posthog.intake.otlp.protobuf import Kind


class ExportRequest(NamedTuple):
    """A request as it was received.

    Attributes:
        kind: Its signal.
        body: As sent.
        encoding: Its compression.
        is_json: Whether it is JSON; else protobuf.
    """

    kind: Kind
    body: bytes
    encoding: str
    is_json: bool = False


class RequestConsumer(Protocol):
    """What a service does with requests."""

    @property
    def kinds(self) -> Mapping[str, Kind | None]:
        """What is read, by signal; None is acknowledged and not kept."""

    @property
    def is_ready(self) -> bool:
        """Whether requests would be taken, as far as is known."""

    def consume_proto(self, body: bytes, kind: Kind, reserve: Reserve) -> Steps:
        """Take an export request in protobuf."""

    def consume_json(self, body: bytes, kind: Kind, reserve: Reserve) -> Steps:
        """Take an export request in JSON."""


class Service:
    """Takes requests of both receivers.

    Args:
        options: The command line's.
        tokens: Who may send.
        consumer: Takes the requests.
        telemetry: Gets what happened.
        guard: Counts errors of ours.
    """

    def __init__(
        self, options: Options, tokens: Tokens, consumer: RequestConsumer, telemetry: Telemetry, guard: Guard
    ) -> None:
        self.options, self.consumer, self.telemetry = options, consumer, telemetry
        self.scheduler = FairScheduler()
        # Who shows a token was given it; a page from elsewhere was not.
        self.checks_host = is_loopback(options.host) and not len(tokens)
        self._tokens, self._guard = tokens, guard
        self._limiter, self._requests = MemoryLimiter(options.max_waiting_bytes), 0

    @contextmanager
    def admitted(self, authorization: str | None, host: str, port: int, where: str) -> Iterator[Reservation]:
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
            with Reservation(self._limiter, sender) as memory:
                yield memory
        finally:
            self._requests -= 1

    async def export(
        self, request: ExportRequest, memory: Reservation, timeout_s: float | None = None
    ) -> ExportOutcome:
        """Hand a received request to the consumer, and return its outcome.

        Args:
            request: The request.
            memory: What reading it may take.
            timeout_s: How long its sender waits, where that is known.

        Raises:
            Refusal: It cannot be read, or its events are not on disk in time.
        """
        outcome = await self.outcome(request, memory, self.deadline(timeout_s))
        self.telemetry.exported(outcome)
        if not outcome.is_kept:
            raise Refusal(503, "the events cannot be kept now", retry_after_s=RETRY_AFTER_S)
        return outcome

    def deadline(self, timeout_s: float | None) -> float:
        """Return until when a request is worked on, for a sender who waits so long; of `time.monotonic`."""
        allowed_s = self.options.work_timeout_s if timeout_s is None else min(timeout_s, self.options.work_timeout_s)
        return time.monotonic() + allowed_s

    async def outcome(self, request: ExportRequest, memory: Reservation, deadline: float) -> ExportOutcome:
        """Have the consumer work on a request, in turn with others, and return what it says."""
        return await asyncio.wrap_future(self.scheduler.submit(memory.sender, self._steps(request, memory), deadline))

    async def close(self) -> None:
        """Do what is queued, and end."""
        await asyncio.to_thread(self.scheduler.close)

    def failed(self, error: Exception) -> Refusal:
        """Count an error of the gateway's own, and return the refusal that answers its request."""
        self._guard.caught("gateway", error)
        return Refusal(503, "an error of the gateway's own", retry_after_s=RETRY_AFTER_S)

    def _steps(self, request: ExportRequest, memory: Reservation) -> Steps:
        inflated = inflate(request.body, request.encoding, self.options.max_inflated_bytes, memory.reserve)
        yield
        consume = self.consumer.consume_json if request.is_json else self.consumer.consume_proto
        try:
            return (yield from consume(inflated, request.kind, memory.reserve))
        except MalformedTelemetry as error:
            raise Refusal(400, str(error)) from None
