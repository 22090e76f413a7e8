"""The instrumentor `posthog_celery`: who acts goes along with a task, from whoever sends it to the worker that runs it.

By Celery's signals, so that a task is a request with a record of who acts whether an instrumentation makes a span for
it or not, in whatever order the two were attached, and with span links too. In a header of the message is what the
identity mode sends, and consent (`docs/frameworks.md`); retries, chains, groups, chords and callbacks are sent by the
worker while their task runs, and so have the same. A task that is run eagerly runs where it was called. Celery 5.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from otel_posthog.actor.request import count_fault
from otel_posthog.actor.task import Task, begin_task, end_task, task_label
from otel_posthog_instrumentation.framework import FrameworkInstrumentor, Hook

HEADER = "otel_posthog_actor"

_UID = "otel-posthog"


class PostHogCeleryInstrumentor(FrameworkInstrumentor):
    """Hooks into Celery."""

    name = "posthog_celery"

    _signals: tuple[Any, ...] = ()

    def hooks(self) -> Mapping[str, Hook]:
        """Return what to call once Celery is imported."""
        return {"celery.signals": self._connect}

    def unhook(self) -> None:
        """Listen to no signal any more."""
        connected, self._signals = self._signals, ()
        for signal in connected:
            signal.disconnect(dispatch_uid=_UID)

    def _connect(self, signals: Any) -> None:
        running: dict[int, Task] = {}
        self._signals = (signals.before_task_publish, signals.task_prerun, signals.task_postrun)

        def send(headers: Any = None, **_: object) -> None:
            _guarded(_send, headers)

        def begin(task: Any = None, **_: object) -> None:
            _guarded(_begin, running, task)

        def end(task: Any = None, **_: object) -> None:
            _guarded(_end, running, task)

        for signal, receiver in zip(self._signals, (send, begin, end), strict=True):
            signal.connect(receiver, weak=False, dispatch_uid=_UID)


def _send(headers: Any) -> None:
    """Put who acts on a message that is about to be sent."""
    label = task_label()
    if label:
        headers[HEADER] = label
    elif label is not None:
        # Of a task that is sent again: who acted the last time.
        headers.pop(HEADER, None)


def _begin(running: dict[int, Task], task: Any) -> None:
    """Have who acted there act in the task that runs now."""
    request = task.request
    if request.is_eager:
        return
    headers, label = request.headers, None
    if headers and HEADER in headers:
        label = headers[HEADER]
        # The app sees the headers that it would see without us.
        request.headers = {key: value for key, value in headers.items() if key != HEADER} or None
    begun = begin_task(label)
    if begun is not None:
        running[id(request)] = begun


def _end(running: dict[int, Task], task: Any) -> None:
    begun = running.pop(id(task.request), None)
    if begun is not None:
        end_task(begun)


def _guarded(does: Callable[..., None], *given: Any) -> None:
    try:
        does(*given)
    except Exception as error:
        count_fault("celery", error)
