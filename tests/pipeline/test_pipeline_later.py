"""What a start leaves for later: made once, also where threads and forks come at once, and again where it failed."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from clean import TIME_NS, policy
from forked import in_child

from otel_posthog import later
from otel_posthog.errors import Guard
from otel_posthog.health import DROPPED, Health
from otel_posthog.later import Later, no_fork
from otel_posthog.model import Signal, Source
from otel_posthog.pipeline import Pipeline

SIGNAL = Signal(Source.LOG, "e", {}, TIME_NS, observed_time_ns=1)


@pytest.fixture(autouse=True)
def _no_greenlets(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in most processes, whatever tests before this one have imported."""
    for each in ("gevent", "eventlet"):
        # Set before, so that it is taken away again where it was not there.
        monkeypatch.setitem(sys.modules, each, sys)
        monkeypatch.delitem(sys.modules, each)


def test_it_is_made_once_whoever_asks() -> None:
    """Twenty threads get the same object."""
    made: list[object] = []

    def make() -> object:
        time.sleep(0.02)
        made.append(object())
        return made[-1]

    found, given = Later(make), list[object]()
    threads = [threading.Thread(target=lambda: given.append(found.get())) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) == 1
    assert set(map(id, given)) == {id(made[0])}


def test_where_it_failed_the_next_one_tries_again() -> None:
    """A module that could not be read once, with no file descriptor left say, is read the next time."""
    answers = iter([OSError("too many open files"), None])

    def make() -> str:
        error = next(answers)
        if error is not None:
            raise error
        return "made"

    found = Later(make)
    with pytest.raises(OSError, match="too many"):
        found.get()
    assert found.get() == "made"


def test_a_fork_has_it_made_before_and_children_share_it() -> None:
    """A server that starts workers by forking reads the modules once, not in each of them; a failure stops no fork."""
    makers: list[int] = []

    def make() -> str:
        makers.append(os.getpid())
        return "made"

    def fails() -> object:
        raise OSError

    found, failing = Later(make), Later(fails)
    assert in_child(lambda: found.get() == "made" and makers == [os.getppid()])
    assert makers == [os.getpid()]
    with pytest.raises(OSError):
        failing.get()


def test_a_fork_waits_for_an_import_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child of a fork in the middle of an import would wait for ever for the module, which nobody goes on to read."""
    (tmp_path / "slowly_read.py").write_text("import time; time.sleep(0.3); value = 1")
    monkeypatch.syspath_prepend(str(tmp_path))

    def read() -> Any:
        return importlib.import_module("slowly_read")

    def import_it() -> None:
        with no_fork:
            read()

    thread = threading.Thread(target=import_it)
    thread.start()
    while "slowly_read" not in sys.modules:
        time.sleep(0.001)
    assert in_child(lambda: read().value == 1)
    thread.join()


@pytest.mark.parametrize("name", ["gevent", "eventlet"])
def test_greenlets_find_it_made(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made by the thread that imports them, before they take the place of threads, and at once from then on."""
    (tmp_path / f"{name}.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    makers: list[int] = []
    found = Later(lambda: makers.append(threading.get_ident()))
    assert makers == []
    importlib.import_module(name)
    assert makers == [threading.get_ident()]
    assert later._imports not in sys.meta_path
    after = Later(lambda: makers.append(threading.get_ident()))
    assert len(makers) == 2
    del found, after


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults are counted, as in production."""
    monkeypatch.setattr(Guard, "reraise", False)


@pytest.mark.usefixtures("unguarded")
def test_an_event_is_dropped_where_the_stages_cannot_be_made_and_the_next_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fail closed, counted with its reason; who keeps its events until they are accepted is told to keep them."""
    health = Health()
    made = Pipeline(policy("http://127.0.0.1:9"), installation_id="i", health=health, guard=Guard(health))
    failing = [True, True]

    def fails() -> Any:
        if failing:
            failing.pop()
            raise OSError
        return made._stages()

    monkeypatch.setattr(made, "_made", Later(fails))
    assert made.accept([SIGNAL]).is_kept is False
    made.submit(SIGNAL)
    made.flush(5)
    assert health.snapshot()[DROPPED, "error_in_stages"] == 1
    assert made.accept([SIGNAL]).events == 1
    made.shutdown(0)


def test_a_start_makes_no_stages_and_the_first_event_does() -> None:
    """The detectors are read on the worker's thread, not on the one that starts the app."""
    health = Health()
    made = Pipeline(policy("http://127.0.0.1:9"), installation_id="i", health=health, guard=Guard(health))
    assert made._made in later._waiting
    made.submit(SIGNAL)
    made.flush(5)
    assert made._made not in later._waiting
    made.shutdown(0)
