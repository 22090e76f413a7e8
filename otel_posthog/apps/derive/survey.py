"""Telemetry in, counts out: the events that the rules of the package would make, and what no rule fits.

It holds counts and names, never an item, so that a file may have any size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from otel_posthog.conventions import ROUTE, read_by_either_name
from otel_posthog.inspection.requests import Request, request_of, rules_for
from otel_posthog.intake.otlp import LogRecord, SpanRecord
from otel_posthog.intake.signals import record_signals
from otel_posthog.model import EXCEPTION_EVENT, PROCESSED, Attributes
from otel_posthog.policy import DeriveRule, Policy
from otel_posthog.policy.shipped_rules import GROUPS, SHIPPED, Shipped
from otel_posthog.recogniser import Recogniser

_PROPERTY = "analytics.property."
_DAY_S = 86_400
MIN_SPAN_S = 10
"""Of a shorter file nothing is said of a day."""

_ROWS = {row.name: row for row in SHIPPED}


@dataclass(slots=True)
class Found:
    """What a rule would make.

    Attributes:
        row: The rule.
        count: How many events.
        properties: Property -> kind of value -> in how many of them.
    """

    row: Shipped
    count: int = 0
    properties: dict[str, Counter[str]] = field(default_factory=dict)


class Survey:
    """Counts what a file of telemetry could become."""

    def __init__(self) -> None:
        self._recogniser = Recogniser(Policy(derive=GROUPS))
        self._found: dict[str, Found] = {}
        self._requests: Counter[Request] = Counter()
        self._first_ns, self._last_ns = 0, 0
        self.spans, self.logs, self.marked, self.exceptions, self.processed = 0, 0, 0, 0, 0
        self.unmatched: Counter[str] = Counter()
        """By what they are: spans and log records that no rule fits."""

    @property
    def items(self) -> int:
        """How many spans and log records there are."""
        return self.spans + self.logs

    @property
    def seconds(self) -> float:
        """How long the file is, from the first item to the last."""
        return (self._last_ns - self._first_ns) / 1e9

    def add(self, record: SpanRecord | LogRecord) -> None:
        """Count an item."""
        is_span = isinstance(record, SpanRecord)
        self.spans, self.logs = self.spans + is_span, self.logs + (not is_span)
        self._see(*_times(record))
        if PROCESSED in record.resource:
            self.processed += 1
            return
        signals = record_signals(record, self._recogniser)
        rules = [each for each in signals if each.rule in _ROWS]
        exceptions = sum(each.name == EXCEPTION_EVENT for each in signals)
        self.exceptions += exceptions
        self.marked += len(signals) > len(rules) + exceptions
        for signal in rules:
            self._count(signal.rule, signal.attributes)
        if not signals:
            self.unmatched[_what(record)] += 1
        if isinstance(record, SpanRecord):
            request = request_of(record)
            if request is not None:
                self._requests[request] += 1

    def found(self) -> list[Found]:
        """Return what the rules of the package would make, in their order."""
        return [self._found[row.name] for row in SHIPPED if row.name in self._found]

    def own_rules(self) -> list[tuple[DeriveRule, int]]:
        """Return rules for the app's most frequent requests that change something, with how many events each makes."""
        return rules_for(self._requests, taken={each.row.name for each in self.found()})

    def per_day(self, count: int) -> int | None:
        """Return how many a day that would be; None where the file is too short to say."""
        return round(count * _DAY_S / self.seconds) if self.seconds >= MIN_SPAN_S else None

    def words(self) -> list[str]:
        """Return the groups whose rules would make an event."""
        return list(dict.fromkeys(each.row.group for each in self.found()))

    def _see(self, first_ns: int, last_ns: int) -> None:
        if first_ns:
            self._first_ns = min(self._first_ns or first_ns, first_ns)
            self._last_ns = max(self._last_ns, last_ns)

    def _count(self, rule: str, attributes: Attributes) -> None:
        found = self._found.setdefault(rule, Found(_ROWS[rule]))
        found.count += 1
        for key, value in attributes.items():
            if key.startswith(_PROPERTY):
                found.properties.setdefault(key[len(_PROPERTY) :], Counter())[_kind(value)] += 1


def _times(record: SpanRecord | LogRecord) -> Iterator[int]:
    if isinstance(record, SpanRecord):
        yield record.start_ns or record.end_ns
        yield record.end_ns
    else:
        at_ns = record.time_ns or record.observed_ns
        yield at_ns
        yield at_ns


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "yes/no"
    kinds = ((str, "text"), (int, "whole number"), (float, "number"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "list")


_FAMILIES = (
    (ROUTE, "with a route"),
    ("http.request.method", "of HTTP, without a route"),
    ("db.system.name", "of a database"),
    ("messaging.system", "of messages"),
    ("rpc.system", "of remote calls"),
    ("gen_ai.operation.name", "of a model"),
)


def _what(record: SpanRecord | LogRecord) -> str:
    """Return in words what an item is: by its kind and which attributes it has, never by a value."""
    if isinstance(record, LogRecord):
        return "log records with an event name" if record.event_name else "log records"
    told = next((words for key, words in _FAMILIES if read_by_either_name(record.attributes, key) is not None), "")
    return f"{record.kind.lower()} spans {told}".strip()
