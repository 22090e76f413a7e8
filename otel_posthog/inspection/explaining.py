"""Entries of a running process in, the objects that viewers are sent out: what `explain --json` prints of an item.

Whether anything of what was there before the filters is in them is this process's to say, by how it was started. It
works on the inspector's own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from opentelemetry.sdk.trace import ReadableSpan

from otel_posthog.actor.attributes import GROUP_PREFIX, SESSION_ID_KEYS, USER_ID_KEYS, WINDOW_ID_KEYS
from otel_posthog.inspection.explanation import Explanation, Kept, Operational, ProductEvent, Sent
from otel_posthog.inspection.form import Values, item_form
from otel_posthog.inspection.made_rules import RuleError
from otel_posthog.inspection.operational import OperationalSide
from otel_posthog.inspection.outcomes import product_events, why_none
from otel_posthog.inspection.ring import Entry, Ring
from otel_posthog.inspection.sdk_items import log_record, span_record
from otel_posthog.inspection.times import utc
from otel_posthog.inspection.trial import Item, Trial
from otel_posthog.intake.otlp import LogRecord, SpanRecord
from otel_posthog.model import NO_ATTRIBUTES, UNSHOWN_KEY, Event, Signal, Source, shown_path
from otel_posthog.operational import Redactor
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Destination
from otel_posthog.privacy import Filter
from otel_posthog.recogniser import EVENT
from otel_posthog.stages import Outcome, Stages, with_events

_UNSAMPLED = "its trace is not sampled"
_NO_EVENT = f"it has no attribute {EVENT}, and no rule of the policy fits"
_WAITING = "its event waits for the user of its request, or was given up"
_ALLOW_LIST = "allow_list"
_KINDS = {Source.SPAN: "span", Source.SPAN_EVENT: "span", Source.LOG: "log"}
_MIN_ID_CHARS = 3
_POLICIES_KEPT = 8
_Allows = Callable[[str], bool]
_ID_KEYS = frozenset({*USER_ID_KEYS, *SESSION_ID_KEYS, *WINDOW_ID_KEYS})


class Explaining:
    """Explains what the pipeline did.

    Args:
        pipeline: Whose policy is in force.
        redactor: The operational side's filter.
        values: What may be handed out.
    """

    def __init__(self, pipeline: Pipeline, redactor: Redactor, values: Values) -> None:
        self._pipeline, self._redactor, self.values = pipeline, redactor, values
        self._side = OperationalSide(redactor, Filter(pipeline.policy.privacy))
        self._of = pipeline.policy
        self._stages = dict[str, Stages]()

    def form(self, entry: Entry) -> dict[str, object]:
        """Return the object of an entry."""
        self.follow()
        record = record_of(entry)
        signal = entry.outcomes[0][0].signal if entry.outcomes else None
        span = _span_ids(record, signal)
        made = item_form(self._explanation(entry, record), self.values)
        return {**made, "time": utc(entry.time_ns), "span": span}

    def answer(self, asked: Mapping[str, object], ring: Ring) -> dict[str, object]:
        """Return the lines of a rule that a viewer asks for and its effect on the ring, or why there is none."""
        kind, key, seq = asked.get("kind"), asked.get("key", ""), asked.get("seq")
        of = ring.entry(seq) if isinstance(seq, int) else None
        if of is None or not isinstance(kind, str) or not isinstance(key, str):
            return {"error": "the app does not keep this item any more"}
        self.follow()
        trial = Trial(self._of, self._side, self.values)
        try:
            return trial.answer(kind, key, _tried(of), map(_tried, ring.entries()))
        except RuleError as error:
            return {"error": str(error)}

    def follow(self) -> None:
        """Take over the policy that is in force now, and remember it for what went by it, which may be shown later."""
        stages = self._pipeline.stages
        if stages.revision not in self._stages:
            for revision in list(self._stages)[: 1 - _POLICIES_KEPT]:
                del self._stages[revision]
        self._stages[stages.revision] = stages
        if self._of is not self._pipeline.policy:
            self._of = self._pipeline.policy
            self._side = OperationalSide(self._redactor, Filter(self._of.privacy))

    def _explanation(self, entry: Entry, record: SpanRecord | LogRecord | None) -> Explanation:
        signals, seen = [each[0].signal for each in entry.outcomes], list(map(with_events, entry.outcomes))
        kind = "span" if isinstance(record, SpanRecord) else "log" if record else _KINDS[signals[0].source]
        name = record.name if isinstance(record, SpanRecord) else record.event_name if record else ""
        made = Explanation(None, kind, name, "" if signals else _WAITING if entry.expected else _NO_EVENT)
        return replace(
            made,
            events=tuple(each for outcomes in seen for each in self._events(outcomes)),
            dropped=tuple(each for outcomes in seen for each in why_none(outcomes)),
            operational=self._operational(signals, record),
        )

    def _events(self, outcomes: Sequence[Outcome]) -> Iterator[ProductEvent]:
        pipeline, signal, receipt = self._pipeline, outcomes[0].signal, outcomes[0].receipt
        reason = pipeline.recogniser.reason(signal.rule, signal.source) or "a rule of the policy fits"
        revision = (receipt.policy if receipt else "") or pipeline.stages.revision
        under = self._stages.get(revision)
        events = {id(each.event): each.event for each in outcomes if each.event is not None}
        made = product_events(outcomes, reason, (), partial(_mode, under), revision)
        for event, found in zip(events.values(), made, strict=True):
            destinations = [each.destination for each in outcomes if each.event is event]
            allows = [_allows(under, each) for each in destinations]
            yield self._with_all_changes(event, found, allows)

    def _with_all_changes(self, event: Event, found: ProductEvent, allows: Sequence[_Allows]) -> ProductEvent:
        """Return an event with the attributes that were never asked to leave among its changes, as `explain` has it.

        And with no key that is an id of somebody, since what is keyed by those tells them.

        Args:
            event: Before the filters.
            found: What is shown of it.
            allows: Of each destination, whether an attribute may leave in an event.
        """
        ids, sent = _ids_of(event), list[Sent]()
        for each, may_leave in zip(found.sent, allows, strict=True):
            unasked = [key for key in event.telemetry if not may_leave(key)]
            kept_back = [(self._safe(key, ids), _ALLOW_LIST, "removed") for key in unasked]
            changes = [(_without_ids(key, ids), rule, action) for key, rule, action in each.changes]
            sent.append(replace(each, changes=(*(kept_back if each.changes or each.event else ()), *changes)))
        return replace(found, sent=tuple(sent))

    def _safe(self, key: str, ids: frozenset[str]) -> str:
        return _without_ids(shown_path(self._redactor.text(key)), ids)

    def _operational(self, signals: list[Signal], record: SpanRecord | LogRecord | None) -> Operational | None:
        if signals and not all(each.is_sampled for each in signals) and not isinstance(record, LogRecord):
            return Operational(_UNSAMPLED, ())
        found = self._side.of(record) if record is not None else None
        ids = frozenset(each for signal in signals for each in signal_ids(signal)) | _own_ids(record)
        if found is None or self.values is Values.ALL or not ids:
            return found
        parts = tuple(Kept(_without_ids(part.key, ids), part.before, part.after) for part in found.parts)
        return replace(found, parts=parts)


def _mode(under: Stages | None, destination: Destination) -> str:
    """Return the identity mode of a destination; empty where the policy that was in force is not remembered."""
    return under.cleaner.policy.identity_of(destination).value if under else ""


def _allows(under: Stages | None, destination: Destination | None) -> _Allows:
    """Return what says whether an attribute may leave; all, where the policy that was in force is not remembered."""
    return under.cleaner.filter_of(destination).allows if under and destination else lambda _: True


def _tried(entry: Entry) -> Item:
    return Item(entry.seq, record_of(entry), [each[0].signal for each in entry.outcomes])


def record_of(entry: Entry) -> SpanRecord | LogRecord | None:
    """Return the span or log record of an entry, with its product data; None where none was seen."""
    if entry.item is None:
        return None
    if not isinstance(entry.item, ReadableSpan):
        return log_record(entry.item)
    signals = (each[0].signal for each in entry.outcomes)
    product = next((each.attributes for each in signals if each.source is Source.SPAN), NO_ATTRIBUTES)
    return span_record(entry.item, product)


def signal_ids(signal: Signal) -> Iterator[str]:
    """Yield what a signal's context calls somebody."""
    context = signal.context
    if context is not None:
        yield from _long((context.user_id, context.session_id, *context.groups.values()))


