"""What each answer means for a batch."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from otel_posthog.posthog.responses import NOT_POSTHOG, Action, Response, Verdict, judge

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
TAKEN = {True: b'{"results": {}}', False: b'{"status": 1}'}
# What says "taken" in neither format: of a portal, a relay, a load balancer, something that is no text at all.
OF_SOMEBODY_ELSE = [
    b"",
    b"ok",
    b"OK",
    b"<!doctype html><title>1</title>",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"0",
    b"2",
    b"1.0",
    b'{"results": []}',
    b'{"results": null}',
    b'{"status": "error"}',
    b'{"status": 0}',
    b'{"status": true}',
    b'{"status": {"ok": 1}}',
    b'{"error": "as the test asked"}',
    b"\xff",
    b"[" * 200_000,
]


def verdict(status: int, *, is_v1: bool = True, body: bytes = b"", **headers: str) -> Verdict:
    """Return what an answer means."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if status < 300 and not body:
        body = TAKEN[is_v1]
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


def test_results_that_say_nothing_of_an_event_are_posthogs_all_the_same() -> None:
    """PostHog read the batch; an event that it does not name is delivered."""
    assert verdict(200, body=b'{"results": {"a": 5}}') == Verdict(Action.DONE)


@pytest.mark.parametrize(
    "body", [b"1", b'{"status": 1}', b'{"status": "Ok"}', b'{"status": "Ok", "quota_limited": []}']
)
def test_what_batch_says_of_what_it_took_is_delivered(body: bytes) -> None:
    """Each of PostHog's versions has said it in its own way."""
    assert verdict(200, is_v1=False, body=body) == Verdict(Action.DONE)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("is_v1", [True, False])
@pytest.mark.parametrize("body", OF_SOMEBODY_ELSE, ids=lambda each: repr(each[:24]))
def test_any_2xx_that_is_not_posthogs_is_not_delivered(body: bytes, status: int, *, is_v1: bool) -> None:
    """It pauses as a wrong key does, unless the policy says that a relay answers so; each format has its own answer."""
    answer = Response(status, {}, body)
    assert judge(answer, is_v1=is_v1, now=NOW) == Verdict(Action.PAUSE, NOT_POSTHOG)
    assert judge(answer, is_v1=is_v1, now=NOW, accepts_any_2xx=True).action is Action.DONE
    other = Response(status, {}, TAKEN[not is_v1])
    assert judge(other, is_v1=is_v1, now=NOW).action is Action.PAUSE


def test_where_v1_is_asked_for_there_is_no_older_format() -> None:
    """A 404 then says that PostHog is elsewhere, which is a setting."""
    answer = Response(404, {}, b"")
    assert judge(answer, is_v1=True, now=NOW, can_fall_back=False).action is Action.PAUSE
