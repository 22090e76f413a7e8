"""`capture()`: a product event in one line, as plain OpenTelemetry.

It emits a log-based event through whatever logger provider the program has, and does nothing where there is none. It
does not know the pipeline: the event is recognised like any other.
"""

from __future__ import annotations

import uuid as uuid_module
from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import cast

from opentelemetry._logs import SeverityNumber, get_logger
from opentelemetry.util.types import AnyValue

from otel_posthog.route import PREFIX
from otel_posthog.unix_time import unix_ns


def capture(  # noqa: PLR0913 - the signature that users of posthog-python know
    event: str,
    properties: Mapping[str, object] | None = None,
    *,
    distinct_id: str | None = None,
    timestamp: datetime | None = None,
    uuid: str | None = None,
    groups: Mapping[str, str] | None = None,
    session_id: str | None = None,
) -> str:
    """Emit a product event.

    Args:
        event: The event's name, 1-200 bytes of UTF-8.
        properties: Its properties; each goes through the privacy filters.
        distinct_id: Who did it; default the identity in context. What is sent is the identity mode's decision.
        timestamp: When it happened; default now. A naive one is taken as local time.
        uuid: Its uuid, for a caller that may emit it again; default a new one.
        groups: Group type -> group key.
        session_id: The session's id.

    Returns:
        The event's uuid.
    """
    event_uuid = uuid or str(uuid_module.uuid4())
    attributes: dict[str, object] = {f"{PREFIX}uuid": event_uuid}
    if distinct_id is not None:
        attributes[f"{PREFIX}user.id"] = distinct_id
    if session_id is not None:
        attributes[f"{PREFIX}session.id"] = session_id
    for kind, key in (groups or {}).items():
        attributes[f"{PREFIX}group.{kind}"] = key
    for name, value in (properties or {}).items():
        attributes[f"{PREFIX}property.{name}"] = value.isoformat() if isinstance(value, date) else value
    get_logger("otel_posthog").emit(
        timestamp=None if timestamp is None else unix_ns(timestamp.astimezone(timezone.utc)),
        severity_number=SeverityNumber.INFO,
        event_name=f"{PREFIX}{event}",
        attributes=cast("Mapping[str, AnyValue]", attributes),
    )
    return event_uuid
