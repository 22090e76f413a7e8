"""A journey in one block, and its steps: what the app says of them, as spans and log-based events.

An event is emitted at once, inside the span that it is about, and does not wait for that to end: a process that dies
leaves a journey that was begun and is not done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Literal, NamedTuple

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span

from otel_posthog.actor import block_identity
from otel_posthog.emit.record import emit, ids
from otel_posthog.journeys.ids import Kept, is_of_trace, new_id
from otel_posthog.journeys.inside import Inside, caught, start_span
from otel_posthog.journeys.words import OTHER, type_name, word
from otel_posthog.values import Id

ERROR, CANCELLED = "error", "cancelled"
"""Reasons of ours: the block raised, or was ended from outside."""

COMPLETED, ABANDONED, PAUSED = "completed", "abandoned", "paused"
"""How a block of a journey ends, as its span says it."""

_KEY = context_api.create_key("otel-posthog-journey")
_MS_PER_S, _NS_PER_MS, _NS_PER_S = 1000, 10**6, 10**9


class _Failure(NamedTuple):
    """What a step raised, without its message and its frames."""

    identity: int
    error_type: str
    reason: str


class Journey:
    """A journey in one block; it may have begun elsewhere, and go on elsewhere.

    Any thread may use it. Nothing is raised into the program, and what is said after its end says nothing.

    Args:
        name: A plain word.
        steps: The names of all its steps, in order, where the app knows them.
        distinct_id: Who goes it, where that is not who acts.

    Attributes:
        name: The name.
        id: What to keep, to go on with it in another request or process.
        span: Its span in this block.
    """

    def __init__(self, name: str, steps: Iterable[str] = (), distinct_id: Id | None = None) -> None:
        self.name, self.id = name, ""
        self.span: Span = INVALID_SPAN
        self._steps, self._who = tuple(steps), ids(user_id=distinct_id)
        self._inside: Inside | None = None
        self._outcome = ""
        self._is_resumed = False
        self._began_ns: int | None = None
        self._tries: dict[str, int] = {}
        self._at: str | None = None
        self._failure: _Failure | None = None
        self._lock = threading.Lock()

    def step(self, name: str) -> Step:
        """Return a step: `with journey.step("profile"):`, or `async with`.

        A step that raises is not done. Where none is done after it, the journey is abandoned there as its block ends.

        Args:
            name: A plain word.
        """
        return Step(self, word(name))

    def complete(self) -> None:
        """Say that it is done, before its block ends."""
        if self._end(COMPLETED):
            taken = None if self._is_resumed else len(self._tries)
            self._tell("journey_completed", step_count=taken, duration_s=self._duration_s())

    def abandon(self, reason: str = OTHER) -> None:
        """Say that somebody left on the way.

        Args:
            reason: Why, in a plain word of a few that the app has (`no_card`); anything else is `other`.
        """
        self._abandon(word(reason), None)

    def pause(self) -> str:
        """Say that it goes on elsewhere: the end of this block, also by an error, is not its end.

        Returns:
            The id to keep, for `journey(..., resume=...)`.
        """
        self._end(PAUSED)
        return self.id

    def begin(self, resumed: Kept | None, own: Kept | None, entry_point: str | None) -> None:
        """Begin as the block is entered.

        Args:
            resumed: The id of a journey that was begun elsewhere.
            own: The id that the app has for it.
            entry_point: Where it begins.
        """
        now_ns, around = time.time_ns(), context_api.get_current()
        link = None if resumed is None or is_of_trace(resumed, around) else resumed.link
        self.span = start_span(f"journey {self.name}", around, {"journey.name": self.name}, [link] if link else ())
        known = resumed or own
        self.id = known.id if known else new_id(self.span, now_ns)
        self._is_resumed = resumed is not None
        self._began_ns = resumed.began_ns if resumed else now_ns
        self._inside = Inside(self.span, self._within(around))
        if resumed is None:
            self._tell("journey_started", entry_point=entry_point, step_count=len(self._steps) or None)

    def leave(self, error: BaseException | None) -> None:
        """End the block.

        Args:
            error: What it raised, if anything.
        """
        failure = self._failure
        try:
            if error is not None:
                failure = _failure(error)
            if failure is not None and not self._outcome:
                self._abandon(failure.reason, failure.error_type)
            elif not self._outcome:
                self.complete()
            self.span.set_attribute("journey.outcome", self._outcome)
        except Exception as fault:
            caught(fault)
        entered, self._inside = self._inside, None
        if entered is not None:
            # A step has recorded what was raised in it.
            entered.leave(error, is_recorded=failure != self._failure)

    def enter_step(self, step: str) -> Context | None:
        """Return the context for a step that begins; None outside of a block."""
        if self._inside is None:
            return None
        with self._lock:
            self._tries[step] = self._tries.get(step, 0) + 1
            self._at = step
        here = context_api.get_current()
        if here.get(_KEY) is self:
            return here
        # Another thread's: with who acts in it, where that is said there.
        return self._within(self._inside.context if block_identity(here) is None else here)

    def leave_step(self, step: str, took_s: float, error: BaseException | None) -> None:
        """Tell of a step that is done, or keep what it raised."""
        with self._lock:
            self._failure = None if error is None else _failure(error)
        if error is None and self._outcome in {"", PAUSED}:
            self._tell(
                "journey_step_completed",
                step=step,
                step_number=self._number(step),
                step_count=len(self._steps) or None,
                attempt_count=self._tries[step],
                duration_ms=round(took_s * _MS_PER_S, 3),
            )

    def _end(self, outcome: str) -> bool:
        """Return whether it ends so: what is said first counts, but of what is paused more may be said."""
        with self._lock:
            if self._inside is None or self._outcome not in {"", PAUSED}:
                return False
            self._outcome = outcome
        return True

    def _abandon(self, reason: str, error_type: str | None) -> None:
        if self._end(ABANDONED):
            at = self._at
            self._tell(
                "journey_abandoned",
                step=at,
                step_number=None if at is None else self._number(at),
                reason=reason,
                error_type=error_type,
                duration_s=self._duration_s(),
            )

    def _tell(self, event: str, **told: object) -> None:
        properties = {"journey": self.name, **{key: value for key, value in told.items() if value is not None}}
        if self._inside is None or context_api.get_current().get(_KEY) is self:
            self._emit(event, properties)
            return
        token = context_api.attach(self._inside.context)
        try:
            self._emit(event, properties)
        finally:
            context_api.detach(token)

    def _emit(self, event: str, properties: dict[str, object]) -> None:
        parts = (("property.", properties), ("", {**self._who, "journey.id": self.id}))
        emit(event, parts, timestamp=None, uuid=None)

    def _within(self, context: Context) -> Context:
        return context_api.set_value(_KEY, self, trace.set_span_in_context(self.span, context))

    def _duration_s(self) -> float | None:
        return None if self._began_ns is None else round(max(0, time.time_ns() - self._began_ns) / _NS_PER_S, 3)

    def _number(self, step: str) -> int | None:
        """Return which step it is, from 1; None where that is not known in this block."""
        if self._steps:
            return self._steps.index(step) + 1 if step in self._steps else None
        return None if self._is_resumed else list(self._tries).index(step) + 1


class Step:
    """A step of a journey, for one `with` or `async with`.

    Args:
        journey: The journey.
        name: A plain word.
    """

    def __init__(self, journey: Journey, name: str) -> None:
        self._journey, self._name = journey, name
        self._inside: Inside | None = None
        self._began_s = 0.0

    def __enter__(self) -> Span:
        context = self._journey.enter_step(self._name)
        if context is None:
            return INVALID_SPAN
        attributes = {"journey.name": self._journey.name, "journey.step": self._name}
        span = start_span(f"journey {self._journey.name}: {self._name}", context, attributes)
        self._inside = Inside(span, trace.set_span_in_context(span, context))
        self._began_s = time.monotonic()
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        inside, self._inside = self._inside, None
        if inside is not None:
            try:
                self._journey.leave_step(self._name, time.monotonic() - self._began_s, error)
            except Exception as fault:
                caught(fault)
            inside.leave(error)
        return False

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        return self.__exit__(kind, error, traceback)


def current_journey() -> Journey:
    """Return the journey of the block that this is called in; outside of one, a journey that does nothing.

    It follows `await`, and goes into threads that get the context.
    """
    found = context_api.get_value(_KEY)
    return found if isinstance(found, Journey) else Journey(OTHER)


def _failure(error: BaseException) -> _Failure:
    return _Failure(id(error), type_name(error), ERROR if isinstance(error, Exception) else CANCELLED)
