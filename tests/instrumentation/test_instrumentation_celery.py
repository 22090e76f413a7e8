"""Celery: a task's events are those of whoever sent it, however it was sent and whatever else looks on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import celery_shop
import pytest
from celery import signals  # type: ignore[import-untyped]
from celery.beat import ScheduleEntry, Scheduler  # type: ignore[import-untyped]
from celery.schedules import schedule  # type: ignore[import-untyped]
from opentelemetry.instrumentation.celery import CeleryInstrumentor as Contrib
from opentelemetry.trace import SpanKind
from queued import making_events, whose
from telemetry import NOBODY, Telemetry

from otel_posthog import set_user, user_context
from otel_posthog.actor import record_in
from otel_posthog.errors import Guard
from otel_posthog.health import FAULT
from otel_posthog.policy import CollectionPolicy, IdentityMode
from otel_posthog_instrumentation.celery import HEADER, PostHogCeleryInstrumentor

USERS = [*(f"u-{each}" for each in range(8)), None]
OTHERS = ["alone", "contrib first", "contrib after", "contrib first, links", "contrib after, links"]
SIGNALS = (signals.before_task_publish, signals.task_prerun, signals.task_postrun)


@pytest.fixture(scope="module", autouse=True)
def _worker() -> Iterator[None]:
    """One worker with four threads for all tests here."""
    with celery_shop.worker("threads"):
        yield


@contextmanager
def attached(others: str, telemetry: Telemetry) -> Iterator[None]:
    """Have our hooks there, and contrib's before them or after, with links or without."""
    contrib, ours = Contrib(), PostHogCeleryInstrumentor()  # type: ignore[no-untyped-call]
    if "after" not in others:
        ours.uninstrument()
    if others != "alone":
        contrib.instrument(tracer_provider=telemetry.tracer_provider, use_span_links="links" in others)
    ours.instrument()
    try:
        yield
    finally:
        ours.uninstrument()
        if others != "alone":
            contrib.uninstrument()


@contextmanager
def running(mode: IdentityMode, directory: Path, others: str = "alone", **policy: Any) -> Iterator[Telemetry]:
    """Have tasks make events in an identity mode."""
    with making_events(celery_shop.emitters, mode, directory, **policy) as telemetry, attached(others, telemetry):
        yield telemetry


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[Telemetry]:
    """Tasks that make events in the mode `identified`, with our hooks alone."""
    with running(IdentityMode.IDENTIFIED, tmp_path) as telemetry:
        yield telemetry


@contextmanager
def sent() -> Iterator[list[str]]:
    """See what goes to the broker."""
    found: list[str] = []

    def see(headers: Any, body: Any, properties: Any, **_: object) -> None:
        found.append(repr((headers, body, properties)))

    signals.before_task_publish.connect(see, weak=False)
    try:
        yield found
    finally:
        signals.before_task_publish.disconnect(see)


@pytest.mark.parametrize("others", OTHERS)
def test_whoever_sent_a_task_acts_in_it(others: str, tmp_path: Path) -> None:
    """Several users at once and nobody among them, in every way to send one: no event is another's or nobody's."""
    with running(IdentityMode.IDENTIFIED, tmp_path, others) as telemetry:

        def send(user: str | None) -> None:
            for way, (how, _) in celery_shop.WAYS.items():
                with telemetry.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER):
                    if user is not None:
                        set_user(user)
                    how(f"{user} {way}")

        threads = [threading.Thread(target=partial(send, each)) for each in USERS]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        expected = {
            (name, f"{user} {way}", user or NOBODY): count
            for user in USERS
            for way, (_, counts) in celery_shop.WAYS.items()
            for name, count in counts.items()
        }
        celery_shop.wait_until(lambda: len(telemetry.events) >= sum(expected.values()))
        assert whose(telemetry) == expected


