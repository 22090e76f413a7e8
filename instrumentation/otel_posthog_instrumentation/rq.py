"""The instrumentor `posthog_rq`: who acts goes along with a job, from whoever makes it to the worker that runs it.

RQ has no signals, so four of its functions are stood around, in the classes that have them. What goes along is a field
of the job's own hash in Redis (`docs/frameworks.md`), beside `meta`, which is the app's; workers without this package
do not read it. A job that is retried, repeated or requeued has it still. One that is run at once (`is_async=False`)
runs where it was called. RQ 1.16 or newer.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from otel_posthog.actor.request import count_fault
from otel_posthog.actor.task import begin_task, end_task, task_label
from otel_posthog_instrumentation.framework import FrameworkInstrumentor, Hook
from otel_posthog_instrumentation.wrapping import Undo, put_around

FIELD = "otel_posthog_actor"


class PostHogRQInstrumentor(FrameworkInstrumentor):
    """Hooks into RQ."""

    name = "posthog_rq"

    _undo: tuple[Undo, ...] = ()

    def hooks(self) -> Mapping[str, Hook]:
        """Return what to call once RQ is imported."""
        return {"rq.job": self._hook_job, "rq.worker": self._hook_worker}

    def unhook(self) -> None:
        """Stand around nothing any more."""
        undo, self._undo = self._undo, ()
        for each in undo:
            each()

    def _hook_job(self, module: Any) -> None:
        around = {"create": _create, "to_dict": _to_dict, "restore": _restore}
        self._undo += tuple(put_around(module.Job, name, each) for name, each in around.items())

    def _hook_worker(self, module: Any) -> None:
        self._undo += (put_around(module.Worker, "perform_job", _perform_job),)


def _create(inner: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Note who acts where a job is made."""
    job = inner(*args, **kwargs)
    try:
        setattr(job, FIELD, task_label() or None)
    except Exception as error:
        count_fault("rq", error)
    return job


def _to_dict(inner: Callable[..., dict[str, Any]], job: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Keep it with the job."""
    fields = inner(job, *args, **kwargs)
    label = getattr(job, FIELD, None)
    if label:
        fields[FIELD] = label
    return fields


def _restore(inner: Callable[..., Any], job: Any, raw_data: Any, *args: Any, **kwargs: Any) -> Any:
    """Read it with the job."""
    try:
        setattr(job, FIELD, raw_data.get(FIELD.encode()))
    except Exception as error:
        count_fault("rq", error)
    return inner(job, raw_data, *args, **kwargs)


def _perform_job(inner: Callable[..., Any], worker: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
    """Have who acted there act while the job and its callbacks run."""
    task = begin_task(getattr(job, FIELD, None))
    try:
        return inner(worker, job, *args, **kwargs)
    finally:
        if task is not None:
            end_task(task)
