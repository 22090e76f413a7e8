"""Light spans beside the SDK's own: threads, ends, wrappers, other providers, and SDKs that are not known."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from inspect import signature
from typing import Any

import pytest
from decisions import Ids, app
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
)
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import otel_posthog
from otel_posthog.actor import kept_scope
from otel_posthog.errors import ConfigurationError, Guard
from otel_posthog.health import Health
from otel_posthog.intake import SpanIntake
from otel_posthog.policy import Policy
from otel_posthog.sdk import LightSpan, light_spans, why_no_light_spans
from otel_posthog.setup.settings import read_settings
from otel_posthog.testing import FakePostHog


class BrokenError(Exception):
    """What a program raises."""


OFF = pytest.mark.parametrize("light", [True, False])
EVENT = {"analytics.event": "e", "analytics.property.plan": "team"}


@OFF
def test_a_captured_objection_a_recorded_exception_and_an_allowed_key_count_where_all_is_dropped(light: bool) -> None:
    """`Sec-GPC` set late denies, an exception is an event, an allowed key keeps its text, under `always_off` too."""
    with app(ALWAYS_OFF, light=light) as made:
        with made.tracer.start_as_current_span("r", kind=SpanKind.SERVER) as span:
            made.tracer.start_span("n", attributes=EVENT).end()
            made.tracer.start_span("n", attributes={**EVENT, "analytics.property.free_text": "some text"}).end()
            span.record_exception(BrokenError())
            span.set_attribute("http.request.header.sec_gpc", ("1",))
            made.tracer.start_span("n", attributes=EVENT).end()
        assert [each.name for each in made.signals] == ["e", "e", "e", "$exception"]
        denied = [bool(each.context and each.context.consent is False) for each in made.signals]
        assert denied == [False, False, True, True]
        assert (b"some text" in made.bodies[1], len(made.bodies)) == (True, 2)


def test_a_requests_headers_and_its_user_keep_its_attributes_from_being_made_no_more_than_others() -> None:
    """Lists at the start, a user set by one and by several, lists later: all wait, and whoever looks has them."""
    header = "http.request.header.accept"
    with app(ALWAYS_OFF, rules=False) as made:
        given = {header: ["text/html", "*/*"], "http.route": "/x"}
        span: Any = made.tracer.start_span("r", kind=SpanKind.SERVER, attributes=given)
        span.set_attributes({"enduser.id": "ada", "user.email": "a"})
        span.set_attribute("session.id", "s")
        span.set_attributes({"http.response.header.etag": ("x",), "http.status_code": 200})
        assert "_attributes" not in vars(span)
        scope = kept_scope(span)
        assert scope is not None
        assert scope.record is not None
        assert (scope.record.identity.user_id, scope.record.identity.session_id) == ("ada", "s")
        span.end()
        assert "_attributes" not in vars(span)
        assert dict(span.attributes) == {
            **given, header: ("text/html", "*/*"), "enduser.id": "ada", "user.email": "a", "session.id": "s",
            "http.response.header.etag": ("x",), "http.status_code": 200,
        }  # fmt: skip


@OFF
def test_no_attribute_of_an_apps_processor_is_on_a_dropped_span(light: bool) -> None:
    """Processors of the app's see no dropped span in either way, so that it makes no difference what they set."""

    class Setting(SpanProcessor):
        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            span.set_attribute("analytics.event", "by_processor")

    with app(ALWAYS_OFF, light=light, processor=Setting()) as made:
        made.tracer.start_span("n").end()
        made.tracer.start_span("n", attributes=EVENT).end()
        assert [each.name for each in made.signals] == ["e"]


