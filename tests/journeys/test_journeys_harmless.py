"""A journey never harms the program: without a provider, switched off, with one that fails, left in any order."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import suppress
from typing import Any

import pytest
from instrumented import instrumented
from opentelemetry import trace
from processes import PROGRAMS
from telemetry import Telemetry

from otel_posthog import Journey, current_journey, journey
from otel_posthog.errors import Guard
from otel_posthog.journeys import inside
from otel_posthog.testing import FakePostHog, OtlpSink

ALL_OF_IT = """
import asyncio, sys
from otel_posthog import current_journey, journey

with journey("onboarding", steps=["a"], entry_point="menu") as way:
    with way.step("a") as span:
        span.set_attribute("k", 1)
    kept = way.pause()
assert kept and len(kept) == 45, kept

@journey("onboarding", resume=kept)
async def go_on():
    async with current_journey().step("b"):
        pass
    current_journey().complete()

asyncio.run(go_on())
try:
    with journey("onboarding") as way, way.step("c"):
        raise KeyError("as it was")
except KeyError as error:
    print("ok", error, *sorted(name for name in ("opentelemetry.sdk", "posthog", "yaml") if name in sys.modules))
"""


def test_without_any_provider_nothing_happens() -> None:
    """A program that has set nothing up runs as it would without us, imports no SDK, and gets an id to keep."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", ALL_OF_IT], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("ok 'as it was'", "")


class Broken:
    """What a provider of somebody's may be."""

    def start_span(self, *_: Any, **__: Any) -> Any:
        """Fail."""
        raise RuntimeError("secret")


class BrokenSpan(trace.NonRecordingSpan):
    """A span that nothing can be said of."""

    def __init__(self) -> None:
        super().__init__(trace.INVALID_SPAN_CONTEXT)

    def _fail(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("secret")

    set_attribute = record_exception = set_status = end = _fail


class TracerOfBrokenSpans:
    """Makes them."""

    def start_span(self, *_: Any, **__: Any) -> BrokenSpan:
        """Return one."""
        return BrokenSpan()


@pytest.mark.parametrize("tracer", [Broken(), TracerOfBrokenSpans()])
def test_a_provider_that_fails_raises_nothing_and_is_told_once(
    tracer: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The program's own exception goes on, the events are there, and the log has no value in it."""
    with Telemetry() as telemetry:
        telemetry.use_for_capture(monkeypatch)
        monkeypatch.setattr(Guard, "reraise", False)
        monkeypatch.setattr(inside, "get_tracer", lambda *_: tracer)
        inside._log_once.cache_clear()
        for _ in range(2):
            with pytest.raises(KeyError), journey("onboarding") as way, way.step("a"):
                raise KeyError("secret")
        assert telemetry.names == ["journey_started", "journey_abandoned"] * 2
    assert caplog.messages == ["a journey could not be told: RuntimeError (logged once)"]
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_outside_of_a_journey_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of the current one, where there is none, nor after the end."""
    with Telemetry() as telemetry:
        telemetry.use_for_capture(monkeypatch)
        nowhere = current_journey()
        with nowhere.step("a") as span:
            assert not span.is_recording()
        nowhere.complete()
        nowhere.abandon("x")
        assert (nowhere.pause(), isinstance(nowhere, Journey)) == ("", True)
        with journey("onboarding") as way:
            way.complete()
        count = len(telemetry.events)
        with way.step("late") as span:
            assert not span.is_recording()
        way.abandon("late")
        assert (count, len(telemetry.events)) == (2, 2)


@pytest.mark.parametrize("steps", [None, 7, "profile", [None, 7], {"a": 1}])
def test_arguments_of_other_types_raise_nothing(steps: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app without a type checker runs as well."""
    with Telemetry() as telemetry:
        telemetry.use_for_capture(monkeypatch)
        with journey(object(), steps=steps, entry_point=7) as way, way.step(None):  # type: ignore[arg-type]
            way.abandon(object())  # type: ignore[arg-type]
        assert telemetry.names == ["journey_started", "journey_abandoned"]


def test_the_context_is_as_it_was_whatever_order_blocks_are_left_in(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Generators that are closed late, here or by another task's end, leave nothing behind and log nothing."""

    def generator() -> Generator[int, None, None]:
        with journey("generator") as way, way.step("a"):
            yield 1

    async def async_generator() -> AsyncIterator[int]:
        async with journey("async_generator") as way, way.step("a"):
            yield 1

    async def leave_early() -> None:
        async for _ in async_generator():
            break
        gc.collect()

    with Telemetry() as telemetry:
        telemetry.use_for_capture(monkeypatch)
        left = generator()
        next(left)
        left.close()
        asyncio.run(leave_early())
        assert current_journey().id == ""
        assert trace.get_current_span() is trace.INVALID_SPAN
        abandoned = [each["properties"] for each in telemetry.events if each["event"] == "journey_abandoned"]
        assert [(each["journey"], each["reason"]) for each in abandoned] == [
            ("generator", "cancelled"),
            ("async_generator", "cancelled"),
        ]
        ends = {each.name for each in telemetry.spans.get_finished_spans()}
        assert len(ends) == 4
    assert caplog.messages == []


def test_an_exception_is_not_kept() -> None:
    """With it would stay all that its frames hold, until the journey ends."""

    class Large(Exception):  # noqa: N818
        """Counts those that are there."""

    with journey("onboarding") as way:
        for _ in range(5):
            with suppress(Large), way.step("a"):
                raise Large
        gc.collect()
        assert [each for each in gc.get_objects() if type(each) is Large] == []
        way.complete()


@pytest.mark.parametrize("switch", [{"OTEL_POSTHOG_ENABLED": "false"}, {"POSTHOG_API_KEY": ""}])
def test_switched_off_nothing_of_a_journey_is_sent(
    switch: dict[str, str], fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """Not a request to PostHog, and to the operational side the spans alone."""
    program = str(PROGRAMS / "plain_journey.py")
    run = instrumented(program, otlp=otlp_sink.url, posthog=fake_posthog.url, **switch)
    assert run.returncode == 0, run.out
    kept = run.out.split("kept ")[1].split()[0]
    assert fake_posthog.requests == []
    assert len([each for each in otlp_sink.spans if each.name.startswith("journey import")]) == 4
    assert [each for each in (kept, "ada-4711", "analytics.") if each.encode() in otlp_sink.raw_bytes] == []
