"""An event depends on the sampling decision in the one property that says it, and not on how that is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from decisions import SAMPLERS, App, app
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord
from opentelemetry.sdk.trace import SpanLimits
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Sampler,
)
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

import otel_posthog
from otel_posthog.sdk import LightSpan


class BrokenError(Exception):
    """What a program raises."""


@dataclass(frozen=True)
class Node:
    """A span of a made-up program: how it starts, and what happens in it."""

    name: str
    kind: SpanKind
    attributes: dict[str, Any] | None
    steps: tuple[Any, ...]
    is_linked: bool = False
    user: str | None = None

    def run(self, made: App) -> None:
        """Run it and what is inside; what it raises stays here."""
        links = [Link(SpanContext(5, 6, is_remote=True), {"k": "v"})] if self.is_linked else ()
        given = None if self.attributes is None else dict(self.attributes)
        try:
            around = otel_posthog.user_context(self.user)
            with around, made.tracer.start_as_current_span(self.name, None, self.kind, given, links) as span:
                made.kinds.append(type(span))
                if given:
                    given.clear()  # as Flask does
                    given["analytics.property.late"] = "no"
                for step in self.steps:
                    _do(step, made, span)
        except BrokenError:
            pass


def look(span: Any) -> tuple[Any, ...]:
    """Return all that can be read of a span."""
    lists = [(each.context, dict(each.attributes or {})) for each in span.links], [each.name for each in span.events]
    dropped = span.dropped_attributes, span.dropped_events, span.dropped_links
    status = span.status.status_code, span.status.description
    about = span.name, span.kind, span.parent, span.resource, span.instrumentation_scope, span.is_recording()
    return (*about, *lists, *dropped, *status, dict(span.attributes))


def _do(step: Any, made: App, span: Any) -> None:
    if isinstance(step, Node):
        step.run(made)
        return
    what, *given = step
    if what == "raise":
        raise BrokenError(*given)
    if what == "record":
        span.record_exception(ValueError("no mail to ada@example.org"), attributes={"free_text": "x"})
    elif what == "status":
        span.set_status(*given)
    elif what == "log":
        made.logger.emit(
            LogRecord(timestamp=AT_NS, observed_timestamp=AT_NS, event_name="analytics.logged", attributes=given[0])
        )
    elif what == "look":
        made.looks.append(look(span))
    elif what == "set_user":
        otel_posthog.set_user(given[0])
    else:
        getattr(span, what)(*given)


AT_NS = 1_700_000_000_000_000_777
KEYS = (
    "analytics.event", "analytics.property.plan", "analytics.property.free_text", "analytics.property.count",
    "analytics.user.id", "user.id", "enduser.id", "analytics.session.id", "analytics.group.company",
    "analytics.consent", "http.request.header.sec_gpc", "http.request.header.dnt", "db.operation.name", "plain",
    "other",
)  # fmt: skip
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "analytics.event": st.sampled_from(["ticket_created", "seen", "", 7]),
    "analytics.consent": st.booleans(),
    "http.request.header.sec_gpc": st.sampled_from([("1",), ["1"], "0", ("0",)]),
    "http.request.header.dnt": st.sampled_from([("1",), ("0",)]),
    "db.operation.name": st.sampled_from(["INSERT", "SELECT"]),
    "analytics.property.free_text": st.sampled_from(["call ada@example.org", "text of some length, which is cut", "a"]),
}
ANY = st.sampled_from(["ada", "bob", 1, 2.5, True, None, ["x", "y"], b"raw", [1, "x"], object, "x" * 40])


@st.composite
def attributes(draw: st.DrawFn) -> dict[str, Any]:
    """Return attributes of an app: marks, identities, objections, plain ones, and such as the SDK refuses."""
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=5, unique=True))
    mark = {"analytics.event": "seen"} if draw(st.booleans()) else {}
    return {**mark, **{key: draw(VALUES.get(key, ANY)) for key in keys}}


ONE = attributes().filter(bool).map(lambda found: next(iter(found.items())))
EVENT_NAMES = st.sampled_from(["analytics.seen", "note", "plain", "exception"])
STATUSES = st.sampled_from([
    (StatusCode.ERROR, "why"), (StatusCode.OK,), (StatusCode.UNSET,), (Status(StatusCode.ERROR, "no"),),
    (Status(StatusCode.OK), "ignored"),
])  # fmt: skip
STEPS: st.SearchStrategy[Any] = st.one_of(
    ONE.map(lambda pair: ("set_attribute", *pair)),
    attributes().map(lambda found: ("set_attributes", found)),
    st.tuples(st.just("add_event"), EVENT_NAMES, st.none() | attributes()),
    st.tuples(st.just("add_event"), EVENT_NAMES, attributes(), st.just(1_700_000_000_000_000_001)),
    st.just(("record",)),
    st.tuples(st.just("raise"), st.text(max_size=5)),
    STATUSES.map(lambda given: ("status", given[0], *given[1:])),
    st.sampled_from(["new", "other name"]).map(lambda name: ("update_name", name)),
    st.just(("add_link", SpanContext(8, 9, is_remote=True), {"k": 1})),
    st.just(("look",)),
    attributes().map(lambda found: ("log", found)),
    st.sampled_from(["eve", "ada"]).map(lambda who: ("set_user", who)),
    st.just(("end",)),
)


def nodes(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return spans with these steps in them."""
    return st.builds(
        Node,
        st.sampled_from(["a", "bb", "ccc"]),
        st.sampled_from(list(SpanKind)),
        st.none() | attributes(),
        st.lists(inside, max_size=5).map(tuple),
        st.booleans(),
        st.sampled_from([None, None, "ada", "bob"]),
    )


