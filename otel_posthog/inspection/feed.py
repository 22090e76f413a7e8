"""The app's side of an inspector: the taps, the ring, and a thread that listens on a socket of this user alone.

The app's threads and the worker put what they have in hand into a queue, and do no more; all else is done here, on a
thread of its own. Off, there is nothing of this: no file, no socket, no thread, and one question at each tap. A user's
opt-out ends it and empties it; a child of a fork begins with nothing, and listens from its first item on.
"""

from __future__ import annotations

import atexit
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.inspection.door import Door
from otel_posthog.inspection.entries import Entries
from otel_posthog.inspection.explaining import Explaining
from otel_posthog.inspection.figures import Figures
from otel_posthog.inspection.form import Values, as_line
from otel_posthog.inspection.ring import MAX_ITEMS, Entry, Ring
from otel_posthog.inspection.times import utc
from otel_posthog.inspection.viewers import Viewer
from otel_posthog.intake.processors import see_items
from otel_posthog.pipeline import Pipeline
from otel_posthog.process import before_os_exit, run_at_end_of_child, run_in_child
from otel_posthog.threads import Daemon, Event, start_daemon

_log = logging.getLogger("otel_posthog")

VERSION = 1
MAX_VIEWERS = 8
_BUSY_S, _IDLE_S = 0.02, 0.25
# What it takes of the interpreter in a turn for each viewer: the app's threads and the worker wait for it meanwhile.
_WORK_S, _LAST_WORK_S = 0.002, 0.2
_STATE_S = 1.0
_END_S = 0.3