@pytest.mark.parametrize("others", OTHERS)
def test_who_comes_to_act_in_a_task_acts_from_then_on(others: str, tmp_path: Path) -> None:
    """As in any request, and in no other task: the next one on the same thread is nobody's again."""
    with running(IdentityMode.IDENTIFIED, tmp_path, others) as telemetry:
        with user_context("u-1"):
            celery_shop.log_in.delay(1)
        celery_shop.wait_until(lambda: len(telemetry.events) == 2)
        for _ in range(8):
            celery_shop.work.delay(n=2)
        celery_shop.wait_until(lambda: len(telemetry.events) == 10)
    assert whose(telemetry) == {
        ("before", "1", "u-1"): 1,
        ("after", "1", "other-1"): 1,
        ("worked", "2", NOBODY): 8,
    }


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        (IdentityMode.UNLINKED, []),
        (IdentityMode.INSTALLATION, []),
        (IdentityMode.DAILY, ["daily-"]),
        (IdentityMode.PSEUDONYMOUS, ["user-"]),
        (IdentityMode.IDENTIFIED, ["u-4711", "s-4711", "g-4711"]),
    ],
)
def test_the_broker_gets_what_the_mode_sends_and_no_more(mode: IdentityMode, shown: list[str], tmp_path: Path) -> None:
    """The event of the task is sent as one that is made where the task is sent."""
    with running(mode, tmp_path) as telemetry, sent() as messages:
        with user_context("u-4711", session_id="s-4711", groups={"company": "g-4711"}):
            celery_shop.emitters[-1]("made", 1)
            celery_shop.work.delay(n=1)
        celery_shop.wait_until(lambda: len(telemetry.events) == 2)
    made, worked = telemetry.events
    assert made["distinct_id"] == worked["distinct_id"] or mode is IdentityMode.UNLINKED
    every = ["u-4711", "s-4711", "g-4711", "daily-", "user-"]
    assert [each for each in every if each in messages[0]] == shown
    assert (HEADER in messages[0]) is bool(shown)


@pytest.mark.parametrize(
    ("said", "names"),
    [(False, []), (True, ["worked"]), (None, [])],
)
@pytest.mark.parametrize("mode", [IdentityMode.INSTALLATION, IdentityMode.PSEUDONYMOUS, IdentityMode.IDENTIFIED])
def test_consent_and_denial_go_along(mode: IdentityMode, said: bool | None, names: list[str], tmp_path: Path) -> None:
    """Where the policy takes silence for a denial; a denial takes no id along."""
    required = CollectionPolicy(consent_required=True)
    with running(mode, tmp_path, collection=required) as telemetry, sent() as messages:
        with user_context("u-4711", consent=said):
            celery_shop.work.delay(n=1)
        with user_context("u-1", consent=True):
            celery_shop.again.delay(2)
        celery_shop.wait_until(lambda: len(telemetry.events) == 3 + len(names))
    assert sorted(telemetry.names) == sorted([*names, "try_0", "try_1", "try_2"])
    if said is False:
        assert "4711" not in messages[0]
        assert '{"consent":false}' in messages[0]


@pytest.mark.parametrize("given", [None, {"mine": "1"}])
def test_the_app_sees_the_headers_that_it_would_see_without_us(
    given: dict[str, str] | None, telemetry: Telemetry
) -> None:
    """Those it sent, and none of ours."""
    with user_context("u-4711"), sent() as messages:
        result = celery_shop.headers.apply_async(headers=given)
        assert "u-4711" in messages[0]
        assert result.get(timeout=20) == given


def test_who_acted_where_a_task_was_sent_the_last_time_does_not_act_now(telemetry: Telemetry) -> None:
    """An app that copies headers copies ours: who acts where it sends counts, and that is nobody."""
    celery_shop.work.apply_async(kwargs={"n": 1}, headers={HEADER: '{"user":"u-4711"}'}).get(timeout=20)
    assert whose(telemetry) == {("worked", "1", NOBODY): 1}