def test_what_is_read_and_written_at_once_is_neither_lost_nor_an_error() -> None:
    """Threads that set, read and end a span: each attribute that was set before a look is there, one end counts."""
    for _ in range(20):
        with app(ALWAYS_OFF) as made, ThreadPoolExecutor(8) as threads:
            span = made.tracer.start_span("n", attributes=EVENT | {"plain": 1} if _ % 2 else {"plain": 1})
            assert type(span) is LightSpan
            for done in [threads.submit(_set_and_look, span, number) for number in range(40)]:
                done.result()
            assert len(span.attributes or {}) == (43 if _ % 2 else 41)
            for done in [threads.submit(span.end) for _ in range(8)]:
                done.result()
            assert len(made.signals) == _ % 2
            assert not span.is_recording()


def _set_and_look(span: Any, number: int) -> None:
    span.set_attribute(f"k{number}", number)
    assert span.attributes[f"k{number}"] == number


def test_a_span_that_is_over_takes_nothing_more() -> None:
    """Attributes, events, names and states set after the end are not there, and nothing is raised."""
    with app(ALWAYS_OFF) as made:
        span: Any = made.tracer.start_span("n")
        span.end()
        span.set_attribute("k", 1)
        span.set_attributes({"k": 1})
        span.add_event("e")
        span.update_name("m")
        span.set_status(StatusCode.ERROR)
        span.end()
        assert (dict(span.attributes), span.events, span.name, span.status.status_code) == (
            {},
            (),
            "n",
            StatusCode.UNSET,
        )
        with pytest.raises(TypeError):
            span._attributes["k"] = 1


def test_traceparents_are_those_of_the_sdks_span() -> None:
    """What goes out in headers, and to a span of another provider inside, is the same in both ways."""
    seen = []
    for light in (True, False):
        with app(ALWAYS_OFF, light=light) as made:
            remote = SpanContext(3, 4, is_remote=True, trace_state=TraceState([("vendor", "1")]))
            around = trace.set_span_in_context(trace.NonRecordingSpan(remote), Context())
            span = made.tracer.start_span("n", around)
            headers: dict[str, str] = {}
            inside = trace.set_span_in_context(span, Context())
            TraceContextTextMapPropagator().inject(headers, inside)
            other = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False, id_generator=Ids())
            child: Any = other.get_tracer("o").start_span("c", inside)
            seen.append((headers, child.parent, child.context, span.get_span_context()))
            other.shutdown()
    assert seen[0] == seen[1]


def test_who_denies_in_a_span_denies_inside_it_whatever_is_dropped() -> None:
    """The scope of a light span is that of every span: those inside inherit it, the one that follows does not."""
    with app(ALWAYS_OFF) as made:
        with made.tracer.start_as_current_span("n") as span:
            span.set_attribute("analytics.consent", value=False)
            inside = made.tracer.start_span("m")
            scope = kept_scope(inside)
            assert scope is not None
            assert scope.objections() == (True, False)
        after = kept_scope(made.tracer.start_span("m"))
        assert after is not None
        assert after.objections() == (False, False)


def test_a_span_that_ended_is_not_kept_by_those_that_came_from_it() -> None:
    """Jobs that start the next one inside their own span, for ever, leave no chain of spans behind."""
    with app(ALWAYS_OFF) as made:
        first: Any = made.tracer.start_span("n")
        known, span = weakref.ref(first), first
        for _ in range(100):
            context = trace.set_span_in_context(span, Context())
            span.end()
            span = made.tracer.start_span("n", context)
        del first, context
        gc.collect()
        assert known() is None


def test_a_disabled_tracer_starts_nothing() -> None:
    """It returns the span context that is around it, as without us."""
    with app(ALWAYS_OFF) as made:
        tracer: Any = made.tracer
        tracer._tracer_config.is_enabled = False
        span = made.tracer.start_span("n")
        assert (span.is_recording(), span.get_span_context().is_valid) == (False, False)


