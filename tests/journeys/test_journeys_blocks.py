"""What becomes of a journey in one block: its events, its spans, and how it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from enum import Enum
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from telemetry import Telemetry

from otel_posthog import Journey, current_journey, journey, set_user, user_context
from otel_posthog.events import usual

OWN = {"journey", "step", "step_number", "step_count", "attempt_count", "entry_point", "reason", "error_type"}


class Stop(str, Enum):
    """Reasons of an app's."""

    NO_CARD = "no_card"


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """An app's telemetry, in which journeys are told."""
    with Telemetry() as made:
        yield made.use_for_capture(monkeypatch)


def told(telemetry: Telemetry) -> list[tuple[str, dict[str, Any]]]:
    """Return the events, each with what it says besides times and the journey's name."""
    return [
        (each["event"], {key: value for key, value in each["properties"].items() if key in OWN - {"journey"}})
        for each in telemetry.events
    ]


def spans(telemetry: Telemetry) -> dict[str, Any]:
    """Return the spans of the operational side by name."""
    return {each.name: each for each in telemetry.spans.get_finished_spans()}


def test_a_journey_is_a_funnel_and_a_trace(telemetry: Telemetry) -> None:
    """Begin, each step and end are events of one person and one journey, and the spans are one inside the other."""
    with user_context("u-1"), journey("onboarding", steps=["profile", "team"], entry_point="menu") as way:
        with way.step("profile"):
            pass
        with way.step("team") as span:
            span.set_attribute("size", 3)
    assert told(telemetry) == [
        ("journey_started", {"entry_point": "menu", "step_count": 2}),
        ("journey_step_completed", {"step": "profile", "step_number": 1, "step_count": 2, "attempt_count": 1}),
        ("journey_step_completed", {"step": "team", "step_number": 2, "step_count": 2, "attempt_count": 1}),
        ("journey_completed", {"step_count": 2}),
    ]
    assert {(each["distinct_id"], each["properties"]["journey_id"]) for each in telemetry.events} == {("u-1", way.id)}
    times = [each["timestamp"] for each in telemetry.events]
    assert times == sorted(set(times))
    whole, profile, team = (spans(telemetry)[f"journey onboarding{name}"] for name in ("", ": profile", ": team"))
    assert {profile.parent.span_id, team.parent.span_id} == {whole.context.span_id}
    assert (whole.attributes["journey.name"], team.attributes["journey.step"]) == ("onboarding", "team")
    assert (whole.attributes["journey.outcome"], team.attributes["size"]) == ("completed", 3)
    ids = [each["properties"]["$span_id"] for each in telemetry.events]
    assert ids == [f"{each.context.span_id:016x}" for each in (whole, profile, team, whole)]


def test_the_operational_side_does_not_know_who(telemetry: Telemetry) -> None:
    """Neither a span nor a log record of it has the user, the journey's id or a product attribute."""
    who = user_context("u-4711-lovelace", session_id="s-4711-lovelace")
    with who, journey("onboarding", id="order-4711") as way, way.step("profile"):
        pass
    operational = [*telemetry.spans.get_finished_spans(), *telemetry.logs.get_finished_logs()]
    assert len(operational) == 2
    assert [
        each for each in map(to_text, operational) if "lovelace" in each or "order" in each or "analytics" in each
    ] == []


def to_text(item: Any) -> str:
    """Return all that an exporter would write of a span or a log record."""
    return str(item.to_json())


def raises(error: BaseException) -> Callable[[Journey], None]:
    """Return an app that fails in a step."""

    def app(way: Journey) -> None:
        with way.step("pay"):
            raise error

    return app


def fails_after_step(way: Journey) -> None:
    """Fail between two steps."""
    with way.step("pay"):
        pass
    raise KeyError("secret")


def tries_again(way: Journey) -> None:
    """Fail in a step, and do it the second time."""
    for number in range(2):
        with suppress(ValueError), way.step("pay"):
            if not number:
                raise ValueError("secret")


def gives_up(way: Journey) -> None:
    """Fail in a step and go on as if nothing had been."""
    with suppress(ValueError), way.step("pay"):
        raise ValueError("secret")


def says_why(way: Journey) -> None:
    """Say that somebody left, in a step, then do some more."""
    with way.step("pay"):
        way.abandon(reason="no_card")
    with way.step("ship"):
        way.complete()


def is_done_early(way: Journey) -> None:
    """Say that it is done, then fail."""
    with way.step("pay"):
        pass
    way.complete()
    raise ValueError("secret")


