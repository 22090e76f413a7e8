"""The app's side while somebody looks on: how much it does at a time, and that what it shows is what was sent."""

from __future__ import annotations

import socket
import time
from contextlib import closing

from otel_posthog.inspection.ring import Entry, Ring
from otel_posthog.inspection.viewers import Viewer


def test_a_viewer_is_served_a_little_at_a_time() -> None:
    """So that the app's threads and the worker wait for it no longer; nothing is passed over for that."""
    ring = Ring()
    for _ in range(100):
        ring.add(Entry(0, 0))
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        ours.setblocking(False)
        viewer, shown = Viewer(ours, b""), list[int]()

        def line_of(entry: Entry) -> bytes:
            until = time.thread_time() + 0.001
            while time.thread_time() < until:
                pass
            shown.append(entry.seq)
            return b"{}\n"

        while len(shown) < 100:
            before = len(shown)
            viewer.show(ring, line_of, 0.005)
            assert 1 <= len(shown) - before <= 6
    assert shown == list(range(1, 101))
    assert viewer.skipped == 0
