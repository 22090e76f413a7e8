"""Another policy in a running process: at once, without a loss, or not at all."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from events import KEY, NEXT_KEY, ring
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import otel_posthog
from otel_posthog.identity import Pseudonyms
from otel_posthog.policy import (
    DeliveryPolicy,
    Destination,
    Durability,
    IdentityMode,
    Policy,
    PrivacyPolicy,
    Rule,
    active,
)
from otel_posthog.setup import configure as module
from otel_posthog.setup import reload
from otel_posthog.testing import FakePostHog

PHONE = "+49 30 901820"


class Program:
    """A program that emits log-based events and spans."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self.traces, self.loggers = TracerProvider(shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
        self.traces.add_span_processor(SimpleSpanProcessor(self.spans))
        self.meters = MeterProvider(shutdown_on_exit=False)

    def start(self, policy: Policy | Path, url: str) -> None:
        """Set the package up."""
        given = policy if isinstance(policy, Policy) else str(policy)
        otel_posthog.configure(
            policy=given,
            api_key="phc_test",
            host=url,
            tracer_provider=self.traces,
            logger_provider=self.loggers,
            meter_provider=self.meters,
        )

    def emit(self, number: int = 0) -> None:
        """Emit one event."""
        attributes: dict[str, str | int] = {
            "analytics.plan": "pro",
            "analytics.number": number,
            "analytics.note": f"call {PHONE}",
        }
        self.loggers.get_logger("t").emit(event_name="analytics.e", attributes=attributes)

    def close(self) -> None:
        """Shut the providers down."""
        for provider in (self.traces, self.loggers, self.meters):
            provider.shutdown()


@pytest.fixture
def program(not_set_up: None) -> Iterator[Program]:
    """A program in a process that is not set up."""
    made = Program()
    yield made
    otel_posthog.shutdown(5)
    made.close()


def written(path: Path, text: str) -> Path:
    """Write a policy file."""
    path.write_text(text, encoding="utf-8")
    return path


def test_the_next_event_follows_the_new_policy_on_both_sides(program: Program, fake_posthog: FakePostHog) -> None:
    """What was a property goes, and what the operational side kept is redacted, from the next item on."""
    program.start(Policy(), fake_posthog.url)
    program.emit()
    with program.traces.get_tracer("t").start_as_current_span("a", attributes={"plan": "pro"}):
        pass
    privacy = PrivacyPolicy(rules=(Rule(keys=("plan",)),))
    assert otel_posthog.replace_policy(Policy(privacy=privacy))
    assert active().privacy is privacy
    program.emit()
    with program.traces.get_tracer("t").start_as_current_span("b", attributes={"plan": "pro"}):
        pass
    assert otel_posthog.flush(10)
    assert sorted("plan" in event.properties for event in fake_posthog.events) == [False, True]
    assert [dict(span.attributes or {}) for span in program.spans.get_finished_spans()] == [
        {"plan": "pro"},
        {"plan": "[redacted]"},
    ]


def test_no_event_is_lost_or_doubled_while_policies_come_and_go(program: Program, fake_posthog: FakePostHog) -> None:
    """Threads go on emitting over many replacements; each event arrives once, filtered by one policy or the other."""
    program.start(Policy(), fake_posthog.url)
    done = threading.Event()

    def emit(first: int) -> None:
        for number in range(first, first + 200):
            program.emit(number)
        done.set()

    threads = [threading.Thread(target=emit, args=(first,)) for first in (0, 200, 400)]
    for thread in threads:
        thread.start()
    policies = [Policy(privacy=PrivacyPolicy(rules=(Rule(keys=("plan",)),))), Policy()]
    for number in range(20):
        assert otel_posthog.replace_policy(policies[number % 2])
    for thread in threads:
        thread.join()
    assert otel_posthog.flush(20)
    assert sorted(event.properties["number"] for event in fake_posthog.events) == list(range(600))
    assert all(event.properties["note"] == "call [phone]" for event in fake_posthog.events)