def goes_on_elsewhere(way: Journey) -> None:
    """Say that it goes on elsewhere, in a step, then fail."""
    with way.step("pay"):
        assert way.pause() == way.id
    raise ValueError("secret")


def is_paused_and_done(way: Journey) -> None:
    """Say that it goes on elsewhere, then that it is done."""
    way.pause()
    way.complete()


def abandoned(reason: str, error_type: str | None = None, **at: Any) -> tuple[str, dict[str, Any]]:
    """Return the event of a journey that was abandoned."""
    return "journey_abandoned", {**at, "reason": reason, **({"error_type": error_type} if error_type else {})}


AT_PAY: dict[str, Any] = {"step": "pay", "step_number": 1}
PAID = ("journey_step_completed", {**AT_PAY, "attempt_count": 1})
PAID_AT_LAST = ("journey_step_completed", {**AT_PAY, "attempt_count": 2})
ENDS: list[tuple[Callable[[Journey], None], list[tuple[str, dict[str, Any]]], str]] = [
    (raises(ValueError("secret")), [abandoned("error", "ValueError", **AT_PAY)], "abandoned"),
    (raises(type("Ada Lovelace", (Exception,), {})()), [abandoned("error", "other", **AT_PAY)], "abandoned"),
    *(
        (raises(error()), [abandoned("cancelled", error.__name__, **AT_PAY)], "abandoned")
        for error in (asyncio.CancelledError, KeyboardInterrupt, SystemExit)
    ),
    (fails_after_step, [PAID, abandoned("error", "KeyError", **AT_PAY)], "abandoned"),
    (tries_again, [PAID_AT_LAST, ("journey_completed", {"step_count": 1})], "completed"),
    (gives_up, [abandoned("error", "ValueError", **AT_PAY)], "abandoned"),
    (says_why, [abandoned("no_card", **AT_PAY)], "abandoned"),
    (is_done_early, [PAID, ("journey_completed", {"step_count": 1})], "completed"),
    (goes_on_elsewhere, [PAID], "paused"),
    (is_paused_and_done, [("journey_completed", {"step_count": 0})], "completed"),
    (lambda way: way.abandon(), [abandoned("other")], "abandoned"),
    (lambda way: way.abandon("Ada has left us"), [abandoned("other")], "abandoned"),
    (lambda way: way.abandon(Stop.NO_CARD), [abandoned("no_card")], "abandoned"),
]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("number", range(len(ENDS)))
def test_a_journey_ends_as_the_app_says_or_as_its_block_does(number: int, is_async: bool, telemetry: Telemetry) -> None:
    """What is said first counts, an exception goes on, and no message of one is anywhere in an event."""
    app, expected, outcome = ENDS[number]
    raised: BaseException | None = None

    async def run() -> None:
        async with journey("checkout") as way:
            app(way)

    try:
        if is_async:
            asyncio.run(run())
        else:
            with journey("checkout") as way:
                app(way)
    except BaseException as error:
        raised = error
    assert told(telemetry) == [("journey_started", {}), *expected]
    assert "secret" not in str(telemetry.events)
    whole = spans(telemetry)["journey checkout"]
    assert whole.attributes["journey.outcome"] == outcome
    assert (whole.status.status_code is StatusCode.ERROR) is (raised is not None)
    assert whole.status.description is None


def test_an_error_is_recorded_once_where_it_was_raised(telemetry: Telemetry) -> None:
    """On the step's span, not again on each span around it."""
    with pytest.raises(ValueError, match="secret"), journey("outer") as outer, outer.step("a"), journey("inner") as way:
        raises(ValueError("secret"))(way)
    found = {name: [each.name for each in span.events] for name, span in spans(telemetry).items()}
    assert found.pop("journey inner: pay") == ["exception"]
    assert found.pop("journey inner") == []
    assert {each.status.status_code for each in spans(telemetry).values()} == {StatusCode.ERROR}


@pytest.mark.parametrize("given", ["two words", "", "x" * 41, "7", None, 7, "ä", "a\nb"])
def test_a_name_that_is_no_plain_word_is_other(given: Any, telemetry: Telemetry) -> None:
    """Of a journey, a step, an entry point, a reason: what a variable holds by mistake is not sent."""
    with journey(given, steps=[given], entry_point=given or " ") as way, way.step(given):
        way.abandon(given)
    assert told(telemetry) == [
        ("journey_started", {"entry_point": "other", "step_count": 1}),
        ("journey_abandoned", {"step": "other", "step_number": 1, "reason": "other"}),
    ]
    assert {each["properties"]["journey"] for each in telemetry.events} == {"other"}


