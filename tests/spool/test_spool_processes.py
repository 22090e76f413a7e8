"""The spool among real processes: killed, racing, forked."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random

import pytest
from forked import in_child
from spooled import drained, event, segments, spool

from otel_posthog.health import ADOPTED, DROPPED, Health

SUPPORT = Path(__file__).parents[1] / "support"
ROUNDS = 6


def worker(root: Path, first: int, count: int) -> subprocess.Popen[bytes]:
    """Start a process that fills the spool."""
    command = [sys.executable, str(SUPPORT / "spool_worker.py"), str(root), str(first), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def killed(process: subprocess.Popen[bytes]) -> list[int]:
    """Kill a worker and return what it had told to be on disk."""
    process.send_signal(signal.SIGKILL)
    assert process.stdout is not None
    lines = process.stdout.read().split(b"\n")[:-1]
    process.stdout.close()
    process.wait()
    return [int(line) for line in lines if line != b"done"]


def test_kill_9_at_any_instant_loses_nothing_that_was_put(tmp_path: Path) -> None:
    """Every event whose `put` returned is there for the next process; the benchmark does this fifty times."""
    chance, told = Random(7), []
    for number in range(ROUNDS):
        process = worker(tmp_path, 1_000_000 * number, 1_000_000)
        assert process.stdout is not None
        told.append(int(process.stdout.readline()))
        time.sleep(chance.uniform(0, 0.15))
        told += killed(process)
    health = Health()
    found = drained(spool(tmp_path, health))
    expected = [event(number) for number in told]
    assert len(expected) > 10 * ROUNDS
    assert {each.uuid for each in expected} - {each.uuid for each in found} == set()
    bodies = {each.uuid: each.body for each in found}
    assert all(bodies[each.uuid] == each.body for each in expected)
    assert len(found) == len(bodies)
    assert health.total(DROPPED) == 0
    assert segments(tmp_path) == []


def test_processes_that_race_for_what_is_left_get_each_event_once(tmp_path: Path) -> None:
    """Of three that start at once each directory has one owner; nothing comes twice, nothing stays behind."""
    for number in range(4):
        process = worker(tmp_path, 1000 * number, 200)
        assert process.stdout is not None
        while process.stdout.readline() != b"done\n":
            pass
        killed(process)
    code = (
        "import sys, pathlib; from spooled import spool, drained; sys.stdin.readline();"
        "print(*(each.uuid for each in drained(spool(pathlib.Path(sys.argv[1])), max_events=7)), sep='\\n')"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SUPPORT)},
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    found = [line for racer in racers for line in racer.communicate(timeout=120)[0].split()]
    assert sorted(found) == sorted(event(1000 * number + each).uuid for number in range(4) for each in range(200))


def test_a_living_process_keeps_what_it_has(tmp_path: Path) -> None:
    """Its directory is locked: another process neither reads nor removes it, and takes it over once it is gone."""
    process = worker(tmp_path, 0, 50)
    assert process.stdout is not None
    while process.stdout.readline() != b"done\n":
        pass
    health = Health()
    other = spool(tmp_path, health)
    assert len(other) == 0
    killed(process)
    other._maintained_at = None
    other.maintain()
    assert health.snapshot()[ADOPTED, ""] == 50
    assert len(drained(other)) == 50
    other.close()


def test_the_child_of_a_fork_has_a_directory_of_its_own_with_its_first_event(tmp_path: Path) -> None:
    """It inherits nothing, its events outlive it, and the parent goes on with its own."""
    parent = spool(tmp_path)
    for number in range(3):
        parent.put(event(number))
    taken = parent.take(1, 10**6)

    def work() -> bool:
        parent.reset_after_fork()
        empty = len(parent) == 0 and len(list(tmp_path.glob("default/*-*"))) == 1
        parent.acknowledge(taken)
        return empty and parent.put(event(100)) and len(parent) == 1

    assert in_child(work)
    parent.acknowledge(taken)
    parent._maintained_at = None
    parent.maintain()
    assert sorted(each.uuid for each in drained(parent)) == [event(number).uuid for number in (1, 2, 100)]
    parent.close()
    assert list(tmp_path.glob("default/*")) == []


def test_many_threads_put_while_one_sends(tmp_path: Path) -> None:
    """Nothing is lost, nothing comes twice, each thread's events come in its order."""
    store = spool(tmp_path, max_segment_bytes=20_000)

    def put(first: int) -> None:
        for number in range(first, first + 500):
            assert store.put(event(number))

    threads = [threading.Thread(target=put, args=(1000 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    found = []
    while any(thread.is_alive() for thread in threads) or len(store):
        batch = store.take(50, 10**6)
        found += [int(each.uuid[-12:]) for each in batch]
        store.acknowledge(batch)
    for thread in threads:
        thread.join()
    for number in range(4):
        assert [each for each in found if each // 1000 == number] == list(range(1000 * number, 1000 * number + 500))
    assert len(found) == 2000
    store.close()


def test_a_signal_in_the_middle_of_a_put_may_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that captures an event neither hangs nor tears the record that is being written."""
    store = spool(tmp_path)
    store.put(event(0))
    append = store._files.append
    inner: list[bool] = []

    def interrupted(descriptor: int, data: bytes) -> int:
        if not inner:
            inner.append(True)
            assert store.put(event(2))
        return append(descriptor, data)

    monkeypatch.setattr(store._files, "append", interrupted)
    assert store.put(event(1))
    assert [int(each.uuid[-12:]) for each in drained(store)] == [0, 1, 2]
    store.close()


def test_a_key_interrupt_in_the_middle_of_a_put_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows how much was written: the next event begins a new segment."""
    store = spool(tmp_path)
    append = store._files.append

    def interrupted(descriptor: int, data: bytes) -> int:
        append(descriptor, data[:-20])
        raise KeyboardInterrupt

    store.put(event(0))
    with monkeypatch.context() as patched:
        patched.setattr(store._files, "append", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.put(event(1, size=900))
    store.put(event(2))
    assert [int(each.uuid[-12:]) for each in drained(store)] == [0, 2]
    store.close()


def test_an_exit_in_the_middle_of_a_move_to_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler that raises, as `sys.exit()` does, leaves in memory what is not on disk yet."""
    store = spool(tmp_path)
    append, left = store._files.append, [3]

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def interrupted(descriptor: int, data: bytes) -> int:
        left[0] -= 1
        if not left[0]:
            raise SystemExit
        return append(descriptor, data)

    monkeypatch.setattr("otel_posthog.deliver.spool.disk_state.RETRY_S", 0.0)
    monkeypatch.setattr(store._files, "append", full)
    for number in range(5):
        store.put(event(number))
    monkeypatch.setattr(store._files, "append", interrupted)
    with pytest.raises(SystemExit):
        store.put(event(5))
    monkeypatch.setattr(store._files, "append", append)
    assert store.volatile
    assert sorted(int(each.uuid[-12:]) for each in drained(store)) == list(range(6))
    store.close()
