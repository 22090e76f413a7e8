"""How a batch is taken off a queue, by the store in memory and by the one on disk alike."""

from __future__ import annotations

from collections import deque
from operator import itemgetter
from pathlib import Path

import pytest
from clean import clean
from spooled import drained, event, spool

from otel_posthog.deliver.batch import take_batch
from otel_posthog.deliver.spool import writer
from otel_posthog.deliver.spool.files import OsFiles
from otel_posthog.model import CleanEvent


def test_a_taking_that_is_interrupted_leaves_all_that_waits_as_it_was() -> None:
    """Repeats and what was picked already are back in their order, as if nobody had asked."""
    queue = deque((clean(number), place) for place, number in enumerate([1, 1, 2, 3]))
    before = list(queue)

    def interrupted(item: tuple[CleanEvent, int]) -> CleanEvent:
        if item[1] == 3:
            raise KeyboardInterrupt
        return item[0]

    with pytest.raises(KeyboardInterrupt):
        take_batch(queue, interrupted, 10, 10**6)
    assert list(queue) == before
    assert take_batch(queue, itemgetter(0), 10, 10**6) == [before[0], before[2], before[3]]
    assert list(queue) == [before[1]]


def test_a_disk_that_fails_within_a_batch_keeps_back_none_of_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in memory already goes out; the rest follows once the disk can be read."""
    monkeypatch.setattr(writer, "MAX_FRESH_BYTES", 0)

    class Failing(OsFiles):
        is_broken = False

        def open(self, path: Path) -> int:
            if self.is_broken and path.name == "00000002.seg":
                raise OSError(5, "Input/output error")
            return super().open(path)

    files = Failing(tmp_path)
    store = spool(tmp_path, files=files, max_segment_bytes=1000)
    events = [event(number) for number in range(4)]
    assert all(store.put(each) for each in events)
    files.is_broken = True
    first = store.take(10, 10**6)
    assert first == events[: len(first)]
    assert 0 < len(first) < 4
    store.acknowledge(first)
    files.is_broken = False
    assert drained(store) == events[len(first) :]
    store.close()
