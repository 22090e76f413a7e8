"""Export requests in which every field of OTLP is set, as the descriptors have them: also those nobody thought of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = (ExportTraceServiceRequest, ExportLogsServiceRequest, ExportMetricsServiceRequest)
ID_BYTES = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}
_MAX_DEPTH = 1

Give = Callable[[str], str]
"""Called with the path of a field; returns the text to put there."""

_FLOATS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)


def filled(made: Message, give: Give) -> Message:
    """Return `made` with every field set, and each alternative of every choice somewhere."""
    _fill(made, give, "", 0, 0)
    return made


def _fill(message: Any, give: Give, path: str, choice: int, depth: int) -> None:
    if message.DESCRIPTOR.full_name.endswith(".AnyValue"):
        depth += 1
    for field in message.DESCRIPTOR.fields:
        group = field.containing_oneof
        if group is not None and len(group.fields) > 1 and not _is_chosen(field, group, choice, depth):
            continue
        at = f"{path}.{field.name}"
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            inner = getattr(message, field.name)
            if not field.is_repeated:
                inner.SetInParent()
                _fill(inner, give, at, choice, depth)
                continue
            for number in range(_alternatives(field.message_type)):
                _fill(inner.add(), give, at, number, depth)
        elif field.is_repeated:
            getattr(message, field.name).extend(_value(field, give, at) for _ in range(2))
        else:
            setattr(message, field.name, _value(field, give, at))


def _is_chosen(field: FieldDescriptor, group: Any, choice: int, depth: int) -> bool:
    fields = [each for each in group.fields if depth <= _MAX_DEPTH or each.type != FieldDescriptor.TYPE_MESSAGE]
    return field is fields[choice % len(fields)]


def _alternatives(message: Descriptor) -> int:
    """Return how many messages are needed for each alternative in it, or right below, to be in one."""
    own = max((len(group.fields) for group in message.oneofs), default=1)
    below = [
        len(group.fields)
        for field in message.fields
        if field.type == FieldDescriptor.TYPE_MESSAGE and not field.is_repeated
        for group in (field.message_type or message).oneofs
    ]
    return max(own, 2, *below)


def _value(field: FieldDescriptor, give: Give, path: str) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return f"vendor={give(path)}" if field.name == "trace_state" else give(path)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b"\x9a\xc3" * (ID_BYTES[field.name] // 2) if field.name in ID_BYTES else give(path).encode()
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    return 1.5 if field.cpp_type in _FLOATS else 1
