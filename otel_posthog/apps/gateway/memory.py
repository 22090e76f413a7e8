"""Memory of requests: how much they may take together, how much one sender, and what a body takes when read.

Two bytes of a body may become an object of two hundred, so that its values are counted, and their memory reserved,
before anything is made of them. The event loop and the scheduler's thread both reserve.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import cache
from types import TracebackType
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from typing_extensions import Self

from otel_posthog.apps.gateway.responses import Refusal
from otel_posthog.intake.otlp.protobuf import METRICS, TRACES, Kind
from otel_posthog.intake.otlp.wire import FIELDS_A_STEP, FIXED_BYTES, LENGTH_DELIMITED, varint

_RETRY_INTERVAL_S = 0.01
MAX_VALUES = 300_000
"""Of one body; 12,000 items with a dozen attributes each hold as many."""

_VALUE_BYTES = 128
# A text that does not end goes to the end of the body: a search that failed there would begin again at every quote.
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_Inner = Mapping[int, Any]
"""The fields of a message that are messages, by number, each with those of its own."""

_tables: dict[str, dict[int, Any]] = {}

Reserve = Callable[[int], None]
"""Called with a number of bytes before they are allocated; raises where there is no room for them."""


class MemoryLimiter:
    """The bytes that requests hold: bodies as they arrive, what they inflate to, what is read from them.

    Args:
        max_bytes: The bound, over all requests; half of it for one sender.
    """

    def __init__(self, max_bytes: int) -> None:
        self._left, self._of_one = max_bytes, max(1, max_bytes // 2)
        self._held: Counter[str] = Counter()
        # The event loop receives while the worker's thread inflates.
        self._lock = threading.Lock()

    def reserve(self, sender: str, size_bytes: int) -> bool:
        """Reserve `size_bytes` for `sender`; return False where they are not left."""
        with self._lock:
            if size_bytes > self._left or self._held[sender] + size_bytes > self._of_one:
                return False
            self._left -= size_bytes
            self._held[sender] += size_bytes
            return True

    def release(self, sender: str, size_bytes: int) -> None:
        """Give `size_bytes` back."""
        with self._lock:
            self._left += size_bytes
            self._held[sender] -= size_bytes
            if not self._held[sender]:
                del self._held[sender]


class Reservation:
    """The memory that one request holds; released at the end of the block.

    Args:
        limiter: Of all requests.
        sender: Who sends it, as any text.
    """

    def __init__(self, limiter: MemoryLimiter, sender: str) -> None:
        self._limiter, self.sender, self._size_bytes = limiter, sender, 0
        self._is_over, self._lock = False, threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._is_over = True
            self._limiter.release(self.sender, self._size_bytes)

    def reserve(self, size_bytes: int) -> None:
        """Reserve `size_bytes` more.

        Raises:
            Refusal: There are not so many left; later there are.
        """
        # The worker's thread may not know yet that the sender has gone away.
        with self._lock:
            if self._is_over or not self._limiter.reserve(self.sender, size_bytes):
                raise Refusal(503, "too many requests are being received at once", retry_after_s=1)
            self._size_bytes += size_bytes

    def release(self, size_bytes: int) -> None:
        """Give `size_bytes` back before the end of the block."""
        with self._lock:
            self._size_bytes -= size_bytes
            self._limiter.release(self.sender, size_bytes)

    async def reserve_in_time(self, size_bytes: int, timeout_s: float) -> None:
        """Reserve `size_bytes` more as soon as they are there.

        Raises:
            Refusal: They were not, in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return self.reserve(size_bytes)
            except Refusal:
                if time.monotonic() >= deadline:
                    raise
            await asyncio.sleep(_RETRY_INTERVAL_S)


def reserve_for_proto(body: bytes, kind: Kind, reserve: Reserve) -> Iterator[None]:
    """Reserve the memory of what a body in protobuf is read into, step by step.

    Raises:
        Refusal: It holds too many values, or there is no memory for them now.
    """
    # Each value begins with one of these bytes. Texts have them too, so that this is a bound, in no time.
    values = len(body) - len(body.translate(None, _first_bytes(kind)))
    if values > MAX_VALUES:
        values = yield from _counted(body, _inner(kind.message.DESCRIPTOR))
    reserve(values * _VALUE_BYTES)


