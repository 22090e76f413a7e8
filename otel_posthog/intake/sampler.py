"""Lets product events through whatever the trace sampler decides.

Wraps any sampler. A span that the sampler drops is recorded but not sampled (`RECORD_ONLY`), and marked: processors of
ours see it, the app's processors and exporters do not, and its children look at an unsampled parent just as they would
without us. Every other decision is passed on as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes, AttributeValue

from otel_posthog.intake.spans import SpanIntake
from otel_posthog.route import PREFIX, has_product_attributes
from otel_posthog.sdk import divert_lifted_of_global, kept, lifted


class Lift(str, Enum):
    """Which dropped spans are recorded: `ALL` of them, or those `MARKED` with a product attribute at their start."""

    ALL = "all"
    MARKED = "marked"


class AnalyticsSampler(Sampler):
    """A sampler that lifts DROP to RECORD_ONLY and changes nothing else.

    Args:
        inner: The sampler that decides about the operational trace.
        lift: Which dropped spans are recorded. `MARKED` costs less, but misses spans whose `analytics.*` attributes
            are set after they start, and span events.
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
        if result.decision is Decision.DROP:
            if not self._lifts(attributes):
                return result
            if not self._has_lifted:
                # Where set-up attached it is done; parts are put together by hand, and now they are.
                self._has_lifted = True
                divert_lifted_of_global(SpanIntake)
            # A DROP result carries no attributes, as nobody would have seen them: pass the originals.
            return SamplingResult(Decision.RECORD_ONLY, attributes, lifted(result.trace_state))
        if attributes and len(result.attributes) < len(attributes):
            result = _with_product(result, attributes)
        if result.decision is Decision.RECORD_ONLY:
            return SamplingResult(Decision.RECORD_ONLY, result.attributes, kept(result.trace_state))
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

    def _lifts(self, attributes: Attributes) -> bool:
        return self.lift is Lift.ALL or has_product_attributes(attributes or {})


def _with_product(result: SamplingResult, given: Mapping[str, AttributeValue]) -> SamplingResult:
    """Return `result` with the product attributes that a span was to start with; some samplers hand none on.

    They are taken off at the span's end, so that the operational span has what that sampler left to it.
    """
    product = {key: value for key, value in given.items() if isinstance(key, str) and key.startswith(PREFIX)}
    if not product:
        return result
    return SamplingResult(result.decision, {**product, **result.attributes}, result.trace_state)
