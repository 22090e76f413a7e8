"""Programs of several processes, threads or coroutines: each event exactly once, and no process left over."""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter

import pytest
from processes import PROGRAMS, Tree, command, environment, running
from product import MAIL, PER_CALL

from otel_posthog.testing import FakePostHog, OtlpSink

INSTRUMENT = command("opentelemetry-instrument")


def assert_each_once(numbers: range, posthog: FakePostHog) -> None:
    """Require each kind of event once for each number, and no other."""
    came = Counter((each.event, each.properties["n"]) for each in posthog.events)
    kinds = ("spanned", "noted", "emitted")
    assert came == {(kind, number): 1 for kind in kinds for number in numbers}


def assert_clean(spans: int, sink: OtlpSink) -> None:
    """Require that the operational side has this many spans, and no product data."""
    assert sum(each.name == "work" for each in sink.spans) == spans
    assert b"analytics." not in sink.raw_bytes
    assert MAIL.encode() not in sink.raw_bytes


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver", "os.fork"])
def test_children_deliver_what_they_make(method: str, fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """Parent and children, however they are started and however soon they end."""
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url)
    words = (INSTRUMENT, sys.executable, str(PROGRAMS / "forking.py"), method)
    with running(*words, environ=variables) as tree:
        assert tree.process.wait(60) == 0, tree.out
        tree.wait_until_alone()
        assert "done" in tree.out.splitlines()
        assert "otel_posthog/" not in tree.out, tree.out
    assert_each_once(range(4), fake_posthog)
    assert b"analytics." not in otlp_sink.raw_bytes


def test_coroutines_and_threads_have_users_of_their_own(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """Each event is about the user whose coroutine or thread made it."""
    identified = {"ANALYTICS_ANONYMIZE_USER_IDS": "false"}
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url, **identified)
    words = (INSTRUMENT, sys.executable, str(PROGRAMS / "concurrent_work.py"))
    with running(*words, environ=variables) as tree:
        assert tree.process.wait(60) == 0, tree.out
    assert_each_once(range(15), fake_posthog)
    assert {(each.properties["n"], each.distinct_id) for each in fake_posthog.events} == {
        (number, f"user-{number}") for number in range(15)
    }
    assert_clean(15, otlp_sink)


def tell(tree: Tree, word: str) -> None:
    """Write a line to the program."""
    assert tree.process.stdin is not None
    tree.process.stdin.write(f"{word}\n".encode())
    tree.process.stdin.flush()


def test_a_process_that_is_frozen_between_two_invocations_loses_nothing(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """As in AWS Lambda: `flush()` at an invocation's end delivers before the freeze; the rest comes after it."""
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url)
    words = (INSTRUMENT, sys.executable, str(PROGRAMS / "on_demand.py"))
    with running(*words, environ=variables) as tree:
        tree.wait_for("ready")
        tell(tree, "0")
        tell(tree, "flush")
        assert tree.wait_for(r"flushed (\w+)") == ["True"]
        assert_each_once(range(1), fake_posthog)
        freeze(tree)
        tell(tree, "1")
        tree.wait_for("worked 1")
        # Caught in the middle of whatever it is doing: nothing was flushed this time.
        freeze(tree)
        tell(tree, "2")
        fake_posthog.wait_for(3 * PER_CALL)
        assert tree.process.stdin is not None
        tree.process.stdin.close()
        assert tree.process.wait(60) == 0, tree.out
    assert_each_once(range(3), fake_posthog)
    assert_clean(3, otlp_sink)


def freeze(tree: Tree) -> None:
    """Stop the program for longer than the flush interval and the life of an idle connection's patience."""
    tree.process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)
    tree.process.send_signal(signal.SIGCONT)