def test_names_are_in_lower_case_whatever_they_are_given_in(telemetry: Telemetry) -> None:
    """So that two spellings are one step."""
    with journey("OnBoarding", steps=["Profile"]) as way, way.step("PROFILE"):
        pass
    assert told(telemetry)[1][1] == {"step": "profile", "step_number": 1, "step_count": 1, "attempt_count": 1}


def test_nested_journeys_have_their_own_steps(telemetry: Telemetry) -> None:
    """A step of the outer one inside the inner one is the outer one's, and who acts there does it."""
    with journey("outer") as outer:
        with outer.step("a"), journey("inner") as inner:
            assert current_journey() is inner
            with user_context("u-1"), outer.step("b"):
                assert current_journey() is outer
            with inner.step("c"):
                pass
        assert current_journey() is outer
    steps = {each["properties"]["step"]: each for each in telemetry.events if "step" in each["properties"]}
    assert {name: each["properties"]["journey"] for name, each in steps.items()} == {
        "a": "outer",
        "b": "outer",
        "c": "inner",
    }
    assert steps["b"]["distinct_id"] == "u-1"
    found = spans(telemetry)
    assert found["journey outer: b"].parent.span_id == found["journey outer"].context.span_id
    assert found["journey inner"].parent.span_id == found["journey outer: a"].context.span_id


@pytest.mark.parametrize("has_context", [False, True])
def test_steps_may_be_taken_in_threads(has_context: bool, telemetry: Telemetry) -> None:
    """With the context or without, each step is in the journey's trace and of its user."""

    def take(way: Journey, name: str) -> None:
        with way.step(name):
            assert current_journey() is way

    with user_context("u-1"), journey("imports") as way, ThreadPoolExecutor(4) as pool:
        for number in range(20):
            name = f"part{number}"
            if has_context:
                pool.submit(copy_context().run, take, way, name).result()
            else:
                pool.submit(take, way, name).result()
    done = [each for each in telemetry.events if each["event"] == "journey_step_completed"]
    assert len(done) == 20
    assert {each["distinct_id"] for each in telemetry.events} == {"u-1"}
    assert len({each["properties"]["$trace_id"] for each in telemetry.events}) == 1
    assert {each["properties"]["step_number"] for each in done} == set(range(1, 21))


def test_steps_in_a_thread_are_of_who_acts_there(telemetry: Telemetry) -> None:
    """A user who is said in the thread counts before the one around the journey's block."""

    def take(way: Journey) -> None:
        with user_context("u-2"), way.step("b"):
            pass

    with user_context("u-1"), journey("imports") as way:
        thread = threading.Thread(target=take, args=(way,))
        thread.start()
        thread.join()
    assert [each["distinct_id"] for each in telemetry.events] == ["u-1", "u-2", "u-1"]


@pytest.mark.parametrize("end", ["complete", "abandon"])
def test_a_thread_may_say_how_it_ends(end: str, telemetry: Telemetry) -> None:
    """Without the context too, the event is in the journey's trace and of its user."""
    with user_context("u-1"), journey("imports") as way:
        thread = threading.Thread(target=getattr(way, end))
        thread.start()
        thread.join()
    assert len(telemetry.events) == 2
    assert {each["distinct_id"] for each in telemetry.events} == {"u-1"}
    assert len({each["properties"]["$span_id"] for each in telemetry.events}) == 1


def test_calls_of_a_function_in_several_threads_are_journeys_of_their_own(telemetry: Telemetry) -> None:
    """Whichever ends first."""
    both, first = threading.Barrier(2), threading.Event()

    @journey("calls")
    def call(name: str) -> str:
        with current_journey().step(name):
            both.wait(10)
        if name == "b":
            first.wait(10)
        return current_journey().id

    with ThreadPoolExecutor(2) as pool:
        calls = {name: pool.submit(call, name) for name in ("a", "b")}
        ids = {"a": calls["a"].result(10)}
        first.set()
        ids["b"] = calls["b"].result(10)
    ends = [each["properties"]["journey_id"] for each in telemetry.events if each["event"] == "journey_completed"]
    assert ends == [ids["a"], ids["b"]]


def test_many_journeys_at_once_do_not_mix(telemetry: Telemetry) -> None:
    """Tasks and threads that take turns: every event has its own journey's id and user."""

    @journey("many")
    async def one(user: str) -> tuple[str, str]:
        with user_context(user):
            for name in ("a", "b"):
                async with current_journey().step(name):
                    await asyncio.sleep(0)
            return user, current_journey().id

    async def all_of_them() -> list[tuple[str, str]]:
        return await asyncio.gather(*(one(f"u-{number}") for number in range(50)))

    ids = {journey_id: user for user, journey_id in asyncio.run(all_of_them())}
    done = [each for each in telemetry.events if each["event"] == "journey_step_completed"]
    assert len(done) == 100
    assert [each for each in done if ids[each["properties"]["journey_id"]] != each["distinct_id"]] == []