@pytest.mark.parametrize("method", ["start", "end", "set_attribute", "set_attributes"])
def test_who_wraps_a_method_of_the_sdks_span_later_is_heard(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that does it has its calls of dropped spans too."""
    calls: dict[bool, list[str]] = {True: [], False: []}
    inner = getattr(Span, method)
    for light, heard in calls.items():

        def wrapper(self: Span, *given: Any, heard: list[str] = heard, **named: Any) -> None:
            heard.append(method)
            inner(self, *given, **named)

        with app(ALWAYS_OFF, light=light) as made:
            monkeypatch.setattr(Span, method, wrapper)
            span = made.tracer.start_span("n", attributes={"plain": 1})
            span.set_attribute("k", 1)
            span.set_attributes({"k": 1})
            span.end()
            assert isinstance(span, LightSpan) is light
            monkeypatch.undo()
    assert calls[True] == calls[False] != []


def test_a_subclass_that_does_more_at_the_end_hears_of_every_span() -> None:
    """Light spans tell `on_ending` only: a processor with an `on_end` of its own has the SDK's."""
    ended = []

    class Own(SpanIntake):
        def on_end(self, span: Any) -> None:
            ended.append(span.name)

    made = Own(print, print, Guard(Health()), flush=bool, close=lambda: None)
    assert not made.takes_light_spans


def _more(self: Any, *given: Any, more: int = 0, **named: Any) -> None: ...


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("_Span", None, "in another way"),
        ("time_ns", None, "clock"),
    ],
)
def test_an_sdk_that_is_another_one_makes_its_own_spans(
    name: str, value: Any, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a private name is gone, dropped spans are recorded as they were before there were light ones."""
    monkeypatch.setattr(sdk_trace, name, value)
    assert reason in why_no_light_spans()


@pytest.mark.parametrize(("name", "reason"), [("__init__", "made of more"), ("set_attribute", "a method")])
def test_spans_of_which_more_is_known_than_here_are_left_alone(
    name: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A further argument, field or method of somebody else's would be missed."""
    monkeypatch.setattr(Span, name, _more)
    assert reason in why_no_light_spans()


def test_a_further_field_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a later SDK keeps in a span is not known here."""
    inner: Any = Span.__init__

    def init(self: Any, *given: Any, limits: Any = None, **named: Any) -> None:
        inner(self, *given, limits=limits, **named)
        self._further = 1

    init.__signature__ = signature(inner)  # type: ignore[attr-defined]
    monkeypatch.setattr(Span, "__init__", init)
    assert "hold more: _further" in why_no_light_spans()


def test_this_sdk_has_light_spans() -> None:
    """In the oldest and the newest one; a release that changes them fails here."""
    assert not why_no_light_spans()


def test_an_sdk_that_is_not_known_records_whole_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today's way is the fallback: the same events, of the SDK's own spans."""
    monkeypatch.setattr(light_spans, "_answer", "it is another one")
    with app(ALWAYS_OFF) as made:
        span = made.tracer.start_span("n", attributes=EVENT)
        span.end()
        assert (type(span).__name__, len(made.signals)) == ("_Span", 1)


@pytest.mark.parametrize(("word", "kind"), [("", "LightSpan"), ("true", "LightSpan"), ("false", "_Span")])
@pytest.mark.usefixtures("not_set_up")
def test_the_switch_decides(word: str, kind: str, monkeypatch: pytest.MonkeyPatch, fake_posthog: FakePostHog) -> None:
    """`OTEL_POSTHOG_LIGHT_SPANS=false` has dropped spans recorded whole."""
    monkeypatch.setenv("OTEL_POSTHOG_LIGHT_SPANS", word)
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    otel_posthog.configure(
        tracer_provider=provider, policy=Policy().with_credentials(fake_posthog.api_key, fake_posthog.url)
    )
    span = provider.get_tracer("t").start_span("n")
    span.end()
    assert type(span).__name__ == kind


def test_a_switch_that_is_no_word_is_a_mistake() -> None:
    """It is named, as every setting is."""
    with pytest.raises(ConfigurationError, match="OTEL_POSTHOG_LIGHT_SPANS must be true or false"):
        read_settings({"OTEL_POSTHOG_LIGHT_SPANS": "some"})
