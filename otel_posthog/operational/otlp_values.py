"""OTLP's values and lists of attributes, read as the SDK holds them, and written back where something is another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_posthog.model import Attributes


def read_attributes(pairs: Any) -> Attributes:
    """Return attributes as the SDK holds them; of a key that stands twice the last stays, in the message too."""
    found: dict[str, object] = {}
    count = 0
    for pair in pairs:
        value, count = pair.value, count + 1
        # Nine in ten attributes.
        found[pair.key] = value.string_value if value.HasField("string_value") else read_value(value)
    if len(found) < count:
        last = {pair.key: pair for pair in pairs}
        del pairs[:]
        pairs.extend(last.values())
    return found


def read_value(value: Any) -> object:
    """Return an `AnyValue`; None for one that is empty."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return tuple([read_value(each) for each in value.array_value.values])
    if kind == "kvlist_value":
        return read_attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind in _SCALARS else None


_SCALARS = frozenset({"string_value", "bool_value", "int_value", "double_value", "bytes_value"})


def write_attributes(pairs: Any, given: Attributes, clean: Attributes) -> None:
    """Change in `pairs` what is not the same object in `clean`."""
    if clean is given:
        return
    if len(clean) < len(given):
        keep(pairs, [pair for pair in pairs if pair.key in clean])
    for pair in pairs:
        if clean[pair.key] is not given[pair.key]:
            write_value(pair.value, clean[pair.key])


def write_value(target: Any, value: object) -> None:
    """Make `target`, an `AnyValue`, hold `value`."""
    target.Clear()
    scalar = _FIELDS.get(type(value))
    if scalar is not None:
        setattr(target, scalar, value)
    elif isinstance(value, Mapping):
        target.kvlist_value.SetInParent()
        for key, each in value.items():
            pair = target.kvlist_value.values.add(key=key)
            if each is not None:
                write_value(pair.value, each)
    elif isinstance(value, (list, tuple)):
        target.array_value.SetInParent()
        for each in value:
            write_value(target.array_value.values.add(), each)


_FIELDS: Mapping[type, str] = {
    str: "string_value",
    bool: "bool_value",
    int: "int_value",
    float: "double_value",
    bytes: "bytes_value",
}


def mark(pairs: Any, key: str) -> None:
    """Set the attribute `key` to true."""
    for pair in pairs:
        if pair.key == key:
            pair.value.bool_value = True
            return
    pairs.add(key=key).value.bool_value = True


def keep(items: Any, kept: list[Any]) -> None:
    """Leave of the messages `items` those that are `kept`."""
    if len(kept) < len(items):
        del items[:]
        items.extend(kept)