def test_a_function_of_any_kind_may_be_a_journey(telemetry: Telemetry) -> None:
    """Each call is one, with what the function returns, yields and is called as it was."""

    @journey("plain")
    def plain(number: int) -> int:
        with current_journey().step("a"):
            return number

    @journey("coroutine")
    async def coroutine(number: int) -> int:
        async with current_journey().step("a"):
            return number

    @journey("generator")
    def generator(number: int) -> Iterator[int]:
        with current_journey().step("a"):
            yield number
        yield number + 1

    @journey("async_generator")
    async def async_generator(number: int) -> AsyncIterator[int]:
        with current_journey().step("a"):
            yield number
        yield number + 1

    async def collected() -> list[int]:
        return [each async for each in async_generator(1)]

    assert (plain(1), plain(number=2), asyncio.run(coroutine(3)), plain.__name__) == (1, 2, 3, "plain")
    assert (list(generator(1)), asyncio.run(collected())) == ([1, 2], [1, 2])
    names = ["plain", "plain", "coroutine", "generator", "async_generator"]
    assert [each["properties"]["journey"] for each in telemetry.events] == [name for name in names for _ in range(3)]
    assert len({each["properties"]["journey_id"] for each in telemetry.events}) == 5


def test_a_journey_is_of_who_acts_in_its_request(telemetry: Telemetry) -> None:
    """Also of a user who becomes known on the way."""
    with telemetry.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER), journey("sign_up") as way:
        with way.step("form"):
            pass
        set_user("u-1")
        with way.step("confirm"):
            pass
    users = [each["distinct_id"] for each in telemetry.events]
    assert users == ["installation-1", "installation-1", "u-1", "u-1"]


def test_a_journey_may_be_somebody_elses_than_who_acts(telemetry: Telemetry) -> None:
    """A job that goes it for a user; the spans do not know."""
    with user_context("u-1"), journey("imports", distinct_id="u-4711-lovelace") as way, way.step("a"):
        pass
    assert [each["distinct_id"] for each in telemetry.events] == ["u-4711-lovelace"] * 3
    assert [each.name for each in telemetry.spans.get_finished_spans() if "lovelace" in each.to_json()] == []


def test_without_consent_nothing_of_a_journey_is_sent(telemetry: Telemetry) -> None:
    """As with every other event."""
    with user_context("u-1", consent=False), journey("onboarding") as way, way.step("a"):
        pass
    assert telemetry.events == []
    assert telemetry.dropped == {"consent": 3}


def test_how_long_it_took_is_told(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step in milliseconds, the whole in seconds; a clock that is set back is no negative time."""
    clock = [1_800_000_000 * 10**9]
    monkeypatch.setattr("otel_posthog.journeys.steps.time.time_ns", lambda: clock[0])
    monkeypatch.setattr("otel_posthog.journeys.steps.time.monotonic", lambda: clock[0] / 10**9)
    with journey("onboarding") as way:
        with way.step("a"):
            clock[0] += 1500 * 10**6
        clock[0] += 10**9
    with journey("onboarding"):
        clock[0] -= 10**9
    took = [each["properties"] for each in telemetry.events]
    assert (took[1]["duration_ms"], took[2]["duration_s"], took[4]["duration_s"]) == (1500.0, 2.5, 0)


def test_journeys_say_what_the_catalogue_of_usual_events_declares(telemetry: Telemetry) -> None:
    """Every property, and every one of a type that is declared."""
    for app, *_ in ENDS[:1] + ENDS[5:7]:
        with pytest.MonkeyPatch.context(), journey("checkout", steps=["pay"], entry_point="menu") as way:
            try:
                app(way)
            except (ValueError, KeyError):
                way.abandon("no_card")
    declared: dict[str, Any] = {
        "journey_started": usual.JourneyStarted,
        "journey_step_completed": usual.JourneyStepCompleted,
        "journey_completed": usual.JourneyCompleted,
        "journey_abandoned": usual.JourneyAbandoned,
    }
    assert {each["event"] for each in telemetry.events} == set(declared)
    for each in telemetry.events:
        own = {key for key in each["properties"] if not key.startswith("$") and key != "service.name"}
        assert own - {"journey_id", "trace_sampled"} <= set(declared[each["event"]].__annotations__)