def test_after_a_task_nobody_acts_where_it_ran(telemetry: Telemetry) -> None:
    """What a worker does between two tasks is nobody's."""
    found = []

    def after(**_: object) -> None:
        found.append(record_in())

    signals.task_postrun.connect(after)
    with user_context("u-4711"):
        celery_shop.work.delay(n=1)
    celery_shop.wait_until(lambda: bool(found))
    signals.task_postrun.disconnect(after)
    assert found == [None]


def test_beat_sends_nobody(telemetry: Telemetry) -> None:
    """What is due is sent for nobody, though somebody acted when it was put down."""
    with user_context("u-1"):
        entry = ScheduleEntry(name="due", task="work", schedule=schedule(1), kwargs={"n": 1}, app=celery_shop.app)
    with sent() as messages:
        Scheduler(celery_shop.app, lazy=True).apply_entry(entry)
        celery_shop.wait_until(lambda: len(telemetry.events) == 1)
    assert HEADER not in messages[0]
    assert whose(telemetry) == {("worked", "1", NOBODY): 1}


def test_a_worker_without_the_hooks_does_the_task_and_hands_on_what_it_does_not_know(telemetry: Telemetry) -> None:
    """A message of ours is one like any other there, and it is sent again as it came."""
    with sent() as messages:
        with user_context("u-4711"):
            celery_shop.again.apply_async((1,), countdown=0.3)
        signals.task_prerun.disconnect(dispatch_uid="otel-posthog")
        signals.before_task_publish.disconnect(dispatch_uid="otel-posthog")
        celery_shop.wait_until(lambda: len(telemetry.events) == 3)
    assert ["u-4711" in each for each in messages] == [True] * 3
    assert telemetry.names == ["try_0", "try_1", "try_2"]


def test_an_app_without_the_package_set_up_sends_no_header() -> None:
    """Hooks alone say nothing."""
    PostHogCeleryInstrumentor().instrument()
    with user_context("u-4711"), sent() as messages:
        celery_shop.headers.delay().get(timeout=20)
    PostHogCeleryInstrumentor().uninstrument()
    assert HEADER not in messages[0]


def test_a_header_that_cannot_be_read_withholds_the_events_of_its_task(telemetry: Telemetry) -> None:
    """Nobody knows whether it was a denial; the task is done all the same."""
    hook = partial(_spoil, "{")
    signals.before_task_publish.connect(hook, weak=False)
    celery_shop.work.delay(n=1).get(timeout=20)
    signals.before_task_publish.disconnect(hook)
    celery_shop.work.delay(n=2).get(timeout=20)
    assert whose(telemetry) == {("worked", "2", NOBODY): 1}
    assert telemetry.dropped == {"consent": 1}


def _spoil(text: str, headers: dict[str, object], **_: object) -> None:
    headers[HEADER] = text


def test_it_can_be_attached_twice_and_taken_out() -> None:
    """Signals have what they had before, and events are not on anybody twice."""
    before = [len(each.receivers) for each in SIGNALS]
    for _ in range(2):
        PostHogCeleryInstrumentor().instrument()
    assert [len(each.receivers) for each in SIGNALS] == [each + 1 for each in before]
    for _ in range(2):
        PostHogCeleryInstrumentor().uninstrument()
    assert [len(each.receivers) for each in SIGNALS] == before


def test_what_goes_wrong_in_a_hook_is_counted_and_the_task_is_done(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By place and type."""
    monkeypatch.setattr(Guard, "reraise", False)
    monkeypatch.setattr("otel_posthog_instrumentation.celery.begin_task", lambda _: 1 // 0)
    monkeypatch.setattr("otel_posthog_instrumentation.celery.task_label", lambda: 1 // 0)
    assert celery_shop.headers.delay().get(timeout=20) is None
    assert telemetry.health.snapshot() == {(FAULT, "celery:ZeroDivisionError"): 2}
