"""Values and moments as OpenTelemetry has them, so that the SDK need not refuse or spell out what an app hands over.

Source of the values: `AnyValue` of https://opentelemetry.io/docs/specs/otel/common/#anyvalue.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import TypeAlias, cast
from uuid import UUID

Id: TypeAlias = str | int | UUID
"""What an app may have as an id; posthog-python takes the same."""

MAX_ID_BITS = 64
"""Of an id that is a number: the integers of a database. A longer one could not even be written in decimal."""

# Deeper than any policy lets through (`max_depth`), and a value that holds itself comes to an end.
_MAX_DEPTH = 16
_OMITTED = object()
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def any_value(value: object) -> object:
    """Return `value` as bool, int, float, str, bytes, None, list or dict with text keys.

    Dates become ISO 8601, durations seconds, decimals numbers, an enum's member its value, a set a list. An object that
    has no such form becomes None: its text might contain anything. So does what is nested too deep.
    """
    plain = _plain(value, _MAX_DEPTH)
    return None if plain is _OMITTED else plain


def id_text(given: Id) -> str:
    """Return an id as text; what is no id, whatever its annotation says, is returned as it is and counted later."""
    is_number = isinstance(given, int) and not isinstance(given, bool) and given.bit_length() <= MAX_ID_BITS
    return str(given) if is_number or isinstance(given, UUID) else cast("str", given)


def _plain(value: object, depth: int) -> object:  # noqa: PLR0911 - one line per type
    if isinstance(value, Enum):
        return _plain(value.value, depth)
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return decimal_number(value)
    if depth <= 0:
        return _OMITTED
    if isinstance(value, Mapping):
        plain = ((any_key(key), _plain(each, depth - 1)) for key, each in value.items())
        return {key: each for key, each in plain if key is not None and each is not _OMITTED}
    if isinstance(value, (Sequence, AbstractSet)):
        items = (_plain(each, depth - 1) for each in value)
        return [each for each in items if each is not _OMITTED]
    return _OMITTED


def decimal_number(value: Decimal) -> float:
    """Return `value` as a number, as posthog-python does; NaN where it is none."""
    return math.nan if value.is_nan() else float(value)


def any_key(key: object) -> str | None:
    """Return `key` as an attribute's key, or None where it cannot be one."""
    plain = key.value if isinstance(key, Enum) else key
    if isinstance(plain, (str, int, float, UUID)):
        return str(plain) or None
    return None


def unix_ns(moment: datetime) -> int:
    """Return `moment`, which has an offset, in Unix nanoseconds: a whole number, as a float could not be exact."""
    elapsed = moment - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 10**9 + elapsed.microseconds * 1000


def moment_of(time_ns: int) -> datetime:
    """Return the moment of `time_ns` in UTC, to the microsecond below.

    Raises:
        OverflowError: It is no date.
    """
    return _EPOCH + timedelta(microseconds=time_ns // 1000)
