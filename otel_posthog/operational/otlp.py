"""The filter of the operational side over OTLP messages: what an app's exporters would have sent, field by field.

Comes in: a parsed export request of traces, logs or metrics. Goes out: the same message, changed in place where there
was something to take out, and nowhere else. Which fields are looked at is read from the descriptors, so that a field
which a later OTLP brings is looked at before anybody has heard of it: every text, every list of attributes, every
value, bytes that are no ids, and fields that are not known here at all. Runs on whichever thread calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics

from otel_posthog.errors import Guard
from otel_posthog.model import GONE, PROCESSED, REDACTED
from otel_posthog.operational.otlp_series import Given, merge_series
from otel_posthog.operational.otlp_values import keep, mark, read_attributes, read_value, write_attributes, write_value
from otel_posthog.operational.redactor import Redactor
from otel_posthog.operational.spans import LINKS_MARK
from otel_posthog.recogniser import (
    EXCEPTION,
    EXCEPTION_TYPE,
    PREFIX,
    is_only_product_event,
    is_only_product_log,
)

_ID_BYTES: Mapping[str, int] = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}
_TRACE_STATE = "trace_state"
_PRODUCT = PREFIX.encode()
_LENGTH_DELIMITED, _GROUP = 2, 3
# Of some ten milliseconds each, unless one item takes longer.
_BYTES_A_STEP = 100_000
MAX_ATTRIBUTES = 10_000
"""Of one list; SDKs stop at 128. Longer ones are dropped, and counted where OTLP counts what was dropped."""


class Passed(NamedTuple):
    """What became of the items of a request.

    Attributes:
        items: Spans, log records or data points that were in it.
        product: Log records that are nothing but a product event, and so were withheld.
        failed: Log records and metrics that could not be looked through, and so were withheld.
    """

    items: int
    product: int
    failed: int


class OtlpFilter:
    """Takes out of export requests what is not for the operational side.

    Args:
        redactor: The filter, the same as in an app.
        guard: Counts what goes wrong; what could not be looked through does not go on.
    """

    def __init__(self, redactor: Redactor, guard: Guard) -> None:
        self._redactor, self._guard = redactor, guard
        self._acts: Mapping[str, Callable[[Any, str], None]] = {
            "text": self._text,
            "texts": self._texts,
            "bytes": self._bytes,
            "state": self._state,
            "attributes": self._attributes,
            "value": self._value,
            "values": self._values,
            "gone": self._gone,
            "one": self._one,
            "many": self._many,
        }

    def clean(self, request: Any) -> Iterator[Passed]:
        """Filter `request` in place, step by step; the last of what is yielded is what became of it all.

        Args:
            request: An `ExportTraceServiceRequest`, `ExportLogsServiceRequest` or `ExportMetricsServiceRequest`.
        """
        self._clean_unknown(request)
        items = product = failed = 0
        (field,) = request.DESCRIPTOR.fields
        holders, left = getattr(request, field.name), list[Any]()
        for holder in holders:
            withheld = product + failed
            for seen, of_product, of_failed in self._holder(holder):
                items, product, failed = items + seen, product + of_product, failed + of_failed
                yield Passed(items, product, failed)
            if product + failed == withheld or not _is_emptied(holder):
                left.append(holder)
        keep(holders, left)
        yield Passed(items, product, failed)

    def _holder(self, holder: Any) -> Iterator[Passed]:
        """Filter a resource and all under it; a scope of which all is withheld goes with it."""
        if isinstance(holder, ResourceMetrics):
            yield from self._metrics(holder)
            return
        scopes_name, items_name = _PLACES[holder.DESCRIPTOR.full_name]
        scopes, left = getattr(holder, scopes_name), list[Any]()
        clean = self._span_safely if items_name == "spans" else self._log_safely
        self._all_but(holder, scopes_name)
        mark(holder.resource.attributes, PROCESSED)
        for scope in scopes:
            self._all_but(scope, items_name)
            items = getattr(scope, items_name)
            fates, seen, size_bytes = list[str](), 0, 0
            for item in items:
                size_bytes += item.ByteSize()
                fates.append(clean(item))
                if size_bytes >= _BYTES_A_STEP:
                    yield Passed(len(fates) - seen, 0, 0)
                    seen, size_bytes = len(fates), 0
            product, failed = fates.count(_IS_PRODUCT), fates.count(_FAILED)
            if product or failed:
                keep(items, [item for item, fate in zip(items, fates, strict=True) if not fate])
            if items or not fates:
                left.append(scope)
            yield Passed(len(fates) - seen, product, failed)
        keep(scopes, left)

    def _span_safely(self, span: Any) -> str:
        try:
            self._span(span)
        except Exception as error:
            self._guard.caught("redact_span", error)
            # Never withheld (its children would be orphans), never unfiltered.
            for field, _ in list(span.ListFields()):
                if field.name not in _OF_EMPTY_SPAN:
                    span.ClearField(field.name)
            span.DiscardUnknownFields()
            span.name = REDACTED
            span.status.ClearField("message")
        return ""

    def _span(self, span: Any) -> None:
        events = span.events
        if events:
            was_exception = [event.name == EXCEPTION for event in events]
            kept = [not is_only_product_event(event.name, read_attributes(event.attributes)) for event in events]
        self._message(span)
        if events:
            for event, is_exception in zip(events, was_exception, strict=True):
                if is_exception:
                    mark(event.attributes, PROCESSED)
            if not all(kept):
                keep(events, [event for event, stays in zip(events, kept, strict=True) if stays])
        if span.links:
            mark(span.attributes, LINKS_MARK)

    def _log_safely(self, record: Any) -> str:
        try:
            given = read_attributes(record.attributes)
            if is_only_product_log(record.event_name, given, read_value(record.body)):
                return _IS_PRODUCT
            self._message(record)
            if EXCEPTION_TYPE in given and any(pair.key == EXCEPTION_TYPE for pair in record.attributes):
                mark(record.attributes, PROCESSED)
        except Exception as error:
            self._guard.caught("redact_log", error)
            return _FAILED
        return ""

    def _metrics(self, holder: ResourceMetrics) -> Iterator[Passed]:
        """Filter the metrics of a resource, and join the series that became one."""
        given, total = Given(), sum(_points(metric) for scope in holder.scope_metrics for metric in scope.metrics)
        items = told = failed = size_bytes = 0
        try:
            self._all_but(holder, "scope_metrics")
            mark(holder.resource.attributes, PROCESSED)
            for scope in holder.scope_metrics:
                given.see_scope(scope)
                self._all_but(scope, "metrics")
                for metric in scope.metrics:
                    given.see_metric(metric)
                    kind = metric.WhichOneof("data")
                    self._all_but(metric, kind or "")
                    for point in getattr(metric, kind).data_points if kind else ():
                        items, size_bytes = items + 1, size_bytes + point.ByteSize()
                        self._shorten(point, point.attributes)
                        before = read_attributes(point.attributes)
                        clean = self._redactor.attributes(before)
                        given.see_point(before, clean)
                        write_attributes(point.attributes, before, clean)
                        self._all_but(point, "attributes")
                        if size_bytes >= _BYTES_A_STEP:
                            yield Passed(items - told, 0, 0)
                            told, size_bytes = items, 0
            merge_series(holder, given)
        except Exception as error:
            self._guard.caught("redact_metrics", error)
            failed = items = total
            holder.Clear()
        yield Passed(items - told, 0, failed)

    def _message(self, message: Any) -> None:
        for name, act in _plan(message.DESCRIPTOR):
            self._acts[act](message, name)

    def _all_but(self, message: Any, left: str) -> None:
        for name, act in _plan(message.DESCRIPTOR):
            if name != left:
                self._acts[act](message, name)

    def _text(self, message: Any, name: str) -> None:
        text = getattr(message, name)
        if text:
            clean = self._redactor.text(text)
            if clean is not text:
                setattr(message, name, clean)

    def _texts(self, message: Any, name: str) -> None:
        texts = getattr(message, name)
        for at, text in enumerate(texts):
            clean = self._redactor.text(text)
            if clean is not text:
                texts[at] = clean

    def _bytes(self, message: Any, name: str) -> None:
        given: bytes = getattr(message, name)
        # An id is random; what has another length than an id is none.
        if given and len(given) != _ID_BYTES.get(name) and self._is_personal(given):
            message.ClearField(name)

    def _state(self, message: Any, name: str) -> None:
        given: str = getattr(message, name)
        if given:
            entries = given.split(",")
            kept = [entry for entry in entries if self._redactor.keeps_state(*_entry_of_state(entry))]
            left = ",".join(kept)
            # What spans two entries is no entry that anybody wrote.
            clean = left if self._redactor.text(left) is left else ""
            if clean != given:
                setattr(message, name, clean)

    def _attributes(self, message: Any, name: str) -> None:
        pairs = getattr(message, name)
        if pairs:
            self._shorten(message, pairs)
            given = read_attributes(pairs)
            write_attributes(pairs, given, self._redactor.attributes(given))

    @staticmethod
    def _shorten(message: Any, pairs: Any) -> None:
        if len(pairs) > MAX_ATTRIBUTES:
            if "dropped_attributes_count" in message.DESCRIPTOR.fields_by_name:
                message.dropped_attributes_count += len(pairs)
            del pairs[:]

    def _value(self, message: Any, name: str) -> None:
        if message.HasField(name):
            self._any(getattr(message, name), name)

    def _values(self, message: Any, name: str) -> None:
        for each in getattr(message, name):
            self._any(each, name)

    def _any(self, value: Any, name: str) -> None:
        given = read_value(value)
        clean = self._redactor.text(given) if isinstance(given, str) else self._redactor.value(name, given)
        if clean is GONE:
            value.Clear()
        elif clean is not given:
            write_value(value, clean)

    def _gone(self, message: Any, name: str) -> None:
        message.ClearField(name)

    def _one(self, message: Any, name: str) -> None:
        if message.HasField(name):
            self._message(getattr(message, name))

    def _many(self, message: Any, name: str) -> None:
        for each in getattr(message, name):
            self._message(each)

    def _clean_unknown(self, request: Any) -> None:
        """Take fields off that are not known here, and in which something is found."""
        known = type(request)()
        known.CopyFrom(request)
        known.DiscardUnknownFields()
        if known.ByteSize() < request.ByteSize() and any(map(self._is_personal, _unknown(request))):
            request.DiscardUnknownFields()

    def _is_personal(self, content: bytes) -> bool:
        return _PRODUCT in content or self._redactor.value("", content) is not content


_IS_PRODUCT, _FAILED = "product", "failed"
_PLACES: Mapping[str, tuple[str, str]] = {
    "opentelemetry.proto.trace.v1.ResourceSpans": ("scope_spans", "spans"),
    "opentelemetry.proto.logs.v1.ResourceLogs": ("scope_logs", "log_records"),
}
_OF_EMPTY_SPAN = frozenset({
    "trace_id", "span_id", "parent_span_id", "flags", "kind", "start_time_unix_nano", "end_time_unix_nano", "status",
})  # fmt: skip


@cache
def _plan(message: Descriptor) -> tuple[tuple[str, str], ...]:
    """Return the fields of a message that are looked at, each with how."""
    return tuple((field.name, act) for field in message.fields if (act := _act(field)))


def _act(field: FieldDescriptor) -> str:
    how = _ACTS.get(field.type)
    if how is None:
        return ""
    if field.name == _TRACE_STATE:
        return "state"
    inner = field.message_type
    if inner is not None and inner.GetOptions().map_entry:
        # OTLP has none.
        return "gone"
    if inner is not None and inner.full_name in _SPECIAL:
        how = _SPECIAL[inner.full_name]
    return how[_is_repeated(field)]


def _is_repeated(field: FieldDescriptor) -> bool:
    # `label` goes with protobuf 7, its successor came with 6.
    known: bool | None = getattr(field, "is_repeated", None)
    return getattr(field, "label", 0) == FieldDescriptor.LABEL_REPEATED if known is None else known


_ACTS: Mapping[int, tuple[str, str]] = {
    FieldDescriptor.TYPE_STRING: ("text", "texts"),
    FieldDescriptor.TYPE_BYTES: ("bytes", "gone"),
    FieldDescriptor.TYPE_MESSAGE: ("one", "many"),
    FieldDescriptor.TYPE_GROUP: ("gone", "gone"),
}
"""What is done with a field of each type, and with a list of them; OTLP has neither groups nor lists of bytes."""

_SPECIAL: Mapping[str, tuple[str, str]] = {
    KeyValue.DESCRIPTOR.full_name: ("one", "attributes"),
    AnyValue.DESCRIPTOR.full_name: ("value", "values"),
}


def _is_emptied(holder: Any) -> bool:
    if isinstance(holder, ResourceMetrics):
        return not holder.ListFields()
    return not getattr(holder, _PLACES[holder.DESCRIPTOR.full_name][0])


def _points(metric: Any) -> int:
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0


def _entry_of_state(entry: str) -> tuple[str, str]:
    key, _, value = entry.strip().partition("=")
    return key, value


def _unknown(message: Any) -> Iterator[bytes]:
    """Yield the contents of all fields that are not known here, in `message` and in those within."""
    yield from _contents(UnknownFieldSet(message))
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for each in value if _is_repeated(field) else (value,):
                yield from _unknown(each)


def _contents(fields: Any) -> Iterator[bytes]:
    for field in fields:
        if field.wire_type == _LENGTH_DELIMITED:
            yield field.data
        elif field.wire_type == _GROUP:
            yield from _contents(field.data)
