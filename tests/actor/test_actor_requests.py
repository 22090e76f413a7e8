"""The record of a request: what reaches it, what it reaches, and that it costs no memory and shows nowhere."""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, TraceState
from telemetry import Telemetry

from otel_posthog import set_user, user_context
from otel_posthog.actor import Scope, context, statement
from otel_posthog.actor.scope import MAX_DEPTH
from otel_posthog.actor.statement import MAX_IDS
from otel_posthog.intake import AnalyticsSampler, Lift, SpanIntake
from otel_posthog.policy import IdentityMode

GPC = "http.request.header.sec_gpc"
PRODUCT = {"analytics.event": "e"}


@pytest.fixture(params=["none", "on, all", "off, all", "off, marked", "off, off"])
def app(request: pytest.FixtureRequest) -> Iterator[Telemetry]:
    """An app's telemetry, without a sampler of ours and with each."""
    sampled, _, lift = request.param.partition(", ")
    sampler = AnalyticsSampler(ALWAYS_ON if sampled == "on" else ALWAYS_OFF, lift) if lift else None
    with Telemetry(sampler=sampler) as made:
        yield made


def request_in(app: Telemetry, **attributes: Any) -> Any:
    """Open a request."""
    return app.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes=attributes)


def log(app: Telemetry, name: str = "e", **attributes: Any) -> None:
    """Emit a log-based event."""
    app.logger.emit(event_name=f"analytics.{name}", attributes=attributes)


@pytest.mark.parametrize("mode", [IdentityMode.IDENTIFIED, IdentityMode.ANONYMOUS])
def test_what_a_middleware_says_reaches_the_servers_own_span(mode: IdentityMode) -> None:
    """It lies below the instrumentation, whose span started before and ends after the block."""
    with Telemetry(mode) as app:
        with request_in(app), user_context("u-1", consent=False):
            trace.get_current_span().set_attribute("analytics.event", "denied")
            trace.get_current_span().add_event("analytics.noted")
            log(app)
        with request_in(app), user_context("u-2"):
            trace.get_current_span().set_attribute("analytics.event", "sent")
            trace.get_current_span().add_event("analytics.noted")
            log(app)
    assert app.dropped == {"consent": 3}
    known_as = "u-2" if mode is IdentityMode.IDENTIFIED else "installation-1"
    assert {each["event"]: each["distinct_id"] for each in app.events} == dict.fromkeys(
        ("sent", "noted", "e"), known_as
    )


@pytest.mark.parametrize("at_start", [True, False])
@pytest.mark.parametrize(("key", "value"), [("analytics.consent", False), (GPC, ("1",)), ("analytics.user.id", "u-1")])
def test_what_the_servers_span_says_reaches_all_that_is_inside(
    key: str, value: Any, *, at_start: bool, app: Telemetry
) -> None:
    """A log-based event, a span inside and what is inside that: whenever it is said, whether anything is sampled."""
    with request_in(app, **({key: value} if at_start else {})) as server:
        server.set_attribute(key, value)
        log(app)
        with app.tracer.start_as_current_span("inside", attributes={"analytics.event": "span"}):
            log(app)
    assert {each["distinct_id"] for each in app.events} == ({"u-1"} if key == "analytics.user.id" else set())


def test_a_denial_among_128_attributes_is_not_evicted(app: Telemetry) -> None:
    """The SDK drops the oldest attribute; what was said was said. On a request's span, and on one inside it."""
    for kind in (SpanKind.SERVER, SpanKind.INTERNAL):
        with app.tracer.start_as_current_span("op", kind=kind, attributes=PRODUCT) as span:
            if not span.is_recording():
                continue
            span.set_attributes({"analytics.consent": False, "n": 1})
            for number in range(130):
                span.set_attribute(f"k{number}", number)
            log(app)
    assert app.events == []


