"""Whether the span of a request will be a product event, asked as its response is ready and the span not over yet.

Who knows the user must be asked before the response is out, and the span ends after that. What is not on a span by then
is not expected any more, but for what an instrumentation sets of the response.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from otel_posthog.actor import Record
from otel_posthog.conventions import read_by_either_name
from otel_posthog.model import EXCEPTION_EVENT, Attributes, Source
from otel_posthog.recogniser import EXCEPTION, Recogniser
from otel_posthog.rules import Condition, Field, Operator, Rule, holds
from otel_posthog.sdk import item_attributes, recorded_events, span_attributes

_STATUS = "http.response.status_code"
_TO_COME = ("http.response.", "error.")
_FAILED = 500
# A response is written, and a span ended, a little later.
_MORE, _MORE_MS = 1.1, 20.0
_EXCEPTION_KEYS = ("exception.type", "exception.message", "exception.stacktrace")


_LOOKS: Mapping[Field, Callable[[ReadableSpan, str], object]] = {
    Field.KIND: lambda span, _: span.kind.name,
    Field.SPAN_NAME: lambda span, _: span.name,
    Field.SCOPE: lambda span, _: span.instrumentation_scope.name if span.instrumentation_scope else "",
    Field.RESOURCE: lambda span, key: read_by_either_name(item_attributes(span.resource.attributes), key),
    Field.TRACE: lambda span, _: span.context.trace_id if span.context else 0,
}
"""What does not change any more."""


class _Answered(NamedTuple):
    """A request's span as its response is ready.

    Attributes:
        span: The span.
        attributes: What it has by now.
        status_code: Of the response; None where it is not known.
        children: What was found inside it.
    """

    span: ReadableSpan
    attributes: Attributes
    status_code: int | None
    children: frozenset[str]

    @property
    def may_fail(self) -> bool:
        """Whether an error may still be told of it."""
        return self.status_code is None or self.status_code >= _FAILED


def foresees(recogniser: Recogniser, record: Record, status_code: int | None) -> bool:
    """Return whether the span of a request, or an event on it, will be a product event.

    Args:
        recogniser: The rules in force.
        record: The request's.
        status_code: Of its response; None where it is not known.
    """
    span = record.span and record.span()
    if not isinstance(span, ReadableSpan) or span.end_time is not None:
        return False
    found = _Answered(span, span_attributes(span), status_code, record.children)
    if any(_may_fit(rule, found) for rule in recogniser.of(Source.SPAN)):
        return True
    if found.may_fail and _sends_exceptions(recogniser):
        return True
    return any(recogniser.may_be_span_event(each.name, tuple(each.attributes or ())) for each in recorded_events(span))


def _sends_exceptions(recogniser: Recogniser) -> bool:
    """Return whether an exception that is recorded as the span ends is an event."""
    of_all = any(
        rule.event == EXCEPTION_EVENT and not rule.is_inside_product for rule in recogniser.of(Source.SPAN_EVENT)
    )
    return of_all or recogniser.may_be_span_event(EXCEPTION, _EXCEPTION_KEYS)


def _may_fit(rule: Rule, found: _Answered) -> bool:
    return all(_may_hold(condition, found) for condition in rule.conditions)


def _may_hold(condition: Condition, found: _Answered) -> bool:
    field, span, status_code = condition.field, found.span, found.status_code
    if field is Field.ATTRIBUTE:
        return _attribute_may(condition, found)
    if field is Field.STATUS:
        status = "ERROR" if found.may_fail else span.status.status_code.name
        return status_code is None or holds(condition, status)
    if field is Field.ERROR:
        return found.may_fail or holds(condition, found.attributes.get("error.type"))
    if field is Field.CHILD:
        return holds(condition, condition.key if condition.key in found.children else None)
    if field is Field.DURATION:
        took_ms = (time.time_ns() - (span.start_time or 0)) / 1e6
        later_ms = took_ms * _MORE + _MORE_MS if condition.operator is Operator.AT_LEAST else took_ms
        return holds(condition, later_ms)
    look = _LOOKS.get(field)
    return look is None or holds(condition, look(span, condition.key))


def _attribute_may(condition: Condition, found: _Answered) -> bool:
    key = condition.key
    if key == _STATUS:
        return found.status_code is None or holds(condition, found.status_code)
    value = read_by_either_name(found.attributes, key)
    if value is None and key.startswith(_TO_COME):
        # Of a response: only one that has failed has an error.
        return not key.startswith("error.") or found.may_fail or holds(condition, None)
    return holds(condition, value)
