"""Who acts where a span starts, and where an item is handed over.

Comes in: the OpenTelemetry context, and spans. Goes out: the identity that a log record has as it is emitted, and a
span and its events as it ends: what the span says, then the block, then the request, with every denial. Runs on the
application's threads.
"""

from __future__ import annotations

import weakref
from dataclasses import replace

from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace import ReadableSpan, Span
from opentelemetry.trace import SpanKind

from otel_posthog.actor import (
    NOBODY,
    CarriedScope,
    Record,
    Scope,
    Statement,
    carried_scope,
    combined,
    is_request,
    join_request,
    kept_scope,
    merged,
    overruled,
    record_in,
    running_identity,
    scope_of,
    statement_of,
)
from otel_posthog.actor.attributes import ids_in, says_nothing, who_in
from otel_posthog.actor.context import current_identity, prepare_baggage, recognised
from otel_posthog.model import NO_ATTRIBUTES, Attributes, ContextIdentity
from otel_posthog.recogniser import EVENT, has_product_attributes
from otel_posthog.sdk import EvictedEvents, span_attributes, span_in, span_start, trace_state_of

# By name: to look a member up in its enumeration takes as long as several calls in Python 3.10 and 3.11.
_SERVER, _CONSUMER = SpanKind.SERVER, SpanKind.CONSUMER


def started(span: Span, parent_context: Context | None, evicted: type[EvictedEvents]) -> None:
    """Keep with `span` what is known of who acts as it starts.

    Args:
        span: The span.
        parent_context: What it starts in; None is the current one.
        evicted: The class of its list of events.
    """
    context = get_current() if parent_context is None else parent_context
    block = current_identity(context)
    kind, parent, attributes = span_start(span, evicted)
    if (kind is _SERVER or kind is _CONSUMER) and (parent is None or is_request(kind, parent)):
        scope = _request(span, block, context)
    else:
        around = span_in(context)
        known = None if around is None else kept_scope(around) or scope_of(trace.get_current_span(context))
        if known is None:
            scope = Scope()
            scope.record = record_in(context)
        else:
            scope = Scope.inside(known)
    if block is not None:
        scope.block = block
    if attributes:
        if has_product_attributes(attributes):
            # The SDK evicts the oldest attribute when the 129th is set.
            scope.started = dict(attributes)
        if not says_nothing(attributes) or (scope.started and scope.is_request):
            scope.start(who_in(attributes))
    # As `keep_scope` does.
    span.otel_posthog_scope = scope  # type: ignore[attr-defined]


def seen(span: Span, attributes: Attributes) -> None:
    """Take attributes that say who acts, or that it is an event, and have been set on `span`."""
    scope = kept_scope(span)
    if scope is None or not span.is_recording():
        return
    if EVENT in attributes:
        # Of the 128 that come after it the SDK would evict it for the last.
        scope.started = {**scope.started, EVENT: attributes[EVENT]}
        attributes = {key: value for key, value in attributes.items() if key != EVENT}
    if attributes:
        scope.see(attributes)


def acting(context: Context | None = None) -> ContextIdentity | None:
    """Return who acts in `context`, or in the current one: who an item that is emitted there is about."""
    if context is None:
        context = get_current()
    span = trace.get_current_span(context)
    scope = kept_scope(span)
    if scope is None:
        scope = _looked_at(span) if isinstance(span, ReadableSpan) else carried_scope(span)
    record = (scope and scope.record) or record_in(context)
    return _put_together(scope, record, current_identity(context), scope.all_said() if scope else NO_ATTRIBUTES)


def acting_at_end(span: ReadableSpan) -> ContextIdentity | None:
    """Return who acts as `span` ends: in the block in which it started, else in the one in which it ends."""
    scope, block = kept_scope(span), current_identity()
    if scope is None:
        scope = _looked_at(span)
    if scope.block is not None:
        block = combined(scope.block, block)
    return _put_together(scope, scope.record, block, scope.said, is_its_span=scope.is_request)


def children_of(span: ReadableSpan) -> frozenset[str] | None:
    """Return what was found inside a request's span of what rules ask; None of any other span."""
    scope = kept_scope(span)
    return scope.record.children if scope is not None and scope.is_request and scope.record is not None else None


def _request(span: Span, block: ContextIdentity | None, context: Context) -> Scope:
    """Return the scope of a request's span: the one that the sampler made, where there is a sampler of ours."""
    kept = kept_scope(span)
    if kept is not None:
        return kept  # by another one of us
    state = trace_state_of(span.context)
    made = state.scope if type(state) is CarriedScope else None
    scope = made if made is not None and made.is_request and not made.is_taken else Scope.of_request()
    scope.is_taken = True
    join_request(scope, context)
    if scope.record is not None:
        scope.record.span = weakref.ref(span)
    if scope.record is not None and block is not None and block.consent is False:
        scope.record.say(Statement(consent=False))
    around = running_identity(context)
    if scope.record is not None and around is not None:
        # The instrumentation attaches the context that it was called with, where no block is seen.
        scope.record.begin_with(around)
    prepare_baggage()
    return scope


def _looked_at(span: ReadableSpan) -> Scope:
    """Return what is known by a look at a span of a provider that is not set up."""
    scope = Scope.inside(carried_scope(span))
    scope.start(who_in(span_attributes(span)))
    return scope


def _put_together(
    scope: Scope | None,
    record: Record | None,
    found: ContextIdentity | None,
    said: Attributes,
    *,
    is_its_span: bool = False,
) -> ContextIdentity | None:
    """Return who acts, for each field as the span says, else the block, else the request; with every denial."""
    if record is not None:
        is_known = found is not None and found.user_id is not None
        around = record.identity if is_known else record.acting(is_its_span=is_its_span)
        if around is not NOBODY:
            found = combined(found, around)
    if scope is not None:
        if said:
            found = _with_span(scope, said, found or NOBODY)
        denies, tracks_not = scope.denies, scope.tracks_not
        if scope.parent is not None:
            denies, tracks_not = scope.objections()
        if denies or tracks_not:
            found = found or NOBODY
            consent = False if denies else found.consent
            found = replace(found, consent=consent, do_not_track=found.do_not_track or tracks_not)
    return None if found is None else recognised(found)


def _with_span(scope: Scope, said: Attributes, around: ContextIdentity) -> ContextIdentity:
    """Return who acts by what a span says; what of consent is the scope's or the request's, with whose it is."""
    statement = statement_of(said)
    if statement.consent is not None:
        statement = statement._replace(consent=None, owner=None)
    found = merged(around, statement)
    return replace(
        found,
        consented=found.consented | scope.consented,
        open_consents=found.open_consents | scope.open_consents,
        hears_span=True,
        other_ids=(*overruled(found, around), *ids_in(said)),
    )