def test_outside_of_a_request_nothing_is_said_and_that_is_told_once(
    app: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there is no span, and in one of no request: blocks and attributes alone count."""
    context._log_no_request.cache_clear()
    with app.tracer.start_as_current_span("job"):
        assert not set_user("u-1", consent=False)
        log(app)
    assert not set_user("u-1")
    log(app)
    assert {each["distinct_id"] for each in app.events} == {"installation-1"}
    assert len([each for each in caplog.records if "set_user() was called" in each.getMessage()]) == 1


def test_each_local_root_is_a_request_of_its_own(app: Telemetry) -> None:
    """A service that calls itself: the trace is one, the users are two."""
    flags = TraceFlags(TraceFlags.SAMPLED)
    with request_in(app) as caller:
        set_user("caller", consent=False)
        caller_context = caller.get_span_context()
        remote = SpanContext(caller_context.trace_id, caller_context.span_id, is_remote=True, trace_flags=flags)
        below = trace.set_span_in_context(NonRecordingSpan(remote))
        with app.tracer.start_as_current_span("called", below, SpanKind.CONSUMER):
            log(app, "before")
            set_user("called")
            log(app, "after")
        log(app, "caller")
    assert {each["event"]: each["distinct_id"] for each in app.events} == {
        "before": "installation-1",
        "after": "called",
    }


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.CONSUMER])
def test_a_server_span_inside_the_request_is_no_request(kind: SpanKind, app: Telemetry) -> None:
    """A framework inside another: who logs in there logs in for both."""
    with request_in(app):
        with app.tracer.start_as_current_span("mounted", kind=kind):
            assert set_user("u-1")
        log(app)
    assert app.only["distinct_id"] == "u-1"


def test_a_span_context_handed_on_by_itself_leads_to_the_request() -> None:
    """As programs do that start threads: a span made of another one's context; and one of a provider of their own."""
    other = TracerProvider(shutdown_on_exit=False).get_tracer("other")
    with Telemetry(sampler=AnalyticsSampler(ALWAYS_ON)) as app, request_in(app, **{GPC: "1"}) as server:
        alone = trace.set_span_in_context(NonRecordingSpan(server.get_span_context()), Context())
        app.logger.emit(event_name="analytics.e", context=alone)
        with other.start_as_current_span("not ours"):
            log(app)
    assert app.events == []


def test_a_span_of_a_provider_that_is_not_set_up_is_looked_at() -> None:
    """What is on it as a record is emitted counts for that record."""
    other = TracerProvider(shutdown_on_exit=False).get_tracer("other")
    with Telemetry() as app:
        with other.start_as_current_span("GET /", attributes={GPC: "1"}):
            log(app)
        with other.start_as_current_span("GET /") as span:
            span.set_attribute("analytics.user.id", "u-1")
            log(app)
    assert app.only["distinct_id"] == "u-1"


@pytest.mark.parametrize("lift", [Lift.MARKED, Lift.OFF])
def test_the_span_of_an_unsampled_request_is_no_event_where_it_was_not_asked_for(lift: Lift) -> None:
    """It is recorded for what it says; marked later it is not sent, and nothing of it gets to the operational side."""
    with Telemetry(sampler=AnalyticsSampler(ALWAYS_OFF, lift)) as app:
        with request_in(app) as server:
            server.set_attributes({**PRODUCT, "analytics.user.id": "u-1"})
            server.add_event("analytics.noted")
        with request_in(app, **PRODUCT):
            pass
    assert app.names == (["e"] if lift is Lift.MARKED else [])
    assert app.spans.get_finished_spans() == ()


def test_nothing_of_it_is_seen_outside_of_the_process() -> None:
    """Not in headers, nor in what is pickled or copied, nor in a trace state as exporters print it."""
    state = TraceState([("vendor", "1")])
    remote = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED), trace_state=state)
    with Telemetry(sampler=AnalyticsSampler(ALWAYS_ON)) as app:
        parent = trace.set_span_in_context(NonRecordingSpan(remote))
        with app.tracer.start_as_current_span("GET /", parent, SpanKind.SERVER) as server:
            set_user("u-4711")
            headers: dict[str, str] = {}
            inject(headers)
            own = server.get_span_context()
            for each in (pickle.loads(pickle.dumps(own)), copy.deepcopy(own)):
                assert (each, type(each.trace_state)) == (own, TraceState)
            assert (repr(own.trace_state), own.trace_state.to_header()) == (repr(state), "vendor=1")
    assert headers["tracestate"] == "vendor=1"
    assert "4711" not in str(headers)


def test_a_job_that_goes_on_for_ever_keeps_nothing_in_memory(app: Telemetry) -> None:
    """Each starts the next one inside its own span; what was said of everybody holds to the end."""
    first: weakref.ref[Scope] | None = None
    with request_in(app):
        set_user(consent=False)
        around = trace.set_span_in_context(trace.get_current_span())
    for number in range(3 * MAX_DEPTH):
        span = app.tracer.start_span("job", around, attributes=PRODUCT)
        if number == 0 and span.is_recording():
            first = weakref.ref(span.otel_posthog_scope)  # type: ignore[attr-defined]
        around = trace.set_span_in_context(span)
        span.end()
    app.logger.emit(event_name="analytics.e", context=around)
    del span
    app.spans.clear()
    gc.collect()
    assert first is None or first() is None
    assert app.events == []


