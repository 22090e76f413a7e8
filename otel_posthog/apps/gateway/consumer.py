"""One export request in, signals to the pipeline, the outcome out; the same for OTLP/HTTP and OTLP/gRPC.

Runs step by step on the scheduler's thread, since none of it waits for a network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping

from otel_posthog.apps.gateway.memory import Reserve, check_items, check_json_items, reserve_for_json, reserve_for_proto
from otel_posthog.apps.gateway.responses import ExportOutcome
from otel_posthog.errors import MalformedTelemetry
from otel_posthog.health import WANTED_DROPS
from otel_posthog.intake.otlp import OPERATIONAL, OnMalformed, Record, RecordUids
from otel_posthog.intake.otlp.json_document import read_document
from otel_posthog.intake.otlp.protobuf import LOGS, TRACES, Kind, read_request
from otel_posthog.intake.otlp.wire import parsed_in_steps, parsed_json
from otel_posthog.intake.signals import record_signals
from otel_posthog.model import Attributes, Signal
from otel_posthog.pipeline import Pipeline

# Not the sender's mistakes: what the policy or the person does not want sent is accepted and dropped.
NOT_THE_SENDERS = WANTED_DROPS | {"catalog_event", "catalog_group"}
MALFORMED, TOO_MANY_VALUES = "malformed", "too_many_values"

MAX_VALUES_OF_AN_ITEM = 10_000
"""Attributes and what is in them, for an event of a span with the span's: one item is one step."""

# Of some ten milliseconds each.
_RECORDS_A_STEP = 512
_COST_OF_ONE, _COST_OF_A_STEP = 10, 3000
_MOST_BEGUN = 256
_HOLDERS = frozenset({dict, tuple})


_Sized = tuple[Signal, int]
Steps = Generator[None, None, ExportOutcome]
"""Work that pauses after each step, and returns its outcome."""


class Consumer:
    """Reads requests for a pipeline, step by step: between two steps another request's may be done.

    Args:
        pipeline: Takes the signals; the sender keeps them until they are on disk.
        uuid_key: Makes the uids of log records without one.
        max_items: Of a request.
    """

    kinds: Mapping[str, Kind | None] = {"traces": TRACES, "logs": LOGS, "metrics": None}
    """What is read, by signal; the others are acknowledged and not kept."""

    def __init__(self, pipeline: Pipeline, uuid_key: bytes, max_items: int) -> None:
        self._pipeline, self._uuid_key, self._max_items = pipeline, uuid_key, max_items
        # Digest of a request that could not be done whole -> how many of its signals are done. A retry goes on from
        # there: a request with more events than the spool holds would else never get past its first ones.
        self._begun: dict[bytes, int] = {}

    @property
    def is_ready(self) -> bool:
        """Whether the events of a request would be kept, as far as is known."""
        return self._pipeline.has_room

    def consume_proto(self, body: bytes, kind: Kind, reserve: Reserve) -> Steps:
        """Take an export request in protobuf.

        Args:
            body: The request.
            kind: Which one.
            reserve: Called for the memory that reading it takes.

        Raises:
            MalformedTelemetry: It cannot be read at all.
            Refusal: It holds too much, or more than there is memory for now.
        """
        yield from reserve_for_proto(body, kind, reserve)
        message = yield from parsed_in_steps(body, kind)
        check_items(message, kind, self._max_items)
        recogniser = self._pipeline.recogniser
        return (
            yield from self._consume(body, lambda on_malformed: read_request(message, kind, recogniser, on_malformed))
        )

    def consume_json(self, body: bytes, kind: Kind, reserve: Reserve) -> Steps:
        """Take an export request in JSON; as `consume_proto`."""
        reserve_for_json(body, reserve)
        document = _parsed(body)
        check_json_items(document, kind, self._max_items)
        if isinstance(document, dict):
            # Of one signal only: the other has its own path.
            document = {kind.json_resources: document.get(kind.json_resources)}
        return (yield from self._consume(body, lambda on_malformed: read_document(document, on_malformed)))

    def _consume(self, body: bytes, read: Callable[[OnMalformed], Iterator[Record]]) -> Steps:
        outcome = ExportOutcome()

        def on_malformed(error: MalformedTelemetry) -> None:
            outcome.rejected[MALFORMED] += 1
            outcome.first_problem = outcome.first_problem or str(error)

        # All of it is read before anything is kept: a request that cannot be read is answered as a whole.
        signals = yield from self._read(read(on_malformed), outcome)
        done = self._begun.pop(_digest(body), 0) if self._begun else 0
        try:
            for step in _in_steps(signals[done:]):
                accepted = self._pipeline.accept(step)
                for reason, number in accepted.dropped.items():
                    if reason not in NOT_THE_SENDERS:
                        outcome.rejected[reason] += number
                if not accepted.is_kept:
                    outcome.is_kept = False
                    break
                done += len(step)
                yield
        finally:
            # Also where the time for it was over.
            if 0 < done < len(signals):
                self._remember(body, done)
        return outcome

    def _remember(self, body: bytes, done: int) -> None:
        if len(self._begun) >= _MOST_BEGUN:
            del self._begun[next(iter(self._begun))]
        self._begun[_digest(body)] = done

    def _read(self, records: Iterator[Record], outcome: ExportOutcome) -> Generator[None, None, list[_Sized]]:
        signals, uids = list[_Sized](), RecordUids(self._uuid_key)
        for record in records:
            outcome.items += 1
            found = [] if record is OPERATIONAL else record_signals(record, self._pipeline.recogniser, uids)
            if not found:
                outcome.operational += 1
            for signal in found:
                values = _count_values(signal.attributes) + (_count_values(signal.parent) if signal.parent else 0)
                if values > MAX_VALUES_OF_AN_ITEM:
                    outcome.rejected[TOO_MANY_VALUES] += 1
                else:
                    signals.append((signal, values))
            if not outcome.items % _RECORDS_A_STEP:
                yield
        return signals


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _count_values(attributes: Attributes) -> int:
    """Return how many values there are, nested ones too."""
    # For every event, and most hold texts and numbers.
    if _HOLDERS.isdisjoint(map(type, attributes.values())):
        return len(attributes)
    return sum(map(_count_nested, attributes.values()))


def _count_nested(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_count_nested, value.values()))
    return 1 + sum(map(_count_nested, value)) if isinstance(value, tuple) else 1


def _in_steps(signals: list[_Sized]) -> Iterator[list[Signal]]:
    """Yield `signals` in lists that take about the same time."""
    step, cost = list[Signal](), 0
    for signal, values in signals:
        step.append(signal)
        cost += _COST_OF_ONE + values
        if cost >= _COST_OF_A_STEP:
            yield step
            step, cost = [], 0
    if step:
        yield step


def _parsed(body: bytes) -> object:
    try:
        return parsed_json(body)
    except RecursionError:
        raise MalformedTelemetry("", "is nested too deeply") from None
    except ValueError:  # also of bytes that are no text, and of numbers of thousands of digits
        raise MalformedTelemetry("", "must be JSON in UTF-8") from None
