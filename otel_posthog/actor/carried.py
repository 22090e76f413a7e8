"""How what is known of a span is found: with the span, or where that keeps nothing, with its span context.

A span that is not recorded has no place for anything but its span context, whose trace state all that is inside it
inherits. One of ours bears the scope along in this process; in a header or a pickle it is the trace state that it was.
"""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, SpanKind, TraceState, get_current_span

from otel_posthog.actor.scope import Scope

# By name: to look a member up in its enumeration takes as long as several calls in Python 3.10 and 3.11.
_SERVER, _CONSUMER = SpanKind.SERVER, SpanKind.CONSUMER


class CarriedScope(TraceState):
    """A trace state with a scope.

    Args:
        state: The trace state that it is for everybody else.
        scope: What is known of the span that has it.
        is_lifted: Whether the app's sampler dropped that, and it is recorded for us only.
    """

    _inside: CarriedScope | None = None

    def __init__(self, state: TraceState | None, scope: Scope | None = None, *, is_lifted: bool = False) -> None:
        TraceState.__init__(self, list(state.items()) if state else None)
        self.scope, self.is_lifted = scope, is_lifted

    def inside(self) -> CarriedScope:
        """Return the trace state of the spans inside that say nothing themselves."""
        if self.scope is None or self.scope.is_blank:
            return self
        if self._inside is None:
            self._inside = CarriedScope(self, Scope.blank(self.scope))
        return self._inside

    def __reduce__(self) -> tuple[type[TraceState], tuple[list[tuple[str, str]]]]:
        return TraceState, (list(self.items()),)


def state_inside(state: TraceState | None, scope: Scope) -> CarriedScope:
    """Return `state` for a span that says nothing, inside one of which `scope` is known."""
    if type(state) is CarriedScope and state.scope is scope:
        return state.inside()
    return CarriedScope(state, Scope.blank(scope))


def is_request(kind: SpanKind | None, parent: SpanContext | None) -> bool:
    """Return whether a span of this kind, below `parent`, is a request: the first of its kind in this process."""
    is_one = kind is _SERVER or kind is _CONSUMER
    return is_one and (parent is None or not parent.is_valid or parent.is_remote)


def keep_scope(span: Span, scope: Scope) -> None:
    """Keep `scope` with `span`, for as long as that lives; a weak dictionary takes ten times as long."""
    span.otel_posthog_scope = scope  # type: ignore[attr-defined]


def kept_scope(span: object) -> Scope | None:
    """Return what is known of `span` itself."""
    found: Scope | None = getattr(span, "otel_posthog_scope", None)
    return found


def carried_scope(span: Any) -> Scope | None:
    """Return what the span context of `span` leads to: the request, or the nearest span that was not recorded."""
    state = getattr(span.get_span_context(), "trace_state", None)
    # A look at the type: the class is an abstract one's, and another question would take ten times as long.
    return state.scope if type(state) is CarriedScope else None


def scope_of(span: Span) -> Scope | None:
    """Return what is known of `span`, or of the nearest around it that anything is known of."""
    return kept_scope(span) or carried_scope(span)


def scope_in(context: Context | None = None) -> Scope | None:
    """Return what is known of the span in `context`, or in the current one."""
    return scope_of(get_current_span(context))