def _ids_of(event: Event) -> frozenset[str]:
    subject = event.subject
    ids = (subject.user_id, subject.alias, subject.session_id, *subject.groups.values())
    return frozenset(_long((*ids, *(each for _, each in subject.other_ids))))


def _own_ids(record: SpanRecord | LogRecord | None) -> frozenset[str]:
    """Return what an item's own attributes, and those of what made it, call somebody."""
    given = [] if record is None else [record.attributes, record.resource]
    return frozenset(
        _long(value for each in given for key, value in each.items() if key in _ID_KEYS or key.startswith(GROUP_PREFIX))
    )


def _long(ids: Iterable[object]) -> Iterator[str]:
    return (each for each in ids if isinstance(each, str) and len(each) >= _MIN_ID_CHARS)


def _without_ids(key: str, ids: frozenset[str]) -> str:
    return UNSHOWN_KEY if ids and any(each in key for each in ids) else key


def _span_ids(record: SpanRecord | LogRecord | None, signal: Signal | None) -> dict[str, object] | None:
    of = record or signal
    if of is None or not (of.trace_id or of.span_id):
        return None
    kind = record.kind if isinstance(record, SpanRecord) else None
    return {"trace_id": f"{of.trace_id:032x}", "span_id": f"{of.span_id:016x}", "kind": kind}
