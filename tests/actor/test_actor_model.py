"""Requests, blocks, spans and items in any order, against a plain model of who acts: under every sampler and lift."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from acting_model import CONSENT, DNT, GPC, USER, WITHHELD, Model, Said, Word
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags
from telemetry import Telemetry

from otel_posthog import set_user, user_context
from otel_posthog.intake import AnalyticsSampler, Lift
from otel_posthog.policy import CollectionPolicy

USERS = ["ada", "bob"]
users, consents = st.sampled_from([None, *USERS]), st.sampled_from([None, None, True, False])
places = st.sampled_from(["here", "here", "thread", "task"])


@st.composite
def saids(draw: Any, *, headers: bool = True) -> Said:
    """Attributes that say who acts, or little or nothing of it."""
    said: Said = {}
    if user := draw(users):
        said[USER] = user
    if (consent := draw(consents)) is not None:
        said[CONSENT] = consent
    if headers and (header := draw(st.sampled_from([None] * 6 + [GPC, DNT]))):
        said[header] = draw(st.sampled_from(["0", "1"]))
    return said


@dataclass(frozen=True)
class Step:
    """One thing that a program does."""

    what: str
    said: Said = field(default_factory=dict)
    user: str | None = None
    consent: bool | None = None
    is_event: bool = False
    place: str = "here"


steps = st.one_of(
    st.builds(Step, st.just("span"), saids(), is_event=st.booleans()),
    st.builds(Step, st.just("block"), user=users, consent=consents),
    st.builds(Step, st.just("close")),
    st.builds(Step, st.just("set_user"), user=users, consent=consents, place=places),
    st.builds(Step, st.just("set"), saids(), place=places),
    st.builds(Step, st.just("log"), saids(), place=places),
    st.builds(Step, st.just("add_event"), saids(headers=False), place=places),
)


def at(place: str, do: Callable[[], object]) -> None:
    """Do something here, in a thread, or in an asyncio task, with the context that is here."""
    if place == "thread":
        thread = threading.Thread(target=contextvars.copy_context().run, args=(do,))
        thread.start()
        thread.join()
    elif place == "task":

        async def run() -> None:
            do()

        async def main() -> None:
            await asyncio.create_task(run())

        asyncio.run(main())
    else:
        do()


class Program:
    """The real thing, and the model beside it."""

    def __init__(self, kind: SpanKind, lift: Lift, inner: Sampler, *, requires: bool, is_remote: bool) -> None:
        self.app = Telemetry(
            sampler=AnalyticsSampler(inner, lift), collection=CollectionPolicy(consent_required=requires)
        )
        self.model = Model(kind is not SpanKind.INTERNAL, requires)
        self._kind, self._lift = kind, lift
        self._open: list[tuple[str, ExitStack]] = []
        self._count = 0
        self._remote = SpanContext(next(TRACE_IDS), 8, is_remote=True, trace_flags=TraceFlags(int(inner is ALWAYS_ON)))
        self._is_remote = is_remote

    def run(self, program: list[Step]) -> None:
        """Do all steps, then close what is open."""
        with self.app:
            for step in program:
                getattr(self, step.what)(step)
            while self._open:
                self.close(Step("close"))

    def name(self) -> str:
        """Return a new name."""
        self._count += 1
        return f"i{self._count}"

    def span(self, step: Step) -> None:
        """Open a span, the first one of the program's kind."""
        name, stack, is_root = self.name(), ExitStack(), not self.model.spans
        given: dict[str, Any] = {**step.said, **({"analytics.event": name} if step.is_event else {})}
        is_marked = any(key.startswith("analytics.") for key in given)
        context = trace.set_span_in_context(NonRecordingSpan(self._remote)) if is_root and self._is_remote else None
        kind = self._kind if is_root else SpanKind.INTERNAL
        span = stack.enter_context(self.app.tracer.start_as_current_span(name, context, kind, attributes=given))
        is_sampled = span.get_span_context().trace_flags.sampled
        is_lifted = is_sampled or self._lift is Lift.ALL or (self._lift is Lift.MARKED and is_marked)
        is_request = is_root and self.model.is_request
        if is_root:
            self.model.record = Word()
        self.model.start(step.said, is_recorded=is_lifted or is_request, is_event=is_lifted and step.is_event)
        self.model.spans[-1].is_silent = is_request and not is_lifted
        self._open.append((name, stack))

    def block(self, step: Step) -> None:
        """Enter a block."""
        stack = ExitStack()
        self.model.enter(step.user, step.consent)
        stack.enter_context(user_context(step.user, consent=step.consent))
        self._open.append(("", stack))

    def close(self, _: Step) -> None:
        """Close what was opened last."""
        if self._open:
            name, stack = self._open.pop()
            if name:
                self.model.end(name)
            else:
                self.model.leave()
            stack.close()

    def set_user(self, step: Step) -> None:
        """Call `set_user`."""
        self.model.set_user(step.user, step.consent)
        at(step.place, lambda: set_user(step.user, consent=step.consent))

    def set(self, step: Step) -> None:
        """Set attributes on the innermost span, one after the other."""
        if self.model.spans:
            for key, value in step.said.items():
                self.model.set(key, value)
                at(step.place, lambda key=key, value=value: trace.get_current_span().set_attribute(key, value))  # type: ignore[misc]

    def log(self, step: Step) -> None:
        """Emit a log-based event."""
        name = self.name()
        self.model.log(name, step.said)
        at(step.place, lambda: self.app.logger.emit(event_name=f"analytics.{name}", attributes=step.said))  # type: ignore[arg-type]

    def add_event(self, step: Step) -> None:
        """Add a span event to the innermost span."""
        if self.model.spans:
            name = self.name()
            self.model.spans[-1].events.append((name, step.said))
            at(step.place, lambda: trace.get_current_span().add_event(f"analytics.{name}", step.said))  # type: ignore[arg-type]


# Of every other one the ratio sampler keeps.
TRACE_IDS = itertools.cycle([7, (1 << 64) - 7])
# A consent of nobody's, and a span about one user that has an event about another.
TWO_AT_ONCE = [
    Step("block", consent=True),
    Step("span", is_event=True),
    Step("set_user", user="bob"),
    Step("add_event", {USER: "ada"}),
]
SAMPLERS = {"on": ALWAYS_ON, "off": ALWAYS_OFF, "ratio": TraceIdRatioBased(0.5)}


@pytest.mark.parametrize("lift", list(Lift))
@pytest.mark.parametrize("sampler", SAMPLERS)
@settings(max_examples=120)
@example(kind=SpanKind.SERVER, requires=True, is_remote=False, program=TWO_AT_ONCE)
@given(
    kind=st.sampled_from([SpanKind.SERVER, SpanKind.SERVER, SpanKind.CONSUMER, SpanKind.INTERNAL]),
    requires=st.booleans(),
    is_remote=st.booleans(),
    program=st.lists(steps, max_size=14),
)
def test_each_item_is_about_whom_the_model_says_or_withheld(
    sampler: str, lift: Lift, kind: SpanKind, program: list[Step], *, requires: bool, is_remote: bool
) -> None:
    """By every entrance, for every kind of item, in threads and tasks."""
    made = Program(kind, lift, SAMPLERS[sampler], requires=requires, is_remote=is_remote)
    made.run(program)
    expected = made.model.outcomes
    sent = {each["event"]: each["distinct_id"] for each in made.app.events}
    assert {name: sent.get(name, WITHHELD) for name in expected} == expected
    assert sent.keys() <= expected.keys()
    withheld = sum(who == WITHHELD for who in expected.values())
    assert made.app.dropped == ({"consent": withheld} if withheld else {})
