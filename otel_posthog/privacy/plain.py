"""Values of the app's own types as the JSON types nearest to them, without calling `repr` or `str` on a stranger."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID

from otel_posthog.values import decimal_number

GONE = object()
"""What stands for a value that may not leave; also for bytes that are no text."""


def plain(value: object) -> object:  # noqa: PLR0911 - one line per type
    """Return `value` as the JSON type nearest to it; what there is none for as it is."""
    if value is None or type(value) in (str, bool, int, float):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, (bytes, bytearray)):
        return _decoded(bytes(value))
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (UUID, Decimal)):
        return str(value) if isinstance(value, UUID) else decimal_number(value)
    if isinstance(value, bool):
        return value
    # Subclasses might bring a `__str__` or `__eq__` of their own into what follows.
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind.__str__(value) if kind is str else kind(value)
    return value


def _decoded(value: bytes) -> object:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return GONE