def reserve_for_json(body: bytes, reserve: Reserve) -> None:
    """Reserve the memory of what a body in JSON is read into.

    Raises:
        Refusal: It holds too many values, or there is no memory for them now.
    """
    values = _commas_and_brackets(body)
    if values > MAX_VALUES:
        values = _commas_and_brackets(_TEXT.sub(b"", body))
    if values > MAX_VALUES:
        raise _too_many("values", MAX_VALUES)
    reserve(values * _VALUE_BYTES)


def check_items(message: Any, kind: Kind, max_items: int) -> None:
    """Count the spans and their events, the log records, or the metrics and their points, of a parsed request.

    Raises:
        Refusal: They are more than `max_items`.
    """
    scopes = [scope for holder in getattr(message, kind.resources) for scope in getattr(holder, kind.scopes)]
    items = sum([len(getattr(scope, kind.items)) for scope in scopes])
    if items <= max_items and kind is TRACES:
        items += sum([len(span.events) for scope in scopes for span in scope.spans])
    if items <= max_items and kind is METRICS:
        items += sum([_points(metric) for scope in scopes for metric in scope.metrics])
    if items > max_items:
        raise _too_many("items", max_items)


def _points(metric: Any) -> int:
    data = metric.WhichOneof("data")
    return len(getattr(metric, data).data_points) if data else 0


def check_json_items(document: object, kind: Kind, max_items: int) -> None:
    """Count the same in a JSON document, whatever else is wrong with it.

    Raises:
        Refusal: They are more than `max_items`.
    """
    items = 0
    for holder in _listed(document, kind.json_resources):
        for scope in _listed(holder, kind.json_scopes):
            found = _listed(scope, kind.json_items)
            items += len(found) + sum([len(_listed(each, "events")) for each in found])
    if items > max_items:
        raise _too_many("items", max_items)


def _listed(value: object, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _commas_and_brackets(text: bytes) -> int:
    return text.count(b",") + text.count(b"{") + text.count(b"[")


def _too_many(what: str, most: int) -> Refusal:
    return Refusal(413, f"the request holds more than {most} {what}; send smaller batches")


def _counted(body: bytes, outermost: _Inner) -> Generator[None, None, int]:
    """Return how many messages are in `body`; the parser says later what else is wrong with it."""
    values = fields = 0
    waiting = [(0, len(body), outermost)]
    while waiting:
        at, end, inner = waiting.pop()
        while at < end:
            fields += 1
            if not fields % FIELDS_A_STEP:
                yield
            tag, at = varint(body, at, end)
            if tag & 7 == LENGTH_DELIMITED:
                size, at = varint(body, at, end)
                within = inner.get(tag >> 3)
                if within is not None:
                    values += 1
                    if values > MAX_VALUES:
                        raise _too_many("values", MAX_VALUES)
                    waiting.append((at, min(at + size, end), within))
                at += size
            elif tag & 7 == 0:
                _, at = varint(body, at, end)
            else:
                at += FIXED_BYTES.get(tag & 7, end)
    return values


@cache
def _first_bytes(kind: Kind) -> bytes:
    """Return the bytes with which a message within one of `kind` can begin, also where its tag is written too long."""
    _inner(kind.message.DESCRIPTOR)
    numbers = {number for inner in _tables.values() for number in inner}
    tags = {number << 3 | LENGTH_DELIMITED for number in numbers}
    return bytes({tag & 0x7F for tag in tags} | {tag & 0x7F | 0x80 for tag in tags})


def _inner(message: Any) -> _Inner:
    """Return the table of `message`; an `AnyValue` may hold others, so that it is in its own."""
    found = _tables.get(message.full_name)
    if found is None:
        found = _tables[message.full_name] = {}
        for field in message.fields:
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                found[field.number] = _inner(field.message_type)
    return found
