"""What a spool promises its sender and its operator, beyond not losing events."""

from __future__ import annotations

import resource
import stat
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from page_cache import PageCache
from spooled import drained, event, segments, spool

from otel_posthog.deliver.spool import writer
from otel_posthog.deliver.spool.adoption import MAX_ADOPTED
from otel_posthog.deliver.spool.cursor import MAX_BEYOND
from otel_posthog.deliver.spool.files import OsFiles
from otel_posthog.deliver.spool.folder import unbound_path
from otel_posthog.deliver.spool.record import MIN_BYTES
from otel_posthog.health import ADOPTED, DEAD_LETTERED, DROPPED, STORAGE_ERROR, Health

ROOT = Path("/spool")


class Time:
    """A clock that a test sets; milliseconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def __call__(self) -> int:
        """Return the time."""
        return self.now


def numbers(events: list[object]) -> list[int]:
    """Return the numbers of events."""
    return [int(getattr(each, "uuid", "")[-12:]) for each in events]


def test_only_this_user_reads_what_waits(tmp_path: Path) -> None:
    """0700 for directories, 0600 for files, whatever the umask."""
    store = spool(tmp_path / "spool")
    store.put(event(1))
    batch = store.take(1, 10**6)
    store.dead_letter(batch, "rejected")
    for path in [tmp_path / "spool", *(tmp_path / "spool").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    store.close()


def test_a_full_spool_refuses_the_newest_and_takes_more_once_some_is_delivered(tmp_path: Path) -> None:
    """What was accepted stays: `put` says no, and the sender counts it."""
    store = spool(tmp_path, max_spool_bytes=50_000, max_segment_bytes=5_000)
    answers = [store.put(event(number)) for number in range(200)]
    kept = answers.index(False)
    assert 80 <= kept <= 100
    assert not any(answers[kept:])
    assert store.size_bytes <= 50_000
    store.acknowledge(store.take(50, 10**6))
    assert store.put(event(1000))
    assert numbers(list(drained(store))) == [*range(50, kept), 1000]
    store.close()


def test_what_others_left_counts_towards_the_bound(tmp_path: Path) -> None:
    """The bound is the destination's, not each process's."""
    first = spool(tmp_path)
    for number in range(80):
        first.put(event(number))
    first.close()
    second = spool(tmp_path, max_spool_bytes=50_000)
    answers = [second.put(event(1000 + number)) for number in range(50)]
    assert 10 <= answers.count(True) <= 20
    second.close()


def test_what_waits_too_long_is_dropped_and_counted() -> None:
    """By its own time, not its file's; here, and of destinations that are in no policy any more."""
    files, health, now_ms = PageCache(), Health(), Time()
    for destination in ("default", "gone"):
        first = spool(ROOT, files=files, destination=destination, now_ms=now_ms, max_spool_age_s=100)
        for number in range(10):
            first.put(event(number))
            now_ms.now += 10_000
        first.close()
    second = spool(ROOT, health, files=files, now_ms=now_ms, max_spool_age_s=100)
    assert health.snapshot()[DROPPED, "spool_expired"] == 10
    now_ms.now += 45_000
    third = spool(ROOT, health, files=files, now_ms=now_ms, destination="third", max_spool_age_s=100)
    assert health.snapshot()[DROPPED, "spool_expired"] == 15
    third.close()
    second.close()
    assert len(spool(ROOT, files=files, now_ms=now_ms, destination="gone", max_spool_age_s=100)) == 5


def test_many_directories_are_adopted_a_few_at_a_time(tmp_path: Path) -> None:
    """Whatever was left: a bounded number of files is open, and all of it comes out."""
    for number in range(MAX_ADOPTED + 5):
        first = spool(tmp_path / f"{number}")
        first.put(event(number))
        first.close()
        (path,) = (tmp_path / f"{number}" / "default").iterdir()
        (tmp_path / "spool" / "default").mkdir(parents=True, exist_ok=True)
        path.rename(tmp_path / "spool" / "default" / path.name)
    health = Health()
    store = spool(tmp_path / "spool", health)
    assert len(store) == MAX_ADOPTED
    assert sorted(numbers(list(drained(store)))) == list(range(MAX_ADOPTED + 5))
    assert health.snapshot()[ADOPTED, ""] == MAX_ADOPTED + 5
    store.close()
    assert list((tmp_path / "spool" / "default").iterdir()) == []


def test_a_backlog_does_not_delay_fresh_events(tmp_path: Path) -> None:
    """Directories take turns, a batch each; a flush does not wait for what others left."""
    first = spool(tmp_path)
    for number in range(500):
        first.put(event(number))
    first.close()
    second = spool(tmp_path)
    for number in range(1000, 1150):
        second.put(event(number))
    adopted = [second.adopted(second.take(50, 10**6)) for _ in range(6)]
    assert adopted in ([0, 50] * 3, [50, 0] * 3)
    second.close()


def test_answers_in_any_order_repeat_nothing_after_a_crash() -> None:
    """As many as a slot holds are remembered one by one, beyond that repeats come, never a loss."""
    files = PageCache()
    store = spool(ROOT, files=files)
    count = MAX_BEYOND + 50
    for number in range(count):
        store.put(event(number))
    batch = store.take(count, 10**9)
    for each in reversed(batch[1:]):
        store.acknowledge([each])
    files.kill()
    from otel_posthog.deliver.spool import owner  # noqa: PLC0415

    owner._held.clear()
    left = numbers(list(drained(spool(ROOT, files=files))))
    assert left[0] == 0
    assert len(left) == 1 + 49


