"""The requests that carry events, in PostHog's two formats, and the hosts that take them.

Capture V1 (`POST /i/v1/analytics/events`) takes the events as `encode_event` made them: a request is their bytes,
joined. The older `/batch/` carries V1's options as properties. Headers and fields are those of posthog-python
(`posthog/capture_v1.py`, `posthog/request.py`), to which a test holds them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from otel_posthog.model import CleanEvent

V1_PATH, V0_PATH = "/i/v1/analytics/events", "/batch/"
LIBRARY = "otel-posthog"

# A batch of a hundred events is a tenth larger than at level 6, and takes less than half of the time.
_LEVEL = 2

# PostHog's application hosts do not take events; these do (posthog.request.determine_server_host).
_INGESTION_HOSTS = {
    "app.posthog.com": "https://us.i.posthog.com",
    "us.posthog.com": "https://us.i.posthog.com",
    "eu.posthog.com": "https://eu.i.posthog.com",
}
_OPTION_PROPERTIES = {
    "process_person_profile": "$process_person_profile",
    "disable_skew_correction": "$ignore_sent_at",
    "cookieless_mode": "$cookieless_mode",
    "product_tour_id": "$product_tour_id",
}


class Attempt(NamedTuple):
    """One attempt to send a batch.

    Attributes:
        events: The batch.
        request_id: A UUID, the same for every attempt.
        created_at: RFC 3339, the same for every attempt.
        sent_at: RFC 3339, of this attempt.
        number: From 1.
        is_compressed: Whether the body is gzip.
        is_historical: Whether it is a backfill, for which PostHog has another queue.
    """

    events: Sequence[CleanEvent]
    request_id: str
    created_at: str
    sent_at: str
    number: int
    is_compressed: bool = True
    is_historical: bool = False


class Request(NamedTuple):
    """What goes out."""

    path: str
    headers: dict[str, str]
    body: bytes


def v1_request(attempt: Attempt, api_key: str) -> Request:
    """Return the Capture V1 request of `attempt`."""
    batch = b",".join(event.body for event in attempt.events)
    historical = b'"historical_migration":true,' if attempt.is_historical else b""
    body = b'{"created_at":"%s",%s"batch":[%s]}' % (attempt.created_at.encode("ascii"), historical, batch)
    headers = {
        "Authorization": f"Bearer {api_key}",
        "PostHog-Sdk-Info": sdk_info(),
        "PostHog-Attempt": str(attempt.number),
        "PostHog-Request-Id": attempt.request_id,
        "PostHog-Request-Timestamp": attempt.sent_at,
    }
    return _request(V1_PATH, headers, body, is_compressed=attempt.is_compressed)


def v0_request(attempt: Attempt, api_key: str) -> Request:
    """Return the `/batch/` request of `attempt`."""
    content = {
        "api_key": api_key,
        "batch": [v0_event(event.body) for event in attempt.events],
        "historical_migration": attempt.is_historical,
        "sent_at": attempt.sent_at,
    }
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return _request(V0_PATH, {}, body, is_compressed=attempt.is_compressed)


def v0_event(body: bytes) -> dict[str, Any]:
    """Return one V1 event as `/batch/` takes it: options, session and window among the properties."""
    event: dict[str, Any] = json.loads(body)
    properties = event["properties"]
    for option, value in event.pop("options").items():
        properties[_OPTION_PROPERTIES[option]] = value
    for key in ("session_id", "window_id"):
        if key in event:
            properties[f"${key}"] = event.pop(key)
    name, _, number = sdk_info().partition("/")
    properties.update({"$lib": name, "$lib_version": number})
    return event


@cache
def sdk_info() -> str:
    """Return `otel-posthog/<version>`: what PostHog shows as the library."""
    try:
        return f"{LIBRARY}/{version(LIBRARY)}"
    except PackageNotFoundError:
        return f"{LIBRARY}/0"


def ingestion_url(host: str) -> str:
    """Return the base URL that takes events for `host`, without a slash at its end."""
    return _INGESTION_HOSTS.get(urlsplit(host).hostname or "", host.rstrip("/"))


def is_app(host: str) -> bool:
    """Return whether `host` is that of PostHog's app, as people copy it from the browser: with or without a path."""
    return urlsplit(host).hostname in _INGESTION_HOSTS


def _request(path: str, headers: dict[str, str], body: bytes, *, is_compressed: bool) -> Request:
    headers = {"Content-Type": "application/json", "User-Agent": sdk_info(), **headers}
    if is_compressed:
        # Without a time in its header the same batch is the same bytes.
        body = gzip.compress(body, _LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Request(path, headers, body)
