"""The record of a request where no span has it: in a Context key of our own, from a framework's first hook on.

An instrumentation may make the request's span inside, of a context that is made of headers and has lost ours: it takes
the record over then. Where there is no instrumentation all that is inside finds the record by the context.
"""

from __future__ import annotations

from contextvars import ContextVar

from opentelemetry import context as context_api
from opentelemetry.context import Context

from otel_posthog.actor.attachment import Attached, Attachment
from otel_posthog.actor.scope import Scope, scope_in
from otel_posthog.actor.statement import Record, combined

_KEY = context_api.create_key("otel-posthog-request")


class Place(Attached):
    """Where a record is found.

    Args:
        record: The record.

    Attributes:
        record: As given.
        has_span: Whether the span of a request has it.
    """

    __slots__ = ("has_span", "record")

    def __init__(self, record: Record) -> None:
        self.record, self.has_span, self.is_over = record, False, False


_running: ContextVar[Place | None] = ContextVar("otel-posthog-request", default=None)


def enter_request(record: Record, context: Context | None = None) -> Attachment:
    """Have all that starts from here on find `record`.

    Args:
        record: The record.
        context: What it is attached with; the current one where not given.
    """
    place = Place(record)
    inside = context_api.set_value(_KEY, place, context)
    return Attachment(place, inside, context_api.attach(inside), _running.set(place))


def record_in(context: Context | None = None) -> Record | None:
    """Return the record that a framework's hook has put in `context`, or in the current one."""
    place = (context_api.get_current() if context is None else context).get(_KEY)
    return place.record if isinstance(place, Place) and not place.is_over else None


def current_record(context: Context | None = None) -> Record | None:
    """Return the record of the request in `context`, or in the current one: its span's, else a hook's."""
    scope = scope_in(context)
    found = None if scope is None else scope.record
    return found or record_in(context)


def join_request(scope: Scope, context: Context) -> None:
    """Have the span of a request, of which `scope` is, and the hook around it have one record."""
    place = context.get(_KEY) or _running.get()
    if not isinstance(place, Place) or place.is_over or place.has_span or scope.record is None:
        return
    place.has_span = True  # a service that calls itself is another request
    place.record.identity = combined(scope.record.identity, place.record.identity) or place.record.identity
    scope.record = place.record