def test_delivered_events_do_not_stay_on_the_disk(tmp_path: Path) -> None:
    """Once all is delivered the segment goes, at the latest when the spool is tended, and the directory at the end."""
    store = spool(tmp_path)
    store.put(event(1))
    drained(store)
    assert len(segments(tmp_path)) == 1
    store._maintained_at = None
    store.maintain()
    assert segments(tmp_path) == []
    store.put(event(2))
    assert numbers(list(drained(store))) == [2]
    store.close()
    assert list(tmp_path.glob("default/*")) == []


def test_dead_letters_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that refuses everything fills no disk; what is not kept is counted."""
    monkeypatch.setattr("otel_posthog.deliver.spool.dead_letters.MAX_FILES", 3)
    health = Health()
    store = spool(tmp_path, health)
    for number in range(5):
        store.put(event(number))
        store.dead_letter(store.take(1, 10**6), "rejected")
    assert health.snapshot()[DEAD_LETTERED, "rejected"] == 3
    assert health.snapshot()[STORAGE_ERROR, "dead_letters_full"] == 2
    assert len(store) == 0
    store.close()


def test_who_opts_out_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    """What waits, is under way, was left behind or is a dead letter: all of it goes, and what comes later is kept."""
    first = spool(tmp_path)
    for number in range(5):
        first.put(event(number))
    first.close()
    store = spool(tmp_path)
    for number in range(10, 20):
        store.put(event(number))
    store.dead_letter(store.take(1, 10**6), "rejected")
    under_way = store.take(2, 10**6)
    assert store.discard("opted_out") == 14
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    store.acknowledge(under_way)
    assert len(store) == 0
    assert store.put(event(99))
    assert numbers(list(drained(store))) == [99]
    store.close()


def test_a_closed_spool_takes_and_gives_nothing(tmp_path: Path) -> None:
    """A sender that is late with an answer touches no file any more."""
    health = Health()
    store = spool(tmp_path, health)
    store.put(event(1))
    batch = store.take(1, 10**6)
    store.close()
    store.close()
    store.acknowledge(batch)
    assert health.snapshot() == {}
    assert not store.put(event(2))
    assert store.take(1, 10**6) == []
    assert numbers(list(drained(spool(tmp_path)))) == [1]


def test_destinations_have_folders_of_their_own_whatever_they_are_called() -> None:
    """No name leaves the spool, and no two share a folder where letters have no case."""
    names = ("default", "Default", "a/b", "a-b", "..", "x" * 300, "\u00fc", "")
    folders = [unbound_path(ROOT, name) for name in names]
    assert len({str(folder).lower() for folder in folders}) == len(names)
    assert all(folder.parent == ROOT and len(folder.name) < 80 for folder in folders)


def test_the_level_tells_size_number_and_age() -> None:
    """What the metrics show; nothing waits: zero."""
    files, now_ms = PageCache(), Time()
    store = spool(ROOT, files=files, now_ms=now_ms)
    assert store.level() == (0, 0, 0.0)
    store.put(event(1))
    store.take(1, 10**6)
    now_ms.now += 90_000
    store.put(event(2))
    level = store.level()
    assert (level.events, level.oldest_age_s) == (2, 90.0)
    assert level.size_bytes > 1000


def test_what_waits_on_disk_takes_no_memory(tmp_path: Path) -> None:
    """Twenty times as many events take no more memory, while they are put and while they are read."""
    peaks = []
    for count in (1_000, 20_000):
        store = spool(tmp_path / str(count))
        tracemalloc.start()
        for number in range(count):
            store.put(event(number))
        assert len(drained(store)) == count
        peaks.append(tracemalloc.get_traced_memory()[1] - count * 900)
        tracemalloc.stop()
        store.close()
    # What `drained` returns is in it; 900 bytes an event is more than that takes.
    assert peaks[1] < 2_000_000


def test_files_are_closed(tmp_path: Path) -> None:
    """However many segments come and go, the number of open files stays."""
    store = spool(tmp_path, max_segment_bytes=3000)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for number in range(500):
        store.put(event(number))
    drained(store)
    after = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    assert after - before < 60 < limit
    store.close()


def test_importing_the_spool_costs_no_command_line_or_network() -> None:
    """The store is plain files: nothing heavy comes with it."""
    code = (
        "import sys, otel_posthog.deliver.spool; print([m for m in ('urllib3', 'rich', 'sqlite3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("most", [writer.MAX_FRESH_BYTES, 3000, 0])
def test_what_was_just_written_is_not_read_again(
    size: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch comes from memory as far as that goes, from the disk beyond it, each event once and in order."""
    monkeypatch.setattr(writer, "MAX_FRESH_BYTES", most)
    reads: list[int] = []

    class Counting(OsFiles):
        def read_at(self, descriptor: int, size: int, offset: int) -> bytes:
            reads.append(size)
            return super().read_at(descriptor, size, offset)

    store = spool(tmp_path, files=Counting(tmp_path), max_segment_bytes=20_000)
    events = [event(number) for number in range(28)]
    for first in range(0, len(events), size):
        store.put_all(events[first : first + size])
    reads.clear()
    taken = [each for _ in range(4) for each in store.take(7, 10**6)]
    assert taken == events
    assert bool(reads) == (most < len(events) * MIN_BYTES)
    store.acknowledge(taken)
    assert len(store) == 0
    store.close()