class Feed:
    """Shows one pipeline to viewers.

    Args:
        pipeline: The pipeline.
        explaining: Makes objects of entries.
        health: The pipeline's counts.
        guard: Keeps errors out of the host app.
        directory: Where it listens.
        is_opted_out: Whether the user has opted out.
    """

    def __init__(  # noqa: PLR0913 - what it needs of the runtime comes by keyword
        self,
        pipeline: Pipeline,
        explaining: Explaining,
        *,
        health: Health,
        guard: Guard,
        directory: Path,
        is_opted_out: Callable[[], bool],
    ) -> None:
        self._pipeline, self._explaining, self._figures = pipeline, explaining, Figures(health)
        self._guard, self._directory, self._is_opted_out = guard, directory, is_opted_out
        self._started = utc(time.time_ns())
        self._door: Door | None = None
        self._is_over = False
        self._begin()
        run_in_child(self._after_fork)
        pipeline.on_return(self._wake)
        atexit.register(self._end)
        before_os_exit(self.close)
        run_at_end_of_child(self.close)

    def start(self) -> None:
        """Listen, and see all items from now on."""
        self._wake()

    def close(self) -> None:
        """Show what is left, then listen no more."""
        thread, self._is_over = self._thread, True
        self._see(None, None)
        self._stop.set()
        if thread is not None:
            thread.join(_END_S)

    def _end(self) -> None:
        """At the end of the program: show the last events as well, which the pipeline's own end has handled."""
        self._pipeline.shutdown()
        self.close()

    def _begin(self) -> None:
        """Start with nothing."""
        # Two, so that many spans between two turns leave room for events.
        self._outcomes: deque[Any] = deque(maxlen=2 * MAX_ITEMS)
        self._items: deque[Any] = deque(maxlen=2 * MAX_ITEMS)
        self._entries, self._ring = Entries(), Ring()
        self._viewers: list[Viewer] = []
        self._thread: Daemon | None = None
        self._stop, self._state_at, self._service = Event(), 0.0, ""

    def _see(self, outcomes: Callable[[Any], object] | None, items: Callable[[Any], object] | None) -> None:
        self._pipeline.watch(outcomes)
        see_items(items)

    def _after_fork(self) -> None:
        """Leave the parent's socket to it; no thread is started inside a fork."""
        with suppress(OSError):
            for each in (self._door, *self._viewers):
                if each is not None:
                    each.close()
        self._door = None
        self._begin()
        if not self._is_over:
            self._see(partial(self._first, self._outcomes), partial(self._first, self._items))

    def _first(self, inbox: deque[Any], seen: Any) -> None:
        """Take the first item of a child, and start the thread with it."""
        inbox.append(seen)
        self._wake()

    def _wake(self) -> None:
        if self._is_over or self._is_opted_out():
            return
        if self._thread is None:
            self._thread = start_daemon("otel-posthog-inspect", partial(self._work, self._stop))
        if self._thread is not None:
            self._see(self._outcomes.append, self._items.append)
        else:
            self._see(None, None)

    def _work(self, stop: Event) -> None:
        try:
            self._door = Door(self._directory)
        except OSError as error:
            _log.warning("no inspector can look on in %s: %s", self._directory, error.strerror or type(error).__name__)
            self._see(None, None)
            return
        try:
            while not stop.wait(_BUSY_S if self._viewers else _IDLE_S) and not self._is_opted_out():
                self._safely(self._turn)
            if not self._is_opted_out():
                self._safely(partial(self._turn, is_last=True))
        finally:
            self._leave()

    def _leave(self) -> None:
        """Forget all, and let the next opt-in begin anew; of an opt-out the viewers hear, to forget as well."""
        self._see(None, None)
        if self._door is not None:
            self._door.close()
        for each in self._viewers:
            if self._is_opted_out():
                each.part(self._message({"type": "forgotten", "process": {"pid": os.getpid()}}))
            else:
                each.close()
        self._door = None
        self._begin()

    def _safely(self, turn: Callable[[], None]) -> None:
        try:
            turn()
        except Exception as error:
            self._guard.caught("inspect", error)

    def _turn(self, *, is_last: bool = False) -> None:
        """Take what came, and serve each viewer a little."""
        self._fold(is_last=is_last)
        come = self._door.accept() if self._door is not None else None
        if come is not None:
            self._welcome(come)
        state = b""
        if self._viewers and (is_last or time.monotonic() >= self._state_at):
            self._state_at = time.monotonic() + _STATE_S
            state = self._message({"type": "state", **self._figures.read(), **self._about()})
        for viewer in tuple(self._viewers):
            self._serve_or_leave(viewer, state, _LAST_WORK_S if is_last else _WORK_S)

    def _fold(self, *, is_last: bool) -> None:
        for inbox in (self._outcomes, self._items):
            over = len(inbox) - MAX_ITEMS
            if over > 0:
                self._ring.pass_over(over)
                for _ in range(over):
                    inbox.popleft()
            for _ in range(len(inbox)):
                self._safely(partial(self._entries.add, inbox.popleft()))
        for entry in self._entries.ready(at_once=is_last):
            self._ring.add(entry)
            if entry.outcomes:
                self._explaining.follow()
            if not self._service:
                self._service = _service_of(entry)
                # Viewers hear of it before they get the item.
                self._state_at = 0.0

    def _welcome(self, come: Any) -> None:
        if len(self._viewers) >= MAX_VIEWERS:
            come.close()
            return
        self._viewers.append(Viewer(come, self._message({"type": "hello", "version": VERSION, **self._about()})))
        self._state_at = 0.0

    def _serve_or_leave(self, viewer: Viewer, state: bytes, work_s: float) -> None:
        try:
            self._serve(viewer, state, work_s)
        except OSError:
            viewer.close()
            self._viewers.remove(viewer)

    def _serve(self, viewer: Viewer, state: bytes, work_s: float) -> None:
        for asked in viewer.questions():
            viewer.tell(
                self._message({"type": "answer", "id": asked.get("id"), **self._explaining.answer(asked, self._ring)})
            )
        if state:
            viewer.tell(state)
        viewer.show(self._ring, self._line, work_s)

    def _line(self, entry: Entry) -> bytes:
        if entry.line is None:
            try:
                made = self._explaining.form(entry)
            except Exception as error:
                # Fail closed: an item that cannot be explained is not shown.
                self._guard.caught("inspect", error)
                return b""
            entry.line = self._message({**made, "seq": entry.seq})
            self._ring.grow(entry, len(entry.line))
        return entry.line

    def _about(self) -> dict[str, object]:
        return {
            "process": {"pid": os.getpid(), "service": self._service},
            "started": self._started,
            "policy": self._pipeline.stages.revision,
            "values_shown": self._explaining.values is Values.ALL,
            "last_seq": self._ring.last_seq,
        }

    def _message(self, content: Mapping[str, object]) -> bytes:
        return as_line(content).encode() + b"\n"


def _service_of(entry: Entry) -> str:
    resource = entry.outcomes[0][0].signal.resource if entry.outcomes else getattr(entry.item, "resource", None)
    attributes = getattr(resource, "attributes", resource) or {}
    return str(attributes.get("service.name", ""))
