"""One export request in; what became of its items out. What OTLP/HTTP and OTLP/gRPC have in common.

Runs on the one thread of a worker process that does the work, since none of it waits for a network.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

from otel_posthog.apps.gateway.inflate import Take
from otel_posthog.apps.gateway.weight import check_items, check_json_items, weigh_json, weigh_proto
from otel_posthog.errors import MalformedTelemetry
from otel_posthog.health import WANTED_DROPS
from otel_posthog.intake.otlp import OPERATIONAL, OnMalformed, Record, RecordUids, signals_of
from otel_posthog.intake.otlp_json import read as read_json
from otel_posthog.intake.otlp_proto import Kind, parsed
from otel_posthog.intake.otlp_proto import read as read_proto
from otel_posthog.model import Attributes, Signal
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import ExceptionPolicy

# Not the sender's mistakes: what the policy, or the person, does not want sent, is taken and not kept.
NOT_THE_SENDERS = WANTED_DROPS | {"catalog_event", "catalog_group"}
MALFORMED, TOO_MANY_VALUES = "malformed", "too_many_values"

MAX_VALUES_OF_AN_ITEM = 10_000
"""Attributes and what is in them, for an event of a span with the span's: one item is one step."""

# Of some ten milliseconds each.
_RECORDS_A_STEP = 512
_WEIGHT_OF_ONE, _WEIGHT_OF_A_STEP = 10, 3000
_MOST_BEGUN = 256
_HOLDERS = frozenset({dict, tuple})


@dataclass(slots=True)
class Taken:
    """What became of one request.

    Attributes:
        is_kept: Whether the sender may forget it: all its events are on disk, or dropped for good.
        items: Spans or log records that could be read.
        operational: Those in which there is no product event.
        rejected: Items, or events of theirs, that can never be taken, by reason; sending them again is of no use.
        first_problem: What is wrong with the first malformed item: its field, and what that must be.
    """

    is_kept: bool = True
    items: int = 0
    operational: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    first_problem: str = ""

    @property
    def message(self) -> str:
        """What the answer says of what was rejected, without a value; empty where nothing was."""
        if not self.rejected:
            return ""
        listed = ", ".join(f"{reason} {number}" for reason, number in sorted(self.rejected.items()))
        return f"{listed}; first malformed: {self.first_problem}" if self.first_problem else listed


_Weighed = tuple[Signal, int]
Steps = Generator[None, None, Taken]
"""Work that pauses after each step, and returns what became of it."""


class Receiver:
    """Takes requests for a pipeline, step by step: between two steps another request's may be done.

    Args:
        pipeline: Takes signals of somebody who keeps them until they are on disk.
        uuid_key: Makes the uids of log records without one.
        max_items: Of a request.
    """

    def __init__(self, pipeline: Pipeline, uuid_key: bytes, max_items: int) -> None:
        self._pipeline, self._uuid_key, self._max_items = pipeline, uuid_key, max_items
        # Digest of a request that could not be done whole -> how many of its signals are done. When it comes again it
        # goes on from there: one with more events than the spool holds would else never get past its first ones.
        self._begun: dict[bytes, int] = {}

    @property
    def is_ready(self) -> bool:
        """Whether a request would find its events kept, as far as that can be told."""
        return self._pipeline.has_room

    def take_proto(self, body: bytes, kind: Kind, take: Take) -> Steps:
        """Take an export request in protobuf.

        Args:
            body: The request.
            kind: Which one.
            take: Told of the memory that reading it takes.

        Raises:
            MalformedTelemetry: It cannot be read at all.
            Refusal: It holds too much, or more than there is memory for now.
        """
        yield from weigh_proto(body, kind, take)
        message = parsed(body, kind)
        check_items(message, kind, self._max_items)
        return (yield from self._take(body, lambda on_malformed: read_proto(message, kind, on_malformed)))

    def take_json(self, body: bytes, kind: Kind, take: Take) -> Steps:
        """Take one in JSON; the same."""
        weigh_json(body, take)
        document = _parsed(body)
        check_json_items(document, kind, self._max_items)
        if isinstance(document, dict):
            # Of one signal only: the other has its own path.
            document = {kind.json_resources: document.get(kind.json_resources)}
        return (yield from self._take(body, lambda on_malformed: read_json(document, on_malformed)))

    def _take(self, body: bytes, read: Callable[[OnMalformed], Iterator[Record]]) -> Steps:
        taken = Taken()

        def on_malformed(error: MalformedTelemetry) -> None:
            taken.rejected[MALFORMED] += 1
            taken.first_problem = taken.first_problem or str(error)

        # All of it is read before anything is kept: a request that cannot be read is answered as a whole.
        signals = yield from self._read(read(on_malformed), taken)
        done = self._begun.pop(_digest(body), 0) if self._begun else 0
        try:
            for step in _in_steps(signals[done:]):
                accepted = self._pipeline.accept(step)
                for reason, number in accepted.dropped.items():
                    if reason not in NOT_THE_SENDERS:
                        taken.rejected[reason] += number
                if not accepted.is_kept:
                    taken.is_kept = False
                    break
                done += len(step)
                yield
        finally:
            # Also where the time for it was over.
            if 0 < done < len(signals):
                self._remember(body, done)
        return taken

    def _remember(self, body: bytes, done: int) -> None:
        if len(self._begun) >= _MOST_BEGUN:
            del self._begun[next(iter(self._begun))]
        self._begun[_digest(body)] = done

    def _read(self, records: Iterator[Record], taken: Taken) -> Generator[None, None, list[_Weighed]]:
        signals, uids = list[_Weighed](), RecordUids(self._uuid_key)
        for record in records:
            taken.items += 1
            found = [] if record is OPERATIONAL else signals_of(record, self._exceptions, uids)
            if not found:
                taken.operational += 1
            for signal in found:
                weight = _weight(signal.attributes) + (_weight(signal.parent) if signal.parent else 0)
                if weight > MAX_VALUES_OF_AN_ITEM:
                    taken.rejected[TOO_MANY_VALUES] += 1
                else:
                    signals.append((signal, weight))
            if not taken.items % _RECORDS_A_STEP:
                yield
        return signals

    def _exceptions(self) -> ExceptionPolicy:
        return self._pipeline.policy.exceptions


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _weight(attributes: Attributes) -> int:
    """Return how many values there are, with those within them."""
    # For every event, and most hold texts and numbers.
    if _HOLDERS.isdisjoint(map(type, attributes.values())):
        return len(attributes)
    return sum(map(_values, attributes.values()))


def _values(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_values, value.values()))
    return 1 + sum(map(_values, value)) if isinstance(value, tuple) else 1


def _in_steps(signals: list[_Weighed]) -> Iterator[list[Signal]]:
    """Yield `signals` in lists that take about as long as each other."""
    step, sum_of_weights = list[Signal](), 0
    for signal, weight in signals:
        step.append(signal)
        sum_of_weights += _WEIGHT_OF_ONE + weight
        if sum_of_weights >= _WEIGHT_OF_A_STEP:
            yield step
            step, sum_of_weights = [], 0
    if step:
        yield step


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except RecursionError:
        raise MalformedTelemetry("", "is nested too deeply") from None
    except ValueError:  # also of bytes that are no text, and of numbers of thousands of digits
        raise MalformedTelemetry("", "must be JSON in UTF-8") from None
