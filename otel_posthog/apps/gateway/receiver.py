"""One export request in; what became of its items out. What OTLP/HTTP and OTLP/gRPC have in common.

Runs on the one thread of a worker process that does the work, since none of it waits for a network.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.health import WANTED_DROPS
from otel_posthog.intake.otlp import OPERATIONAL, OnMalformed, Record, RecordUids, signals_of
from otel_posthog.intake.otlp_json import read as read_json
from otel_posthog.intake.otlp_proto import Kind
from otel_posthog.intake.otlp_proto import read as read_proto
from otel_posthog.model import Signal
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import ExceptionPolicy

# Not the sender's mistakes: what the policy, or the person, does not want sent, is taken and not kept.
NOT_THE_SENDERS = WANTED_DROPS | {"catalog_event", "catalog_group"}
MALFORMED = "malformed"


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


class Receiver:
    """Takes requests for a pipeline.

    Args:
        pipeline: Takes signals of somebody who keeps them until they are on disk.
        uuid_key: Makes the uids of log records without one.
    """

    def __init__(self, pipeline: Pipeline, uuid_key: bytes) -> None:
        self._pipeline, self._uuid_key = pipeline, uuid_key

    @property
    def is_ready(self) -> bool:
        """Whether a request would find its events kept, as far as that can be told."""
        return self._pipeline.has_room

    def take_proto(self, request: bytes | Any, kind: Kind) -> Taken:
        """Take an export request in protobuf, encoded or parsed.

        Raises:
            MalformedTelemetry: It cannot be read at all.
        """
        return self._take(lambda on_malformed: read_proto(request, kind, on_malformed))

    def take_json(self, body: bytes, kind: Kind) -> Taken:
        """Take an export request in JSON.

        Raises:
            MalformedTelemetry: It cannot be read at all.
        """
        document = _parsed(body)
        if isinstance(document, dict):
            # Of one signal only: the other has its own path.
            document = {kind.json_resources: document.get(kind.json_resources)}
        return self._take(lambda on_malformed: read_json(document, on_malformed))

    def _take(self, read: Callable[[OnMalformed], Iterator[Record]]) -> Taken:
        taken = Taken()

        def on_malformed(error: MalformedTelemetry) -> None:
            taken.rejected[MALFORMED] += 1
            taken.first_problem = taken.first_problem or str(error)

        # All of it is read before anything is kept: a request is answered as a whole.
        signals = list(self._signals(read(on_malformed), taken))
        accepted = self._pipeline.accept(signals)
        taken.is_kept = accepted.is_kept
        for reason, number in accepted.dropped.items():
            if reason not in NOT_THE_SENDERS:
                taken.rejected[reason] += number
        return taken

    def _signals(self, records: Iterator[Record], taken: Taken) -> Iterator[Signal]:
        uids = RecordUids(self._uuid_key)
        for record in records:
            taken.items += 1
            signals = [] if record is OPERATIONAL else signals_of(record, self._exceptions, uids)
            if not signals:
                taken.operational += 1
            yield from signals

    def _exceptions(self) -> ExceptionPolicy:
        return self._pipeline.policy.exceptions


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except RecursionError:
        raise MalformedTelemetry("", "is nested too deeply") from None
    except ValueError:  # also of bytes that are no text, and of numbers of thousands of digits
        raise MalformedTelemetry("", "must be JSON in UTF-8") from None
