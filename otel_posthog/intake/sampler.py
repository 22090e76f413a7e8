"""Lets product events through whatever the trace sampler decides, and the word of who acts with them.

Wraps any sampler. A span that the sampler drops is recorded but not sampled (`RECORD_ONLY`), and marked: processors of
ours see it, the app's processors and exporters do not, and its children look at an unsampled parent just as they would
without us. Every other decision is passed on as it is. The span of a request is recorded in any case, since an
instrumentation tells nobody else of its headers; what is known of it goes along with the trace state, which a dropped
span has too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes, AttributeValue

from otel_posthog.actor import CarriedScope, Scope, block_identity, is_request, scope_in, state_inside
from otel_posthog.actor.attributes import who_in
from otel_posthog.intake.processors import SpanIntake
from otel_posthog.recogniser import PREFIX, has_product_attributes
from otel_posthog.sdk import (
    count_as_dropped,
    count_next_as_dropped,
    count_next_as_recorded,
    divert_dropped_of_global,
    dropped_state,
    recorded_state,
    span_in,
)

# By name: to look a member up in its enumeration takes as long as several calls in Python 3.10 and 3.11.
_DROP, _RECORD_ONLY = Decision.DROP, Decision.RECORD_ONLY
_SERVER, _CONSUMER = SpanKind.SERVER, SpanKind.CONSUMER


class Lift(str, Enum):
    """Which dropped spans are recorded: `ALL` of them, those `MARKED` with a product attribute at their start, or none.

    `OFF` and `MARKED` record the span of a request all the same, for who acts in it; nothing of it is a product event.
    """

    ALL = "all"
    MARKED = "marked"
    OFF = "off"


_ALL, _MARKED = Lift.ALL, Lift.MARKED

# Of most dropped spans without a parent, and of none of them anything is known.
_PLAIN = SamplingResult(_RECORD_ONLY, None, dropped_state(None))


class AnalyticsSampler(Sampler):
    """A sampler that lifts DROP to RECORD_ONLY and changes nothing else.

    Args:
        inner: The sampler that decides about the operational trace.
        lift: Which dropped spans are recorded. `MARKED` and `OFF` cost less, but miss spans whose `analytics.*`
            attributes are set after they start, and span events.
    """

    def __init__(self, inner: Sampler, lift: Lift | str = Lift.ALL) -> None:
        self.inner = inner
        self.lift = Lift(lift)
        self._has_lifted = False

    def should_sample(  # noqa: PLR0913, PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return the inner sampler's decision, with DROP lifted."""
        result = self.inner.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if (kind is _SERVER or kind is _CONSUMER) and _is_first(kind, parent_context):
            return self._request(result, attributes)
        decision = result.decision
        if decision is _DROP:
            if self.lift is not _ALL and not self._lifts(attributes):
                return _with_scope(result, parent_context, attributes)
            return self._lifted(attributes, dropped_state(result.trace_state))
        if attributes and len(result.attributes) < len(attributes):
            result = _with_product(result, attributes)
        if decision is _RECORD_ONLY:
            count_next_as_recorded()
            return SamplingResult(_RECORD_ONLY, result.attributes, recorded_state(result.trace_state))
        return result

    def get_description(self) -> str:
        """Return the inner sampler's description, wrapped."""
        return f"AnalyticsSampler{{{self.inner.get_description()}}}"

    # Some distributions ask the provider's sampler what it is, and set its ratio while the program runs (Elastic's).

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.inner)

    def __getattr__(self, name: str) -> Any:
        if name == "inner":  # of a copy that is not made yet
            raise AttributeError(name)
        return getattr(self.inner, name)

    def _request(self, result: SamplingResult, attributes: Attributes) -> SamplingResult:
        """Return `result` for the span of a request, recorded at least, and with a record of who acts."""
        scope = Scope.of_request()
        if result.decision is _DROP:
            scope.is_silent = not self._lifts(attributes)
            return self._lifted(attributes, CarriedScope(result.trace_state, scope, is_dropped=True))
        if attributes and len(result.attributes) < len(attributes):
            result = _with_product(result, attributes)
            scope.start(who_in(attributes))
        if result.decision is _RECORD_ONLY:
            count_next_as_recorded()
        return SamplingResult(result.decision, result.attributes, CarriedScope(result.trace_state, scope))

    def _lifted(self, attributes: Attributes, trace_state: TraceState) -> SamplingResult:
        if not self._has_lifted:
            # Where set-up attached it is done; parts are put together by hand, and now they are.
            self._has_lifted = True
            divert_dropped_of_global(SpanIntake)
            count_as_dropped()
        count_next_as_dropped()
        if attributes is None and trace_state is _PLAIN.trace_state:
            return _PLAIN
        # A DROP result carries no attributes, as nobody would have seen them: pass the originals.
        return SamplingResult(_RECORD_ONLY, attributes, trace_state)

    def _lifts(self, attributes: Attributes) -> bool:
        lift = self.lift
        return lift is _ALL or (lift is _MARKED and has_product_attributes(attributes or {}))


def _is_first(kind: SpanKind, parent_context: Context | None) -> bool:
    """Return whether a span of this `kind` inside `parent_context` is that of a request; where there is none, it is."""
    around = span_in(get_current() if parent_context is None else parent_context)
    return around is None or is_request(kind, get_current_span(parent_context).get_span_context())


def _with_product(result: SamplingResult, given: Mapping[str, AttributeValue]) -> SamplingResult:
    """Return `result` with the product attributes that a span was to start with; some samplers hand none on.

    They are taken off at the span's end, so that the operational span has what that sampler left to it.
    """
    product = {key: value for key, value in given.items() if isinstance(key, str) and key.startswith(PREFIX)}
    if not product:
        return result
    return SamplingResult(result.decision, {**product, **result.attributes}, result.trace_state)


def _with_scope(result: SamplingResult, parent_context: Context | None, attributes: Attributes) -> SamplingResult:
    """Return `result`, a DROP, with what is known of the spans around, and of this one by what it starts with."""
    state, scope = result.trace_state, scope_in(parent_context)
    said = who_in(attributes) if attributes else None
    if said:
        own = Scope.inside(scope)
        own.block = block_identity(parent_context)
        own.start(said)
        return SamplingResult(Decision.DROP, None, CarriedScope(state, own))
    if scope is None:
        return result
    inside = state_inside(state, scope)
    return result if inside is state else SamplingResult(Decision.DROP, None, inside)
