"""Disks that are full, read-only, forbidden or failing: counted, the host unharmed, back when the disk is."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from disks import Loop, tmpfs
from page_cache import PageCache
from spooled import drained, event, segments, spool

from otel_posthog.deliver import SpoolRoot
from otel_posthog.deliver.delivery import open_store
from otel_posthog.deliver.spool import Spool
from otel_posthog.deliver.store import MemoryStore
from otel_posthog.health import DROPPED, STORAGE_ERROR, Health
from otel_posthog.policy import DeliveryPolicy, Destination, Durability

SUPPORT = Path(__file__).parents[1] / "support"
ROOT = Path("/spool")


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that failed is tried again at once."""
    monkeypatch.setattr("otel_posthog.deliver.spool.disk_state.RETRY_S", 0.0)


def numbers(events: list[object]) -> list[int]:
    """Return the numbers of events, sorted."""
    return sorted(int(getattr(each, "uuid", "")[-12:]) for each in events)


def test_a_full_disk_loses_nothing_and_can_still_acknowledge(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """On a real small tmpfs: events go on in memory, are sent from there, and go to disk when there is room."""
    with tmpfs(tmp_path / "disk", 256 * 1024) as disk:
        health = Health()
        store = spool(disk, health)
        count = 0
        while not store.volatile:
            assert store.put(event(count))
            count += 1
        assert 100 < count < 600
        for _ in range(50):
            assert store.put(event(count))
            count += 1
        assert health.snapshot()[STORAGE_ERROR, "no_space"] >= 1
        store.log()
        assert caplog.text.count("cannot be written (No space left on device)") == 1
        first = store.take(100, 10**7)
        store.acknowledge(first)
        again = spool(disk, Health())  # a process that dies now repeats nothing of that
        assert len(again) == 0
        found = [*first, *drained(store)]
        assert numbers(list(found)) == list(range(count))
        assert store.put(event(count))
        assert store.volatile == 0
        store.log()
        assert caplog.text.count("can be written again") == 1
        assert health.total(DROPPED) == 0
        store.close()
        again.close()


def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    """RLIMIT_FSIZE in a process of its own: the real call that writes less than it was given."""
    code = """
import resource, sys, pathlib
from spooled import spool, event, drained
from otel_posthog.health import Health
health = Health()
store = spool(pathlib.Path(sys.argv[1]), health)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
assert all(store.put(event(number)) for number in range(200))
assert health.snapshot()["storage_error", "no_space"] >= 1, health.snapshot()
found = drained(store)
assert sorted(each.uuid for each in found) == [event(number).uuid for number in range(200)], len(found)
store.close()
print("fine")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(SUPPORT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == "fine\n", done.stderr


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EMFILE, errno.ESTALE])
def test_any_error_of_the_disk_sends_events_through_memory(code: int) -> None:
    """Counted under its reason; all of them come out, and later ones are on disk again."""
    files, health = PageCache(), Health()
    store = spool(ROOT, health, files=files)
    for number in range(30):
        files.error = OSError(code, os.strerror(code)) if 10 <= number < 20 else None
        assert store.put(event(number))
    assert store.volatile == 0
    assert sum(amount for (name, _), amount in health.snapshot().items() if name == STORAGE_ERROR) >= 10
    assert numbers(list(drained(store))) == list(range(30))
    assert health.total(DROPPED) == 0


def test_what_fits_neither_disk_nor_memory_is_refused(tmp_path: Path) -> None:
    """The bound of memory holds; `put` says no, and the sender counts it."""
    files = PageCache()
    store = spool(ROOT, files=files, max_buffer_bytes=5000)
    files.error = OSError(errno.EIO, os.strerror(errno.EIO))
    answers = [store.put(event(number)) for number in range(20)]
    assert 0 < answers.count(True) < 20
    assert store.size_bytes <= 5000 + 200
    files.error = None
    assert store.put(event(99))
    assert len(drained(store)) == answers.count(True) + 1


def test_a_sync_that_fails_is_counted_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events are where they were; what a power cut would cost cannot be known."""
    health = Health()
    store = spool(tmp_path, health, max_segment_bytes=2000)

    def failing(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("otel_posthog.deliver.spool.writer.start_daemon", lambda *_: None)
    monkeypatch.setattr(store._files, "sync", failing)
    for number in range(10):
        assert store.put(event(number))
    assert health.snapshot()[STORAGE_ERROR, "input_output"] >= 2
    assert numbers(list(drained(store))) == list(range(10))
    store.close()


@pytest.fixture
def forbidden(tmp_path: Path) -> Path:
    """A place where no directory can be made, for root neither: below a file."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "spool"


def test_a_directory_that_cannot_be_used_is_memory_with_one_line(
    forbidden: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The line names the directory, the reason and what to do."""
    store = open_store(Destination(), DeliveryPolicy(), Health(), SpoolRoot(forbidden))
    assert isinstance(store, MemoryStore)
    (line,) = caplog.messages
    assert f"the spool {forbidden} cannot be used (Not a directory)" in line
    assert "OTEL_POSTHOG_SPOOL_DIR" in line


def test_memory_on_request_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is written where the policy says so."""
    caplog.set_level(logging.INFO)
    policy = DeliveryPolicy(durability=Durability.MEMORY)
    assert isinstance(open_store(Destination(), policy, Health(), SpoolRoot(tmp_path / "spool")), MemoryStore)
    assert len(caplog.messages) == 1
    assert not (tmp_path / "spool").exists()
    assert isinstance(open_store(Destination(), DeliveryPolicy(), Health(), SpoolRoot(tmp_path / "spool")), Spool)


def test_a_power_cut_on_a_real_file_system_leaves_what_was_synced(tmp_path: Path) -> None:
    """On ext4 in a file: a copy of the image is what the disk had; every event of a full segment is on it."""
    loop = Loop(tmp_path)
    try:
        store = spool(loop.mounted / "spool", max_segment_bytes=30_000)
        events = [event(number) for number in range(1000)]
        for each in events:
            store.put(each)
        for thread in threading.enumerate():
            if thread.name == "otel-posthog-sync":
                thread.join()
        full = segments(loop.mounted / "spool")[:-1]
        assert len(full) >= 15
        with loop.after_a_power_cut(tmp_path) as mounted:
            after = spool(mounted / "spool")
            found = drained(after)
            after.close()
        assert all(each in events for each in found)
        assert found[: 58 * len(full)] == events[: 58 * len(full)]
        store.close()
    finally:
        loop.unmount()
