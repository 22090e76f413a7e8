"""The id of a journey, which the app keeps from one request to the next: when it began, and in which span.

With these in the id itself nothing has to be stored for a later request, on another day and in another process, to link
to the trace in which the journey began, and to tell how long it took. An app may use ids of its own, which say neither.
"""

from __future__ import annotations

import re
import uuid
from typing import NamedTuple

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, TraceFlags

from otel_posthog.actor.attributes import as_id
from otel_posthog.values import any_value

MAX_CHARS = 200
"""Of an id that an app keeps: it may come back from a browser."""

_TRACE, _SPAN, _TIME = "[0-9a-f]{32}", "[0-9a-f]{16}", "[0-9a-f]{12}"
_OURS = re.compile(rf"({_TRACE})(?:-?({_SPAN}))?-({_TIME})", re.ASCII)
_NS_PER_MS = 10**6


class Kept(NamedTuple):
    """An id that was kept, and what it says.

    Attributes:
        id: The id.
        began_ns: When the journey began, in Unix nanoseconds; None where the id does not say it.
        link: To the span in which it began; None where there is none, or nobody exported it.
    """

    id: str
    began_ns: int | None = None
    link: Link | None = None


def new_id(span: Span, now_ns: int) -> str:
    """Return the id of a journey that begins now, in `span`."""
    began, context = f"{now_ns // _NS_PER_MS:012x}", span.get_span_context()
    if context.is_valid and context.trace_flags.sampled:
        # Both in one: a span's id that stood by itself would be taken for the number of a card, once in 20,000.
        return f"{context.trace_id:032x}{context.span_id:016x}-{began}"
    # A link to a span that nobody exports would lead nowhere.
    return f"{uuid.uuid4().hex}-{began}"


def kept(given: object) -> Kept | None:
    """Return an id that an app has kept; None for what is none, such as the cookie of somebody who has just come."""
    found = as_id(any_value(given))
    if found is None or len(found) > MAX_CHARS:
        return None
    ours = _OURS.fullmatch(found)
    if ours is None:
        return Kept(found)
    trace_id, span_id, began = ours.groups()
    return Kept(found, int(began, 16) * _NS_PER_MS, _link(int(trace_id, 16), int(span_id, 16)) if span_id else None)


def is_of_trace(id_kept: Kept, context: Context) -> bool:
    """Return whether the span in `context` is of the trace in which a journey began, so that no link is needed."""
    here = trace.get_current_span(context).get_span_context()
    return id_kept.link is not None and id_kept.link.context.trace_id == here.trace_id


def _link(trace_id: int, span_id: int) -> Link:
    return Link(SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)))
