"""The fake PostHog refuses what PostHog refuses: a client that passes here was really checked."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from otel_posthog.testing import FakePostHog, Fault

EVENT = {
    "event": "e",
    "uuid": "018f3c5e-7b2a-7cc0-8000-000000000001",
    "distinct_id": "u",
    "timestamp": "2026-01-02T03:04:05+00:00",
    "options": {"process_person_profile": False},
    "properties": {"a": 1},
}
HEADERS = {
    "Authorization": "Bearer phc_test",
    "PostHog-Sdk-Info": "x/1",
    "PostHog-Attempt": "1",
    "PostHog-Request-Id": "r",
    "PostHog-Request-Timestamp": "t",
}


def post(server: FakePostHog, path: str, body: object, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Return status and JSON of one request."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, headers or {}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def v1(server: FakePostHog, *events: dict[str, Any], **headers: str) -> tuple[int, Any]:
    """Send a Capture V1 request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return post(server, "/i/v1/analytics/events", {"batch": list(events)}, {**HEADERS, **named})


def v0(server: FakePostHog, *events: dict[str, Any], api_key: str = "phc_test") -> tuple[int, Any]:
    """Send a `/batch/` request."""
    return post(server, "/batch/", {"api_key": api_key, "batch": list(events)})


def test_a_good_event_is_taken_in_both_formats(fake_posthog: FakePostHog) -> None:
    """V1 answers by uuid; both read the same afterwards, and PostHog's key tells them for one event."""
    status, answer = v1(fake_posthog, {**EVENT, "session_id": "s"})
    assert (status, answer) == (200, {"results": {EVENT["uuid"]: {"result": "ok"}}})
    assert fake_posthog.events[0].properties == {"a": 1, "$process_person_profile": False, "$session_id": "s"}
    assert v0(fake_posthog, {**EVENT, "uuid": str(EVENT["uuid"]).upper()})[0] == 200
    assert (len(fake_posthog.events), len(fake_posthog.unique_events), fake_posthog.duplicates) == (2, 1, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"options": {"process_person_profile": "false"}},
        {"options": {"unknown": True}},
        {"options": None},
        {"properties": []},
        {"distinct_id": 5},
        {"uuid": "x"},
        {"timestamp": None},
    ],
    ids=str,
)
def test_v1_refuses_the_whole_batch_for_a_wrong_type(changes: dict[str, Any], fake_posthog: FakePostHog) -> None:
    """One wrong type takes its neighbours along."""
    assert v1(fake_posthog, EVENT, {**EVENT, "uuid": "018f3c5e-7b2a-7cc0-8000-000000000002", **changes})[0] == 400
    assert fake_posthog.events == []


def test_v1_refuses_a_uuid_that_stands_twice(fake_posthog: FakePostHog) -> None:
    """In either case of letters."""
    assert v1(fake_posthog, EVENT, {**EVENT, "uuid": str(EVENT["uuid"]).upper()})[0] == 400


@pytest.mark.parametrize("changes", [{"event": ""}, {"event": "x" * 201}, {"timestamp": "2026-01-02T03:04:05"}])
def test_v1_drops_one_bad_event_of_a_good_batch(changes: dict[str, Any], fake_posthog: FakePostHog) -> None:
    """Names and timestamps are judged event by event."""
    bad = {**EVENT, "uuid": "018f3c5e-7b2a-7cc0-8000-000000000002", **changes}
    status, answer = v1(fake_posthog, EVENT, bad)
    assert status == 200
    assert answer["results"][bad["uuid"]] == {"result": "drop"}
    assert len(fake_posthog.events) == 1


def test_v0_refuses_the_whole_batch_for_one_bad_event(fake_posthog: FakePostHog) -> None:
    """The older format knows no results by event."""
    assert v0(fake_posthog, EVENT, {**EVENT, "distinct_id": ""})[0] == 400
    assert fake_posthog.events == []


def test_a_wrong_key_a_missing_header_and_a_wrong_path_are_refused(fake_posthog: FakePostHog) -> None:
    """401, 400 and 404."""
    assert v1(fake_posthog, EVENT, Authorization="Bearer phc_wrong")[0] == 401
    assert v0(fake_posthog, EVENT, api_key="phc_wrong")[0] == 401
    assert v1(fake_posthog, EVENT, PostHog_Attempt="")[0] == 400
    assert post(fake_posthog, "/elsewhere", {"batch": []})[0] == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"batch": 1}', b'{"batch": [NaN]}', b'{"batch": ["\\ud800"]}'])
def test_what_is_not_json_is_refused(body: bytes, fake_posthog: FakePostHog) -> None:
    """Also what Python's parser would let pass: NaN and lone surrogates."""
    assert post(fake_posthog, "/i/v1/analytics/events", body, HEADERS)[0] == 400


def test_faults_come_in_order_and_end(fake_posthog: FakePostHog) -> None:
    """Each for as many requests as it says."""
    fake_posthog.fault(Fault(status=503, times=2))
    fake_posthog.fault(Fault(status=429, retry_after="1"))
    assert [v0(fake_posthog, EVENT)[0] for _ in range(4)] == [503, 503, 429, 200]
    fake_posthog.fault(Fault(status=500, times=None))
    fake_posthog.clear_faults()
    assert v0(fake_posthog, EVENT)[0] == 200


def test_stop_ends_what_hangs(fake_posthog: FakePostHog) -> None:
    """A test that is over does not wait for its faults."""
    import threading  # noqa: PLC0415

    fake_posthog.fault(Fault(hang_s=60))
    failures: list[Exception] = []

    def ask() -> None:
        try:
            v0(fake_posthog, EVENT)
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.2)
    started = time.monotonic()
    fake_posthog.stop()
    thread.join(5)
    assert time.monotonic() - started < 2
    assert len(failures) == 1


def test_a_program_that_never_stops_its_server_can_end() -> None:
    """An open connection of a client that keeps it alive holds no interpreter back."""
    code = """
import http.client
from otel_posthog.testing import FakePostHog
server = FakePostHog().start()
client = http.client.HTTPConnection(server.url[7:])
client.request("POST", "/batch/", b"{}")
print(client.getresponse().status)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "400"


def test_wait_for_says_what_came(fake_posthog: FakePostHog) -> None:
    """A wait in vain names the events that did come."""
    v0(fake_posthog, EVENT)
    with pytest.raises(AssertionError, match=r"1 of 2 events .*'e': 1"):
        fake_posthog.wait_for(2, timeout_s=0.1)