@pytest.mark.parametrize("text", ["privacy:\n  max_depth: -1\n", "nonsense: 1\n", "a: [\n"])
def test_a_broken_replacement_is_refused_in_one_line(
    text: str, program: Program, fake_posthog: FakePostHog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The policy before it stays in force, and the line names file, line and fix."""
    path = written(tmp_path / "p.yaml", "privacy:\n  rules: [{keys: [plan]}]\n")
    program.start(path, fake_posthog.url)
    written(path, text)
    caplog.clear()
    assert not otel_posthog.replace_policy()
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert record.getMessage().startswith(f"{path}:")
    assert record.getMessage().endswith("The policy before it stays in force")
    program.emit()
    assert otel_posthog.flush(10)
    assert "plan" not in fake_posthog.events[0].properties


def test_a_missing_hmac_key_refuses_a_replacement(
    program: Program, fake_posthog: FakePostHog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A policy whose key cannot be had is as broken as one that cannot be read."""
    program.start(Policy(), fake_posthog.url)
    path = written(tmp_path / "p.yaml", "privacy:\n  hmac_key: {env: NO_SUCH_KEY}\n  detectors: {phone: hmac}\n")
    assert not otel_posthog.replace_policy(path)
    assert "the environment variable NO_SUCH_KEY is not set" in caplog.text


def test_a_watched_file_is_read_again_when_it_changes(
    program: Program, fake_posthog: FakePostHog, tmp_path: Path
) -> None:
    """With `watch_interval_s`, the worker finds the change, also one that a rename brings; a broken one waits."""
    path = written(tmp_path / "p.yaml", "watch_interval_s: 0.01\n")
    program.start(path, fake_posthog.url)
    program.emit()
    written(tmp_path / "new.yaml", "watch_interval_s: 0.01\nprivacy: {rules: [{keys: [plan]}]}\n").replace(path)
    deadline = time.monotonic() + 60
    while not active().privacy.rules and time.monotonic() < deadline:
        program.emit()
        otel_posthog.flush(5)
    written(path, "nonsense: true\n")
    for _ in range(5):
        program.emit()
        otel_posthog.flush(5)
    assert [rule.keys for rule in active().privacy.rules] == [("plan",)]
    assert "plan" not in fake_posthog.events[-1].properties


def test_a_file_that_is_not_watched_is_read_once(program: Program, fake_posthog: FakePostHog, tmp_path: Path) -> None:
    """Without `watch_interval_s` a change waits for `replace_policy()`."""
    path = written(tmp_path / "p.yaml", "version: 1\n")
    program.start(path, fake_posthog.url)
    written(path, "privacy: {rules: [{keys: [plan]}]}\n")
    program.emit()
    assert otel_posthog.flush(10)
    assert "plan" in fake_posthog.events[0].properties
    assert otel_posthog.replace_policy()
    assert active().privacy.rules


@pytest.mark.parametrize("durability", ["spool", "write_through", "memory"])
def test_a_key_file_is_read_again_in_a_running_process(  # noqa: PLR0917 - fixtures
    durability: str,
    program: Program,
    fake_posthog: FakePostHog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever is watched: a key that is added counts from its time on; keys that cannot be used leave the others."""
    monkeypatch.setattr(reload, "KEYS_INTERVAL_S", 0.01)
    keys = written(tmp_path / "keys", f"{KEY}\n")
    monkeypatch.setenv("OTEL_POSTHOG_IDENTITY_KEYS_FILE", str(keys))
    delivery = DeliveryPolicy(durability=Durability(durability), flush_interval_s=0.01)
    program.start(Policy(identity=IdentityMode.PSEUDONYMOUS, delivery=delivery), fake_posthog.url)

    def sent_as() -> str:
        before = len(fake_posthog.events)
        with otel_posthog.user_context("u-4711"):
            program.emit()
        assert otel_posthog.flush(30)
        return fake_posthog.events[before].distinct_id

    def until(expected: str) -> bool:
        deadline = time.monotonic() + 60
        while (found := sent_as()) != expected and time.monotonic() < deadline:
            assert found == first
        return found == expected

    first = sent_as()
    written(tmp_path / "new", f"{KEY}\n2020-01-01 {NEXT_KEY}\n2999-01-01 {KEY[::-1]}\n").replace(keys)
    second = Pseudonyms(keys=ring(NEXT_KEY)).user("u-4711", 0) or ""
    assert until(second)
    written(keys, "short\n")
    deadline = time.monotonic() + 60
    while "a key of 5 bytes" not in caplog.text and time.monotonic() < deadline:
        assert sent_as() == second
    assert "The keys before it stay in force" in caplog.text
    assert sent_as() == second
    assert KEY not in caplog.text


def test_the_first_event_of_a_process_that_was_idle_has_the_key_of_now(
    program: Program, fake_posthog: FakePostHog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker looks before it handles anything: nothing had started it when the file changed."""
    monkeypatch.setattr(reload, "KEYS_INTERVAL_S", 0.0)
    keys = written(tmp_path / "keys", f"{KEY}\n")
    monkeypatch.setenv("OTEL_POSTHOG_IDENTITY_KEYS_FILE", str(keys))
    program.start(Policy(identity=IdentityMode.PSEUDONYMOUS), fake_posthog.url)
    written(tmp_path / "new", f"{KEY}\n2020-01-01 {NEXT_KEY}\n").replace(keys)
    with otel_posthog.user_context("u-4711"):
        program.emit()
    assert otel_posthog.flush(30)
    assert fake_posthog.events[0].distinct_id == Pseudonyms(keys=ring(NEXT_KEY)).user("u-4711", 0)


def test_a_watched_policys_key_of_hmac_is_read_again(
    program: Program, fake_posthog: FakePostHog, tmp_path: Path
) -> None:
    """A key file is looked at as the policy's own is."""
    key = written(tmp_path / "key", KEY)
    policy = "watch_interval_s: 0.01\nprivacy: {hmac_key: {file: key}, rules: [{keys: [plan], method: hmac}]}\n"
    program.start(written(tmp_path / "p.yaml", policy), fake_posthog.url)
    tokens = set[object]()
    deadline = time.monotonic() + 60
    while len(tokens) < 2 and time.monotonic() < deadline:
        program.emit()
        assert otel_posthog.flush(30)
        tokens.add(fake_posthog.events[-1].properties["plan"])
        if len(tokens) == 1:
            written(tmp_path / "new", NEXT_KEY).replace(key)
    assert len(tokens) == 2


def test_a_new_destination_gets_events_and_one_that_is_gone_gets_none(
    program: Program, fake_posthog: FakePostHog
) -> None:
    """Destinations come and go with the policy; what was cleaned for one that goes is still delivered."""
    with FakePostHog() as other:
        program.start(Policy(), fake_posthog.url)
        program.emit(1)
        assert otel_posthog.flush(10)
        second = Destination("second", "phc_test", other.url)
        assert otel_posthog.replace_policy(Policy(destinations=(Destination(), second)))
        program.emit(2)
        assert otel_posthog.flush(10)
        assert otel_posthog.replace_policy(Policy(destinations=(replace(second, api_key="phc_test"),)))
        program.emit(3)
        assert otel_posthog.flush(10)
        assert sorted(event.properties["number"] for event in fake_posthog.events) == [1, 2]
        assert sorted(event.properties["number"] for event in other.events) == [2, 3]


def test_what_takes_a_restart_is_told(
    program: Program, fake_posthog: FakePostHog, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys and hosts of what runs stay as they are until the next start, and a line says so."""
    program.start(Policy(destinations=(Destination("a", "phc_a", fake_posthog.url),)), fake_posthog.url)
    changed = Policy(destinations=(Destination("a", "phc_a", "http://127.0.0.1:9"),))
    running = module.running()
    assert running is not None
    module._running = running._replace(settings=replace(running.settings, api_key=None, host=None))
    changed = replace(changed, delivery=replace(changed.delivery, flush_interval_s=0.5))
    assert otel_posthog.replace_policy(changed)
    assert "of the new policy, delivery, destination a will be in force from the next start" in caplog.text
    program.emit()
    assert otel_posthog.flush(10)
    assert len(fake_posthog.events) == 1


def test_without_set_up_there_is_nothing_to_replace(program: Program, caplog: pytest.LogCaptureFixture) -> None:
    """The line says what to call instead."""
    assert not otel_posthog.replace_policy(Policy())
    assert "configure(policy=...)" in caplog.text


def test_an_off_switch_of_the_new_policy_ends_collection(
    program: Program, fake_posthog: FakePostHog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An alias that the environment says no to switches off at once, and a policy without it on again."""
    monkeypatch.setenv("SHOP_STATS", "false")
    program.start(Policy(), fake_posthog.url)
    program.emit(1)
    assert otel_posthog.flush(10)
    assert otel_posthog.replace_policy(written(tmp_path / "p.yaml", "collection: {off_switches: [SHOP_STATS]}\n"))
    program.emit(2)
    assert otel_posthog.flush(10)
    assert otel_posthog.replace_policy(Policy())
    program.emit(3)
    assert otel_posthog.flush(10)
    assert sorted(event.properties["number"] for event in fake_posthog.events) == [1, 3]
