"""OTLP's `AnyValue` and attribute lists, as the SDK holds them: str, bool, int, float, bytes, tuple, dict, None."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp.records import MAX_DEPTH

_SCALARS = frozenset({"string_value", "bool_value", "int_value", "double_value", "bytes_value"})


def attributes_of(pairs: Iterable[Any], path: str, depth: int = 0) -> dict[str, object]:
    """Return a list of `KeyValue`; a key that stands twice has its last value."""
    found: dict[str, object] = {}
    for pair in pairs:
        value = pair.value
        kind = value.WhichOneof("value")
        # Nine in ten attributes.
        found[pair.key] = value.string_value if kind == "string_value" else _of(kind, value, path, depth)
    return found


def value_of(value: Any, path: str, depth: int = 0) -> object:
    """Return an `AnyValue`; None for one that is empty.

    Raises:
        MalformedTelemetry: It has too many levels.
    """
    return _of(value.WhichOneof("value"), value, path, depth)


def _of(kind: str | None, value: Any, path: str, depth: int) -> object:
    if kind in _SCALARS:
        return getattr(value, kind)
    nested = _NESTED.get(kind or "")
    if nested is None:
        return None
    if depth >= MAX_DEPTH:
        raise MalformedTelemetry(path, f"is nested more than {MAX_DEPTH} levels deep")
    return nested(value, path, depth + 1)


def _array(value: Any, path: str, depth: int) -> tuple[object, ...]:
    return tuple(value_of(each, path, depth) for each in value.array_value.values)


def _map(value: Any, path: str, depth: int) -> dict[str, object]:
    return attributes_of(value.kvlist_value.values, path, depth)


_NESTED: dict[str, Callable[[Any, str, int], object]] = {"array_value": _array, "kvlist_value": _map}
