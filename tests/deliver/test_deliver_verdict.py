"""What each answer means for a batch."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from otel_posthog.deliver.transport import Response
from otel_posthog.deliver.verdict import Action, Verdict, judge

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def verdict(status: int, *, is_v1: bool = True, body: bytes = b"", **headers: str) -> Verdict:
    """Return what an answer means."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge(Response(status, named, body), is_v1=is_v1, now=NOW)


@pytest.mark.parametrize(
    ("status", "v1", "v0"),
    [
        (200, Action.DONE, Action.DONE),
        (204, Action.DONE, Action.DONE),
        (301, Action.PAUSE, Action.PAUSE),
        (308, Action.PAUSE, Action.PAUSE),
        (400, Action.SPLIT, Action.SPLIT),
        (401, Action.PAUSE, Action.PAUSE),
        (402, Action.PAUSE, Action.PAUSE),
        (403, Action.PAUSE, Action.PAUSE),
        (404, Action.FALL_BACK, Action.PAUSE),
        (405, Action.FALL_BACK, Action.PAUSE),
        (407, Action.PAUSE, Action.PAUSE),
        (408, Action.RETRY, Action.RETRY),
        (413, Action.SPLIT, Action.SPLIT),
        (415, Action.REJECT, Action.REJECT),
        (425, Action.RETRY, Action.RETRY),
        (429, Action.RETRY, Action.RETRY),
        (500, Action.RETRY, Action.RETRY),
        (501, Action.FALL_BACK, Action.PAUSE),
        (503, Action.RETRY, Action.RETRY),
    ],
)
def test_each_status_means_one_thing(status: int, v1: Action, v0: Action) -> None:
    """The same status can mean two things only where Capture V1 may be missing."""
    assert (verdict(status).action, verdict(status, is_v1=False).action) == (v1, v0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("Fri, 02 Jan 2026 03:04:15 GMT", 10.0),
        ("Fri, 02 Jan 2026 03:04:00 GMT", 0.0),
        ("Fri, 02 Jan 99999999999999999999 03:04:15 GMT", 0.0),
        ("-5", 0.0),
        ("99999999", 3600.0),
        ("inf", 0.0),
        ("nan", 0.0),
        ("soon", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(value: str, seconds: float) -> None:
    """What cannot be meant is no wait; what is far too long is an hour."""
    assert verdict(429, retry_after=value).retry_after_s == seconds


def test_results_are_by_lowercase_uuid() -> None:
    """The server may answer in either case."""
    assert verdict(200, body=b'{"results": {"AB": {"result": "retry"}}}').results == {"ab": "retry"}


def test_one_result_that_cannot_be_read_says_nothing_of_the_others() -> None:
    """What is to be sent again is not lost to a neighbour's `null`."""
    body = b'{"results": {"a": null, "b": {"result": "retry"}, "c": 5, "d": {}}}'
    assert verdict(200, body=body).results == {"b": "retry", "d": "None"}


@pytest.mark.parametrize(
    "body", [b"", b"ok", b"[]", b'{"results": []}', b'{"results": {"a": 5}}', b"\xff", b"[" * 200_000]
)
def test_a_success_that_cannot_be_read_is_a_success(body: bytes) -> None:
    """A 200 must never be sent again for ever."""
    assert verdict(200, body=body) == Verdict(Action.DONE)


def test_where_v1_is_asked_for_there_is_no_older_format() -> None:
    """A 404 then says that PostHog is elsewhere, which is a setting."""
    answer = Response(404, {}, b"")
    assert judge(answer, is_v1=True, now=NOW, can_fall_back=False).action is Action.PAUSE
