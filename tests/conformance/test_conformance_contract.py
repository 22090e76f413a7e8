"""What PostHog's own harness asks of a server SDK, for `/batch/` and Capture V1, through the adapter it would use.

The tests are named after the harness's (`contracts/capture_tests.yaml`, `contracts/capture_analytics_v1_tests.yaml`);
its mock server is the project's own fake here, and its waits end when there is nothing more to wait for.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import re
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from otel_posthog.policy import CaptureMode
from otel_posthog.testing import FakePostHog, Fault

_spec = importlib.util.spec_from_file_location("conformance_adapter", Path(__file__).with_name("adapter.py"))
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _module
_spec.loader.exec_module(_module)

KEY = "phc_test_key"
PATHS = {"v0": "/batch/", "v1": "/i/v1/analytics/events"}
CANONICAL_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)\Z")
# How long to look whether a request comes that must not: longer than the first backoff.
QUIET_S = 0.7

Events = list[dict[str, Any]]


class Harness:
    """The harness's actions, over HTTP."""

    def __init__(self, mode: str, server: FakePostHog) -> None:
        self.mode, self.server = mode, server
        self.adapter = _module.Adapter(CaptureMode(mode), flush_timeout_s=3.0)
        self.adapter.start()

    def call(self, path: str, **body: Any) -> dict[str, Any]:
        """Call the adapter."""
        data = None if path in {"/health", "/state"} else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.adapter.url + path, data=data), timeout=60) as answer:
            return dict(json.load(answer))

    def init(self, **given: Any) -> None:
        """Initialise the SDK."""
        self.call("/init", api_key=KEY, host=self.server.url, **given)

    def capture(self, event: str = "test_event", distinct_id: str = "test_user", **given: Any) -> str:
        """Capture one event."""
        return str(self.call("/capture", event=event, distinct_id=distinct_id, **given)["uuid"])

    def sent(self, count: int = 1, *, init: dict[str, Any] | None = None, **given: Any) -> Events:
        """Initialise, capture, flush; return the events of the first request."""
        self.init(**(init or {}))
        for number in range(count):
            self.capture(f"test_event_{number}" if count > 1 else "test_event", **given)
        self.call("/flush")
        return self.batches()[0] if self.server.requests else []

    def batches(self) -> list[Events]:
        """Return the events of each request."""
        return [json.loads(request.body)["batch"] for request in self.server.requests]

    def fail(self, *statuses: int, **answer: Any) -> None:
        """Have the next requests answered so."""
        for status in statuses:
            self.server.fault(Fault(status=status, **answer))

    def delays_s(self) -> list[float]:
        """Return the time between one request and the next."""
        times = [request.received_at for request in self.server.requests]
        return [later - earlier for earlier, later in itertools.pairwise(times)]

    def headers(self, name: str) -> list[str]:
        """Return a header of each request."""
        return [request.headers[name] for request in self.server.requests]


@pytest.fixture(params=["v0", "v1"])
def harness(request: pytest.FixtureRequest) -> Iterator[Harness]:
    """The adapter in one capture mode, in front of a server that takes the harness's key."""
    with FakePostHog(api_key=KEY) as server:
        made = Harness(request.param, server)
        yield made
        made.adapter.stop()


only_v1 = pytest.mark.parametrize("harness", ["v1"], indirect=True)
only_v0 = pytest.mark.parametrize("harness", ["v0"], indirect=True)


def test_health_says_which_suites_to_run(harness: Harness) -> None:
    """The contract's required fields, and the capabilities."""
    health = harness.call("/health")
    assert health["capabilities"] == [f"capture_{harness.mode}", "encoding_gzip"]
    assert {"sdk_name", "sdk_version", "adapter_version"} <= set(health)


def test_event_has_required_fields(harness: Harness) -> None:
    """Event, distinct id, uuid and timestamp at the root; one request, at the one path of its format."""
    (event,) = harness.sent(init={"flush_at": 1})
    assert (event["event"], event["distinct_id"]) == ("test_event", "test_user")
    assert "distinct_id" not in event["properties"]
    assert uuid.UUID(event["uuid"])
    assert CANONICAL_UTC.match(event["timestamp"])
    assert [request.path for request in harness.server.requests] == [PATHS[harness.mode]]


def test_capture_returns_the_uuid_that_is_sent(harness: Harness) -> None:
    """What the app is told is what PostHog gets."""
    harness.init()
    given = harness.capture()
    harness.call("/flush")
    assert harness.batches()[0][0]["uuid"] == given


