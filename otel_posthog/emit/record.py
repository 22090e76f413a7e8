"""One log-based event out, through the logger provider that the program has."""

from __future__ import annotations

import logging
import uuid as uuid_module
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from enum import Enum
from functools import cache
from typing import TypeAlias, cast

from opentelemetry._logs import Logger, NoOpLogger, SeverityNumber, get_logger
from opentelemetry.util.types import AnyValue

from otel_posthog.actor.attributes import CONSENT_KEY
from otel_posthog.errors import Guard
from otel_posthog.recogniser import PREFIX
from otel_posthog.values import Id, any_key, any_value, unix_ns

Moment: TypeAlias = datetime | str
"""A datetime (naive: local time), or RFC 3339 with an offset."""

Part = tuple[str, "Mapping[str, object] | None"]
"""A prefix below `analytics.`, and what stands under it."""

# A record's time is a fixed64 in OTLP; an exporter would fail on more.
_MAX_TIME_NS = 2**63 - 1

_CONSENT_AS_PROPERTY = f"{PREFIX}property.{CONSENT_KEY}"

_log = logging.getLogger("otel_posthog")


def emit(event: object, parts: Iterable[Part], *, timestamp: Moment | None, uuid: str | uuid_module.UUID | None) -> str:
    """Emit a log-based event and return its uuid; never raises into the program.

    Args:
        event: The event's name, without `analytics.`; what is no text is no name, and the event is dropped, counted.
        parts: The attributes, the most important last: past its limit of 128 the SDK evicts the oldest.
        timestamp: When it happened; None is now.
        uuid: The event's uuid; what is none is replaced by a new one.
    """
    event_uuid = _checked(uuid) or str(uuid_module.uuid4())
    try:
        attributes = {
            f"{PREFIX}{prefix}{name}": any_value(value) for prefix, values in parts for name, value in _named(values)
        }
        if (consent := attributes.pop(_CONSENT_AS_PROPERTY, None)) is not None:
            attributes[CONSENT_KEY] = consent
        time_ns = _time_ns(timestamp)
        if timestamp is not None and time_ns is None:
            attributes[f"{PREFIX}timestamp"] = str(timestamp)
        attributes[f"{PREFIX}uuid"] = event_uuid
        name = event.value if isinstance(event, Enum) else event
        if not isinstance(name, str):
            # Its text would be a name that the app never gave; without one it is counted as `name_invalid`.
            name = ""
        logger = get_logger("otel_posthog")
        _emitted.note(logger)
        logger.emit(
            timestamp=time_ns,
            severity_number=SeverityNumber.INFO,
            event_name=f"{PREFIX}{name}",
            attributes=cast("Mapping[str, AnyValue]", attributes),
        )
    except Exception as error:
        if Guard.reraise:
            raise
        _log_once(type(error).__name__)
    return event_uuid


def take_unheard(*, is_set_up: bool) -> int:
    """Return how many events were emitted since the last call and reached no listener.

    Args:
        is_set_up: Whether this package listens where there is an SDK; where it does not, none is heard.
    """
    return _emitted.take(is_set_up=is_set_up)


class _Emitted:
    """How many events were emitted, and how many of them where the program has no SDK for logs."""

    def __init__(self) -> None:
        self._all = self._without_sdk = 0

    def note(self, logger: Logger) -> None:
        """Count one event; the API's own loggers do nothing."""
        self._all += 1
        if isinstance(logger, NoOpLogger) or type(logger).__name__ == "ProxyLogger":
            self._without_sdk += 1

    def take(self, *, is_set_up: bool) -> int:
        """Return how many were not heard, and begin anew."""
        unheard = self._without_sdk if is_set_up else self._all
        self._all = self._without_sdk = 0
        return unheard


_emitted = _Emitted()


def ids(**given: Id | None) -> dict[str, object]:
    """Return those of `given` that are there, `user_id` as `user.id`."""
    return {name.replace("_", "."): _id(value) for name, value in given.items() if value is not None}


@cache
def _log_once(error_type: str) -> None:
    """Log an error of a kind once: no pipeline is known here that would count it, and a loop must not fill the log."""
    _log.warning("a product event could not be emitted: %s (logged once)", error_type)


def _id(value: Id) -> object:
    return str(value) if isinstance(value, uuid_module.UUID) else value


def _named(values: Mapping[str, object] | None) -> Iterable[tuple[str, object]]:
    for key, value in (values or {}).items():
        name = any_key(key)
        if name is not None:
            yield name, value


def _checked(uuid: str | uuid_module.UUID | None) -> str | None:
    try:
        return None if uuid is None else str(uuid_module.UUID(str(uuid)))
    except ValueError:
        return None


def _time_ns(timestamp: Moment | None) -> int | None:
    """Return Unix nanoseconds of a datetime; None where it is none, or no time that a log record can bear."""
    if not isinstance(timestamp, datetime):
        return None
    try:
        time_ns = unix_ns(timestamp.astimezone(timezone.utc))
    except (OverflowError, OSError, ValueError):
        return None
    return time_ns if 0 < time_ns <= _MAX_TIME_NS else None
