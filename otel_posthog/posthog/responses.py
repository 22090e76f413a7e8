"""What a response of PostHog's means for a batch: delivered, to be retried, to be split, refused.

Comes in: the response to a request of `requests`. Goes out: a `Verdict`; what is done about it is delivery's. After
PostHog's published behaviour for server libraries and posthog-python's `capture_v1.py`: 408, 429 and 5xx pass, 400 and
413 are the fault of an event in the batch, 401, 402 and 403 that of the project's settings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

RETRYABLE = frozenset({408, 425, 429})
# 407 is a proxy that wants a password: like the key, a setting.
PAUSED = frozenset({401, 402, 403, 407})
SPLIT = frozenset({400, 413})
# Where Capture V1 is unknown; 501 is what some proxies say.
NO_V1 = frozenset({404, 405, 501})
TOO_LARGE = "too_large"
# A 2xx of something else: a wrong host, a page that asks for a password, a relay that the policy does not name.
NOT_POSTHOG = "not_posthog"
# The detail of that where Capture V1 was asked, and the answer is one of `/batch/`.
SPEAKS_V0 = "the answer is one of `/batch/`"
# The certificate of the host, or those that this machine believes: a setting.
TLS = "tls"
# What `/batch/` says of a batch that it took (`capture` of PostHog, old and new).
_TAKEN = frozenset({"1", "ok"})
# A longer wait than this is a mistake of a proxy, not a wish of PostHog's.
MAX_RETRY_AFTER_S = 3600.0


class Response(NamedTuple):
    """The response to one request.

    Attributes:
        status: HTTP status.
        headers: By lowercase name.
        body: At most 1 MiB of it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Action(str, Enum):
    """What to do with the batch."""

    DONE = "done"
    RETRY = "retry"
    SPLIT = "split"
    PAUSE = "pause"
    FALL_BACK = "fall_back"
    REJECT = "reject"


class Verdict(NamedTuple):
    """What a response means.

    Attributes:
        action: What to do.
        reason: A fixed identifier for the count (`http_503`, `rejected`, ...).
        retry_after_s: The earliest next attempt, where the server said.
        detail: What is wrong, in fixed words, for the log.
        results: Capture V1's result by lowercase uuid; those that are missing are delivered.
    """

    action: Action
    reason: str = ""
    retry_after_s: float = 0.0
    detail: str = ""
    results: Mapping[str, str] = MappingProxyType({})


def judge(
    response: Response, *, is_v1: bool, now: datetime, can_fall_back: bool = True, accepts_any_2xx: bool = False
) -> Verdict:
    """Return what `response` means.

    Args:
        response: The response.
        is_v1: Whether the request was one of Capture V1.
        now: For a `Retry-After` that is a date.
        can_fall_back: Whether the older format may be tried where Capture V1 is not there.
        accepts_any_2xx: Whether a 2xx counts as delivered whatever it holds.
    """
    status = response.status
    retry_after_s = _retry_after_s(response.headers.get("retry-after", ""), now)
    if 200 <= status < 300:
        results = _results(response.body) if is_v1 else _taken(response.body)
        is_taken = accepts_any_2xx or results is not None
        done = Verdict(Action.DONE, retry_after_s=retry_after_s, results=results or {})
        return done if is_taken else _not_posthogs(response, is_v1=is_v1, retry_after_s=retry_after_s)
    if is_v1 and can_fall_back and status in NO_V1:
        return Verdict(Action.FALL_BACK)
    # Without V1, neither endpoint is there; a redirect, which is not followed, says that PostHog is elsewhere: a wrong
    # host or a proxy in the way, and no fault of the events.
    if status in PAUSED or status in NO_V1 or 300 <= status < 400:
        return Verdict(Action.PAUSE, f"http_{status}", retry_after_s)
    if status in RETRYABLE or status >= 500:
        return Verdict(Action.RETRY, f"http_{status}", retry_after_s)
    if status in SPLIT:
        return Verdict(Action.SPLIT, TOO_LARGE if status == 413 else "rejected")
    return Verdict(Action.REJECT, "rejected")


def is_redirect(reason: str) -> bool:
    """Return whether a verdict's reason is an answer that says that PostHog is elsewhere."""
    return reason.startswith("http_3")


def _not_posthogs(response: Response, *, is_v1: bool, retry_after_s: float) -> Verdict:
    speaks_v0 = is_v1 and _taken(response.body) is not None
    return Verdict(Action.PAUSE, NOT_POSTHOG, retry_after_s, SPEAKS_V0 if speaks_v0 else "")


def _results(body: bytes) -> dict[str, str] | None:
    """Return Capture V1's results by uuid; None where the answer is none of Capture V1's."""
    answer = _json(body)
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, dict):
        return None
    # One entry that cannot be read says nothing about the others (posthog's `_parse_v1_response` reads them so too).
    return {uuid.lower(): str(each.get("result")) for uuid, each in results.items() if isinstance(each, dict)}


def _taken(body: bytes) -> dict[str, str] | None:
    """Return no results where `/batch/` says that it took the batch; None where the answer is not PostHog's."""
    answer = _json(body)
    status = answer.get("status") if isinstance(answer, dict) else answer
    is_word = isinstance(status, (str, int)) and not isinstance(status, bool)
    return {} if is_word and str(status).lower() in _TAKEN else None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _retry_after_s(value: str, now: datetime) -> float:
    """Return seconds from a `Retry-After`, which is seconds or an HTTP date (RFC 9110, 10.2.3)."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return 0.0
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        seconds = (moment - now).total_seconds()
    return min(max(0.0, seconds), MAX_RETRY_AFTER_S) if math.isfinite(seconds) else 0.0
