"""What PostHog's two ingestion endpoints refuse, as far as a client can tell.

Sources: the wire code of posthog-python (`posthog/capture_v1.py`, `posthog/request.py`), which names the server's
Rust types, and https://posthog.com/docs/api/capture.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

V1_HEADERS = (
    "posthog-sdk-info",
    "posthog-attempt",
    "posthog-request-id",
    "posthog-request-timestamp",
)
MAX_NAME_BYTES = 200
_OPTION_TYPES: Mapping[str, type] = {
    "cookieless_mode": bool,
    "disable_skew_correction": bool,
    "process_person_profile": bool,
    "product_tour_id": str,
}
_V1_TYPES: Mapping[str, type] = {
    "event": str,
    "uuid": str,
    "distinct_id": str,
    "timestamp": str,
    "options": dict,
    "properties": dict,
}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z", re.IGNORECASE)


class Refused(Exception):  # noqa: N818 - an answer, not a fault of the server
    """The whole request is refused.

    Args:
        status: The HTTP status.
        message: Why.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


def read_json(body: bytes) -> dict[str, Any]:
    """Return the request's object.

    Raises:
        Refused: 400, when it is none, is not UTF-8, or holds what JSON does not have (NaN, a lone surrogate).
    """
    try:
        parsed = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except ValueError as error:
        raise Refused(400, f"not JSON: {error}") from None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("batch"), list):
        raise Refused(400, "a batch is missing")
    return parsed


def check_v1(headers: Mapping[str, str], batch: list[Any]) -> None:
    """Refuse a Capture V1 request as a whole.

    Raises:
        Refused: 400, for a missing header, a uuid that stands twice, or a field of the wrong type.
    """
    for name in V1_HEADERS:
        if not headers.get(name):
            raise Refused(400, f"header {name} is missing")
    seen: set[str] = set()
    for event in batch:
        _check_v1_event(event)
        uuid = event["uuid"].lower()
        if uuid in seen or not _UUID.match(uuid):
            raise Refused(400, "a uuid is invalid or stands twice in the batch")
        seen.add(uuid)


def _check_v1_event(event: Any) -> None:
    if not isinstance(event, dict):
        raise Refused(400, "an event is no object")
    for key, kind in _V1_TYPES.items():
        if not isinstance(event.get(key), kind):
            raise Refused(400, f"`{key}` is missing or of the wrong type")
    for key, value in event["options"].items():
        if type(value) is not _OPTION_TYPES.get(key):
            raise Refused(400, f"option `{key}` is unknown or of the wrong type")


def v1_result(event: Mapping[str, Any]) -> str:
    """Return what V1 does with one event of a batch it took: `ok` or `drop`."""
    name_ok = 0 < len(event["event"].encode()) <= MAX_NAME_BYTES
    return "ok" if name_ok and event["distinct_id"] and is_rfc3339(event["timestamp"]) else "drop"


def check_v0(batch: list[Any]) -> None:
    """Refuse a `/batch/` request as a whole: one bad event is enough.

    Raises:
        Refused: 400.
    """
    for event in batch:
        if not isinstance(event, dict) or not isinstance(event.get("properties", {}), dict):
            raise Refused(400, "an event is no object")
        for key in ("event", "distinct_id"):
            if not isinstance(event.get(key), str) or not event[key]:
                raise Refused(400, f"`{key}` is missing")
        if not _UUID.match(str(event.get("uuid", ""))) or not is_rfc3339(str(event.get("timestamp", ""))):
            raise Refused(400, "a uuid or timestamp is invalid")


def is_rfc3339(text: str) -> bool:
    """Return whether `text` is a date and time with an offset."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