PROGRAMS = st.lists(nodes(STEPS | nodes(STEPS | nodes(STEPS))), min_size=1, max_size=3)
MODES = st.sampled_from(["identified", "installation", "unlinked"])
TIGHT = SpanLimits(max_span_attributes=4, max_events=2, max_event_attributes=2, max_span_attribute_length=20)


def run(program: Sequence[Node], sampler: Sampler, **given: Any) -> App:
    """Return the app in which a program has run."""
    with app(sampler, **given) as made:
        for node in program:
            node.run(made)
        return made


@settings(max_examples=40)
@given(program=PROGRAMS, mode=MODES, limits=st.sampled_from([None, TIGHT]), rules=st.booleans())
def test_an_events_bytes_depend_on_the_decision_only_where_they_say_it(
    program: list[Node], mode: str, limits: SpanLimits | None, rules: bool
) -> None:
    """Under every sampler, light or whole: nested spans, events, exceptions, identities, objections, limits."""
    how: dict[str, Any] = {"mode": mode, "rules": rules, "limits": limits}
    expected = run(program, ALWAYS_ON, light=False, **how).undecided
    for name, sampler in SAMPLERS.items():
        light, whole = (run(program, sampler, light=each, **how) for each in (True, False))
        assert light.undecided == expected, name
        assert light.bodies == whole.bodies, name
        assert light.looks == whole.looks
        assert LightSpan not in whole.kinds
    assert {each is LightSpan for each in run(program, ALWAYS_OFF).kinds} == {True}


EVENT = {"analytics.event": "seen"}
WHERE = ("start", "set_attribute", "set_attributes")


def said(where: str, pairs: dict[str, Any]) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """Return the attributes at a span's start, and the steps in it, that say `pairs` there."""
    if where == "start":
        return pairs, ()
    if where == "set_attributes":
        return {}, (("set_attributes", pairs),)
    return {}, tuple(("set_attribute", key, value) for key, value in pairs.items())


@pytest.mark.parametrize("rules", [True, False])
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("key", KEYS)
def test_each_key_counts_wherever_it_is_said(key: str, where: str, rules: bool) -> None:
    """On a request, on an event, and on a span between both; at its start, alone and with others."""
    for value in ("ada", "INSERT", "0", ("1",), False, 7):
        for place in range(3):
            texts = [({"plain": 1}, (("set_attribute", "plain", 2),)) for _ in range(3)]
            texts[place] = said(where, {"plain": 1, key: value, "other": "x"})
            leaf = Node("a", SpanKind.INTERNAL, texts[2][0], (*texts[2][1], ("set_attributes", EVENT)))
            between = Node("bb", SpanKind.CLIENT, texts[1][0], (*texts[1][1], leaf))
            request = Node("ccc", SpanKind.SERVER, texts[0][0], (*texts[0][1], between, ("set_attributes", EVENT)))
            expected = run([request], ALWAYS_ON, rules=rules)
            found = run([request], ALWAYS_OFF, rules=rules)
            assert found.undecided == expected.undecided, (value, place)
            assert LightSpan in found.kinds


@pytest.mark.parametrize("where", WHERE)
def test_limits_evict_what_they_would_of_the_sdks_span(where: str) -> None:
    """The oldest attribute, an over-long text, the oldest event: for all that is set before and after a look."""
    plain = {"a": 1, "b": "x" * 40, "c": 3}
    first, steps = said(where, plain)
    again = (("set_attribute", "a", 2), ("set_attribute", "d", 4), ("set_attribute", "e", 5))
    events = tuple(("add_event", "analytics.seen", {"analytics.property.count": n}, AT_NS + n) for n in range(5))
    for order in ((*steps, *again), (*steps, ("look",), *again), (*again, *steps), (*steps, *again, *events)):
        program = [Node("a", SpanKind.SERVER, first, (*order, ("look",)))]
        light, whole = (run(program, ALWAYS_OFF, light=each, rules=False, limits=TIGHT) for each in (True, False))
        assert light.looks == whole.looks
        assert light.bodies == whole.bodies
        assert len(light.bodies) == sum(each in events for each in order)


@pytest.mark.parametrize("where", WHERE)
def test_rules_read_what_nobody_has_marked(where: str) -> None:
    """A child's waiting attributes and a status make events, and nothing else of these spans does."""
    first, steps = said(where, {"db.operation.name": "INSERT"})
    child = Node("a", SpanKind.INTERNAL, first, steps)
    failed = Node("a", SpanKind.CLIENT, {"plain": 1}, (("status", StatusCode.ERROR),))
    for request, names in (
        (Node("r", SpanKind.SERVER, {"plain": 1}, (child,)), ["post_created"]),
        (Node("r", SpanKind.SERVER, {"plain": 1}, (failed,)), ["call_failed"]),
    ):
        for sampler in (ALWAYS_ON, ALWAYS_OFF):
            assert [each.name for each in run([request], sampler).signals] == names
