"""Feature flags on the app's threads: what they say is kept as they are evaluated, and told with later events.

A span event is seen as it is added to its span, long before that ends; a log record as it is emitted. Only where a rule
of the policy makes `$feature_flag_called` of it. At a gateway the events of one span are all that is known of each
other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry.sdk.trace import Span

from otel_posthog.actor import Scope, kept_scope
from otel_posthog.actor.attributes import USER_ID_KEYS, first_id_in
from otel_posthog.actor.flags import flags_of, keep_flag
from otel_posthog.feature_flags import FLAG_CALLED, evaluation_in
from otel_posthog.intake.acting import acting_at_end
from otel_posthog.model import Attributes, ContextIdentity, Flag, Signal
from otel_posthog.recogniser import Recogniser
from otel_posthog.rules import SpanFacts

_KEY = "feature_flag.key"


class Added(NamedTuple):
    """A span event as it is added.

    Attributes:
        name: Its name.
        attributes: Its attributes.
        timestamp: When, in Unix nanoseconds.
    """

    name: str
    attributes: Mapping[str, Any] | None
    timestamp: int


def keep_flag_of(span: Span, added: Added, recogniser: Recogniser, facts: Callable[[Span], SpanFacts]) -> None:
    """Keep what a flag said, if an event that is added to `span` tells of one."""
    scope, given = kept_scope(span), added.attributes or {}
    # Of most span events this is all that is asked.
    if scope is None or _KEY not in given:
        return
    for _, name, rule in recogniser.span_events((added,), span, facts, is_product=False):
        if name == FLAG_CALLED:
            made = recogniser.attributes_of(rule, given, span, facts)
            _keep(scope, made, acting_at_end(span), added.timestamp)


def keep_flags(scope: Scope | None, signals: Iterable[Signal]) -> None:
    """Keep what flags said, of log records that tell of it."""
    for each in signals:
        if scope is not None and each.name == FLAG_CALLED:
            _keep(scope, each.attributes, each.context, each.time_ns)


def with_flags(signals: list[Signal], scope: Scope | None) -> list[Signal]:
    """Return `signals` with what flags had said before each of them, where they are."""
    return _told(signals, flags_of(scope))


def with_flags_of_span(signals: list[Signal]) -> list[Signal]:
    """Return the signals of one span of a document with what flags had said inside that span before each of them."""
    found = [_flag(each.attributes, each.context, each.time_ns, each.parent) for each in signals if _is_call(each)]
    return _told(signals, [each for each in found if each is not None])


def _told(signals: list[Signal], flags: Sequence[Flag]) -> list[Signal]:
    if not flags:
        return signals
    return [
        each if _is_call(each) else each._replace(flags=tuple(flag for flag in flags if flag.time_ns <= each.time_ns))
        for each in signals
    ]


def _is_call(signal: Signal) -> bool:
    return signal.name == FLAG_CALLED


def _keep(scope: Scope, attributes: Attributes, who: ContextIdentity | None, time_ns: int) -> None:
    flag = _flag(attributes, who, time_ns)
    if flag is not None:
        keep_flag(scope, flag)


def _flag(
    attributes: Attributes, who: ContextIdentity | None, time_ns: int, around: Attributes | None = None
) -> Flag | None:
    """Return what a flag said, and to whom: who the event of it is about; None where it said nothing."""
    evaluation = evaluation_in(attributes)
    if evaluation is None or evaluation.response is None:
        return None
    user_id = first_id_in(USER_ID_KEYS, attributes) or first_id_in(USER_ID_KEYS, around or {})
    acting = None if who is None else who.user_id
    return Flag(evaluation.key, evaluation.response, user_id or acting, time_ns)