def test_the_adapter_drives_a_configured_program_with_a_spool(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is tested is what an app has: events are on disk before they are sent, and gone with the program."""
    harness.init()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    harness.fail(503)
    harness.sent()
    assert list(tmp_path.glob("*/spool/default*/*/*.seg"))
    harness.call("/reset")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [None, {"process_person_profile": True}, {"process_person_profile": False}])
def test_process_person_profile_override(options: dict[str, bool] | None, harness: Harness) -> None:
    """An event may say that it is to make no profile; by default one of a user makes it."""
    given: dict[str, Any] = {} if options is None else {"options": options}
    (event,) = harness.sent(**given)
    expected = options is None or options["process_person_profile"]
    found = event["options"] if harness.mode == "v1" else event["properties"]
    assert found["process_person_profile" if harness.mode == "v1" else "$process_person_profile"] is expected
    assert harness.mode == "v0" or "$process_person_profile" not in event["properties"]


@only_v1
def test_skew_correction_is_always_off(harness: Harness) -> None:
    """What an app may ask for there is what every event says."""
    (event,) = harness.sent(options={"disable_skew_correction": True})
    assert event["options"]["disable_skew_correction"] is True


@only_v0
def test_historical_migration(harness: Harness) -> None:
    """A backfill says so in its envelope."""
    harness.sent(init={"historical_migration": True})
    assert json.loads(harness.server.requests[0].body)["historical_migration"] is True


def test_custom_properties_preserved(harness: Harness) -> None:
    """Strings, numbers, booleans, unchanged."""
    properties = {"custom_string": "hello", "custom_number": 42, "custom_bool": True}
    (event,) = harness.sent(properties=properties)
    assert properties.items() <= event["properties"].items()


def test_non_utc_event_timestamp_is_converted_to_utc(harness: Harness) -> None:
    """The same instant; a property that looks like a time stays as it is."""
    moment = "2025-01-02T08:34:05+05:30"
    (event,) = harness.sent(timestamp=moment, properties={"timestamp_like": moment})
    assert CANONICAL_UTC.match(event["timestamp"])
    assert datetime.fromisoformat(event["timestamp"]) == datetime(2025, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    assert event["properties"]["timestamp_like"] == moment


@pytest.mark.parametrize("name", ["$set", "$set_once", "$groups"])
def test_set_set_once_and_groups_are_objects(name: str, harness: Harness) -> None:
    """Among the properties, as objects."""
    (event,) = harness.sent(properties={name: {"company": "posthog"}})
    assert event["properties"][name] == {"company": "posthog"}


@only_v0
def test_event_has_lib_properties(harness: Harness) -> None:
    """`$lib` and `$lib_version`; Capture V1 has them in a header."""
    (event,) = harness.sent()
    assert {"$lib", "$lib_version"} <= set(event["properties"])


@only_v0
def test_uses_proper_batch_structure(harness: Harness) -> None:
    """The key and the batch in the body."""
    harness.sent()
    body = json.loads(harness.server.requests[0].body)
    assert body["api_key"] == KEY
    assert isinstance(body["batch"], list)


@only_v1
def test_required_headers(harness: Harness) -> None:
    """Bearer key, SDK and version, attempt 1, a uuid, a time in UTC, content type, user agent."""
    harness.sent(init={"flush_at": 1})
    headers = harness.server.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["content-type"].startswith("application/json")
    assert re.fullmatch(r".+/.+", headers["posthog-sdk-info"])
    assert headers["posthog-attempt"] == "1"
    assert uuid.UUID(headers["posthog-request-id"])
    assert CANONICAL_UTC.match(headers["posthog-request-timestamp"])
    assert headers["user-agent"]


@only_v1
def test_body_format(harness: Harness) -> None:
    """`created_at`, of now, and the batch; neither key nor `sent_at`."""
    harness.sent(init={"flush_at": 1})
    body = json.loads(harness.server.requests[0].body)
    assert set(body) == {"created_at", "batch"}
    assert CANONICAL_UTC.match(body["created_at"])
    assert datetime.now(timezone.utc) - datetime.fromisoformat(body["created_at"]) < timedelta(seconds=60)


def test_multiple_events_batched_together(harness: Harness) -> None:
    """One request, no event twice in it, every uuid its own."""
    events = harness.sent(5, init={"flush_at": 10, "flush_interval_ms": 5000}, properties={"key": "value"})
    assert len(harness.server.requests) == 1
    assert len(events) == len({event["uuid"] for event in events}) == 5


def test_flush_with_no_events_sends_nothing(harness: Harness) -> None:
    """No request."""
    harness.init()
    harness.call("/flush")
    assert harness.server.requests == []


def test_flush_at_triggers_batch(harness: Harness) -> None:
    """A full batch does not wait for the interval."""
    harness.init(flush_at=3, flush_interval_ms=20_000)
    for _ in range(3):
        harness.capture()
    assert harness.server.wait_until(lambda: len(harness.server.requests) > 0, 10)
    assert len(harness.batches()[0]) == 3


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_retries_on(status: int, harness: Harness) -> None:
    """What passes is tried again; uuid and timestamp stay the same."""
    harness.fail(status)
    harness.sent(3, init={"flush_at": 10})
    harness.server.wait_for(3)
    first, second = harness.batches()
    assert first == second


@pytest.mark.parametrize("status", [400, 401, 402, 403, 413, 415])
def test_does_not_retry_on(status: int, harness: Harness) -> None:
    """One request for one event, and silence after it."""
    harness.fail(status)
    harness.sent()
    time.sleep(QUIET_S)
    assert [request.status for request in harness.server.requests] == [status]


def test_respects_retry_after(harness: Harness) -> None:
    """No repeat before the time that the server asked for."""
    harness.fail(429, retry_after="1")
    harness.sent()
    harness.server.wait_for(1)
    assert harness.delays_s()[0] >= 1.0


def test_implements_backoff(harness: Harness) -> None:
    """At least 100 ms before the first repeat, though a flush waits."""
    harness.fail(503, 503, 503)
    harness.sent()
    harness.server.wait_for(1)
    assert len(harness.server.requests) == 4
    assert harness.delays_s()[0] >= 0.1


def test_max_retries_respected(harness: Harness) -> None:
    """One attempt and so many repeats."""
    harness.fail(503, 503, 503, 503)
    harness.sent(init={"max_retries": 2})
    time.sleep(QUIET_S)
    assert len(harness.server.requests) == 3
    assert harness.call("/state")["pending_events"] == 0


@only_v1
def test_headers_on_retry(harness: Harness) -> None:
    """The attempt counts up, the request id stays, the timestamp is the attempt's; another request has another id."""
    harness.fail(503, 503)
    harness.sent()
    harness.server.wait_for(1)
    harness.capture()
    harness.call("/flush")
    assert harness.headers("posthog-attempt") == ["1", "2", "3", "1"]
    ids = harness.headers("posthog-request-id")
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert len(set(harness.headers("posthog-request-timestamp"))) == 4


@only_v1
@pytest.mark.parametrize(
    ("results", "again"),
    [
        (("ok", "ok", "ok"), []),
        (("drop", "drop"), []),
        (("ok", "limited"), []),
        (("ok", "unknown_future_result"), []),
        (("ok", "drop", "limited", "ok"), []),
        (("ok", "retry"), [1]),
        (("drop", "retry"), [1]),
        (("ok", "drop", "retry"), [2]),
    ],
    ids=lambda each: "-".join(map(str, each)) or "none",
)
def test_partial_batch_handling(results: Sequence[str], again: list[int], harness: Harness) -> None:
    """Only events with `retry` are sent again, with their uuids, the request's id and the next attempt's number."""
    harness.server.fault(Fault(results={f"test_event_{number}": result for number, result in enumerate(results)}))
    harness.sent(len(results), init={"flush_at": 10})
    time.sleep(QUIET_S if not again else 0.0)
    batches = harness.batches()
    assert len(batches) == (2 if again else 1)
    if again:
        # The order within a batch is nobody's promise.
        names = {f"test_event_{number}" for number in again}
        assert batches[1] == [each for each in batches[0] if each["event"] in names]
        assert harness.headers("posthog-attempt") == ["1", "2"]
        assert len(set(harness.headers("posthog-request-id"))) == 1


@only_v1
def test_respects_retry_after_on_partial(harness: Harness) -> None:
    """A 200 with events to be sent again may say when."""
    harness.server.fault(Fault(results={"test_event": "retry"}, retry_after="1"))
    harness.sent()
    harness.server.wait_for(1)
    assert harness.delays_s()[0] >= 1.0


@pytest.mark.parametrize("is_on", [True, False])
def test_compression(is_on: bool, harness: Harness) -> None:
    """Gzip when it is on, also of a small body, and no content encoding when it is off."""
    (event,) = harness.sent(init={"enable_compression": is_on, "flush_at": 1})
    assert event["event"] == "test_event"
    assert [each.headers.get("content-encoding", "") for each in harness.server.requests] == ["gzip" if is_on else ""]


def test_parallel_tests_have_instances_of_their_own(harness: Harness) -> None:
    """Each has its own events, and says in a header whose requests they are."""
    for test_id in ("a", "b"):
        harness.call(f"/init?test_id={test_id}", api_key=KEY, host=harness.server.url)
    harness.call("/capture?test_id=a", event="e", distinct_id="u")
    harness.call("/flush?test_id=b")
    assert harness.server.requests == []
    harness.call("/flush?test_id=a")
    assert harness.headers("x-test-id") == ["a"]


def test_state_and_reset(harness: Harness) -> None:
    """Counts, requests with uuids and attempts; a reset forgets them, and what comes before an init is refused."""
    harness.fail(503)
    harness.sent()
    harness.server.wait_for(1)
    state = harness.call("/state")
    assert (state["total_events_captured"], state["total_events_sent"], state["total_retries"]) == (1, 1, 1)
    assert [each["status_code"] for each in state["requests_made"]] == [503, 200]
    assert [each["retry_attempt"] for each in state["requests_made"]] == [0, 1]
    harness.call("/reset")
    with pytest.raises(urllib.error.HTTPError) as refused:
        harness.capture()
    assert refused.value.code == 400
    refused.value.close()
