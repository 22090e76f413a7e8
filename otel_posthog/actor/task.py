"""A task of a queue as hooks into queue libraries see it: sent with who acts, begun with that by a worker, ended.

    label = task_label()               # None: leave the message alone; else what to put on it, empty for nothing
    task = begin_task(label)           # on the worker, before anything of the task runs there; None: nothing to end
    end_task(task)                     # in a `finally`

A task is a request: it has a record of who acts, also where no instrumentation makes a span for it. Every call runs on
the application's threads, never raises into them, and does nothing where the package is not set up.
"""

from __future__ import annotations

from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, get_current_span, set_span_in_context

from otel_posthog.actor.attachment import Attachment, leave
from otel_posthog.actor.handover import packed, read
from otel_posthog.actor.request import count_fault, requests_in_use
from otel_posthog.actor.request_block import enter_request
from otel_posthog.actor.scope import CarriedScope, Scope, kept_scope, scope_of
from otel_posthog.actor.statement import Record

Task = Attachment


def task_label() -> str | None:
    """Return what a task that is sent here takes along: empty where that is nothing, None where nothing is set up."""
    return None if requests_in_use() is None else packed() or ""


def begin_task(label: object) -> Task | None:
    """Have who acted where a task was sent act in what runs here from now on.

    Args:
        label: What came with it; None and what is empty where nothing did.
    """
    if requests_in_use() is None:
        return None
    try:
        identity = read(label or None)
        record, task = _record()
        record.is_task = True
        if identity is not None:
            record.begin_with(identity)
        return task
    except Exception as error:
        count_fault("task_begin", error)
        return None


def end_task(task: Task) -> None:
    """End what `begin_task` has begun."""
    try:
        leave(task)
    except Exception as error:
        count_fault("task_end", error)


def _record() -> tuple[Record, Task | None]:
    """Return the record of a task that begins here, and what is left at its end."""
    span = get_current_span()
    scope = scope_of(span)
    if scope is None or scope.record is None:
        record = Record()
        return record, enter_request(record)
    if not scope.record.is_task:
        return scope.record, None  # of the span that an instrumentation has just made
    # Another task has left its context here: contrib's Celery instrumentation does where one is tried again while it
    # still runs. With links the span of this one is inside of that one's.
    if kept_scope(span) is scope and not scope.is_request and getattr(span, "kind", None) is SpanKind.CONSUMER:
        scope.record, scope.parent, scope.depth = Record(), None, 0
        return scope.record, None
    record = Record()
    return record, enter_request(record, set_span_in_context(_without_actor(span, record)))


def _without_actor(span: Span, record: Record) -> Span:
    """Return what spans have for a parent as they have `span`, with another record of who acts."""
    scope, given = Scope(), span.get_span_context()
    scope.record = record
    state = CarriedScope(given.trace_state, scope)
    return NonRecordingSpan(SpanContext(given.trace_id, given.span_id, given.is_remote, given.trace_flags, state))