@pytest.mark.parametrize("depth", [1, MAX_DEPTH - 1, MAX_DEPTH + 5])
def test_a_denial_holds_for_what_is_inside_however_deep(depth: int) -> None:
    """Said before; and said after what is inside had begun, as far as that is looked for."""
    with Telemetry() as app:
        for is_late in (False, True):
            outer = app.tracer.start_span("outer", attributes={} if is_late else {"analytics.consent": False})
            around = trace.set_span_in_context(outer)
            for _ in range(depth):
                around = trace.set_span_in_context(app.tracer.start_span("inner", around))
            if is_late:
                outer.set_attribute("analytics.consent", False)
            app.logger.emit(event_name="analytics.e", context=around)
    assert len(app.events) == (0 if depth < MAX_DEPTH else 1)


def test_a_consumer_that_runs_for_days_keeps_a_bounded_number_of_ids() -> None:
    """Past it a denial counts for everybody, and a consent for nobody."""
    with Telemetry() as app, app.tracer.start_as_current_span("poll", kind=SpanKind.CONSUMER) as span:
        for number in range(2 * MAX_IDS):
            set_user(f"u-{number}", consent=True)
        for number in range(MAX_IDS):
            set_user(f"u-{number}", consent=False)
        set_user("somebody")
        log(app, "sent")
        set_user("one more", consent=False)
        set_user("somebody")
        log(app, "withheld")
        identity = span.otel_posthog_scope.record.identity  # type: ignore[attr-defined]
    assert app.names == ["sent"]
    assert (len(identity.consented), len(identity.denied)) == (MAX_IDS, MAX_IDS)


def test_two_of_us_on_one_provider_share_the_request(app: Telemetry) -> None:
    """Whichever is asked, it is the same record."""
    intake = next(
        each for each in app.tracer_provider._active_span_processor._span_processors if isinstance(each, SpanIntake)
    )
    app.tracer_provider.add_span_processor(intake)
    with request_in(app):
        set_user("u-1", consent=False)
        with app.tracer.start_as_current_span("inside"):
            log(app)
    assert app.events == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_in_the_middle_of_a_write_does_not_hang_the_child(app: Telemetry) -> None:
    """The child has what was said before, and writes on."""
    with request_in(app):
        set_user("u-1")
        with statement._writing:
            child = os.fork()
            if child == 0:
                log(app)
                set_user(consent=False)
                log(app)
                os._exit(0 if [each["distinct_id"] for each in app.events] == ["u-1"] else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("value", [object(), [[1]], {"a": 1}, b"x", 1.5, "", None, 2**70])
@pytest.mark.parametrize(
    "key", ["analytics.user.id", "analytics.session.id", "analytics.group.team", "analytics.consent", GPC]
)
def test_whatever_an_app_sets_raises_nothing_into_it(
    key: Any, value: Any, app: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    """As a value or as an id; and what is said of consent and is no yes is a denial."""
    caplog.set_level(logging.CRITICAL)
    with request_in(app) as server:
        server.set_attribute(key, value)
        server.set_attributes({key: value, 7: 1})
        set_user(value, session_id=value, groups={"team": value})
        with user_context(value, session_id=value, groups={"team": value}):
            log(app)
    if key == "analytics.consent":
        assert len(app.events) == (1 if value is None else 0)


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.CONSUMER])
@pytest.mark.parametrize("consent", [True, False])
def test_a_block_around_the_instrumentation_is_seen_though_its_context_is_made_of_headers(
    kind: SpanKind, consent: bool, app: Telemetry
) -> None:
    """`extract()` begins with an empty context; the next request is nobody's, and what was named inside comes first."""

    def handle(*users: str) -> None:
        fresh = trace.set_span_in_context(NonRecordingSpan(SpanContext(7, 8, True, TraceFlags(1))), Context())
        token = otel_context.attach(fresh)
        try:
            with app.tracer.start_as_current_span("GET /", fresh, kind, attributes=PRODUCT):
                for user in users:
                    set_user(user)
                log(app)
        finally:
            otel_context.detach(token)

    with user_context("u-1"), user_context(consent=None if consent else False):
        handle()
        handle("u-2")
    around = {each["distinct_id"] for each in app.events}
    app.events.clear()
    handle()
    assert (around, {each["distinct_id"] for each in app.events}) == (
        {"u-1", "u-2"} if consent else set(),
        {"installation-1"},
    )
