"""What goes over the wire: golden bytes, and held to what the installed posthog sends for the same event."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from clean import Delivering, clean
from posthog import capture_v1, consumer, request
from posthog.capture_compression import CaptureCompression

from otel_posthog.policy import DeliveryPolicy
from otel_posthog.posthog.requests import (
    Attempt,
    Request,
    ingestion_url,
    is_app,
    sdk_info,
    v0_event,
    v0_request,
    v1_request,
)
from otel_posthog.testing import FakePostHog

AT = "2026-01-02T03:04:05.123456+00:00"


def attempt(count: int = 1, *, is_compressed: bool = False, **properties: Any) -> Attempt:
    """Return the first attempt at `count` events."""
    events = [clean(number, **properties) for number in range(count)]
    return Attempt(events, "rid", AT, AT, 1, is_compressed=is_compressed)


def posthogs_message(**properties: Any) -> dict[str, Any]:
    """Return the queued message for which posthog-python would send the same event."""
    return {
        "event": "e",
        "uuid": "00000000-0000-0000-0000-000000000000",
        "distinct_id": "installation-1",
        "timestamp": AT,
        "properties": {
            "$ip": "0.0.0.0",
            "$geoip_disable": True,
            "$process_person_profile": False,
            "$ignore_sent_at": True,
            **properties,
        },
    }


def test_a_v1_request_is_golden() -> None:
    """The bytes and headers of one event."""
    made = v1_request(attempt(plan="pro"), "phc_x")
    assert made.body == (
        b'{"created_at":"2026-01-02T03:04:05.123456+00:00","batch":[{"event":"e",'
        b'"uuid":"00000000-0000-0000-0000-000000000000","distinct_id":"installation-1",'
        b'"timestamp":"2026-01-02T03:04:05.123456+00:00",'
        b'"options":{"disable_skew_correction":true,"process_person_profile":false},'
        b'"properties":{"plan":"pro","$ip":"0.0.0.0","$geoip_disable":true}}]}'
    )
    assert made.path == "/i/v1/analytics/events"
    assert made.headers == {
        "Content-Type": "application/json",
        "User-Agent": sdk_info(),
        "Authorization": "Bearer phc_x",
        "PostHog-Sdk-Info": sdk_info(),
        "PostHog-Attempt": "1",
        "PostHog-Request-Id": "rid",
        "PostHog-Request-Timestamp": AT,
    }


def test_v1_is_what_posthog_sends() -> None:
    """Event, envelope and header names are those of the installed posthog."""
    theirs = capture_v1._to_v1_event(posthogs_message(plan="pro"))
    ours = json.loads(v1_request(attempt(plan="pro"), "k").body)
    assert ours == capture_v1._build_v1_batch_body([theirs], created_at=AT)
    sent: dict[str, Any] = {}

    class Session:
        def post(self, url: str, *, headers: dict[str, str], **_: Any) -> None:
            sent.update(url=url, headers=headers)

    capture_v1._post_v1(
        "k",
        "https://eu.i.posthog.com/",
        {},
        attempt=1,
        request_id="rid",
        compression=CaptureCompression.GZIP,
        session=Session(),  # type: ignore[arg-type]
    )
    made = v1_request(attempt(100, is_compressed=True), "k")
    assert ingestion_url("https://eu.i.posthog.com/") + made.path == sent["url"]
    assert set(made.headers) == set(sent["headers"])


def test_a_backfill_says_so_as_posthog_does() -> None:
    """`historical_migration` stands in the envelope of both formats, in V1 only where it is true."""
    backfill = attempt()._replace(is_historical=True)
    theirs = capture_v1._build_v1_batch_body([json.loads(clean().body)], True, created_at=AT)
    assert json.loads(v1_request(backfill, "k").body) == theirs
    assert theirs["historical_migration"] is True
    assert json.loads(v0_request(backfill, "k").body)["historical_migration"] is True


@pytest.mark.parametrize("v1", [True, False])
def test_a_policy_makes_a_backfill(*, v1: bool) -> None:
    """`delivery: {historical_migration: true}` is in every request, and in none without it."""
    for is_backfill in (False, True):
        with FakePostHog(v1=v1) as server, Delivering(server.url, historical_migration=is_backfill) as made:
            made.send(1)
            assert made.delivery.flush(30)
            body = json.loads(server.requests[-1].body)
        assert body.get("historical_migration", False) is is_backfill


def test_v0_is_what_posthog_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The older format: the same message, key and envelope."""
    sent: dict[str, Any] = {}

    class Session:
        def post(self, url: str, *, data: str, headers: dict[str, str], **_: Any) -> Any:
            sent.update(url=url, headers=headers, **json.loads(data))
            return type("Answer", (), {"status_code": 200})

    monkeypatch.setattr(request, "_get_session", Session)
    message = posthogs_message(plan="pro")
    request.batch_post("k", "https://h", batch=[message], historical_migration=False)
    made = v0_request(attempt(plan="pro"), "k")
    ours = json.loads(made.body)
    theirs = {key: sent[key] for key in ("api_key", "batch", "historical_migration")}
    for key in ("$lib", "$lib_version"):
        ours["batch"][0]["properties"].pop(key)
    assert {key: ours[key] for key in theirs} == theirs
    assert set(ours) == {*theirs, "sent_at"}
    assert f"https://h{made.path}" == sent["url"]


@pytest.mark.parametrize("name", ["session_id", "window_id"])
def test_a_session_is_lifted_in_v1_and_a_property_in_v0(name: str) -> None:
    """`$session_id` travels at the top level of a V1 event, as posthog does it, and among V0's properties; a window."""
    body = clean().body.replace(b'"options"', f'"{name}":"s","options"'.encode())
    theirs = capture_v1._to_v1_event(posthogs_message(**{f"${name}": "s"}))
    assert json.loads(body) == theirs
    assert v0_event(body)["properties"][f"${name}"] == "s"
    assert name not in v0_event(body)


@pytest.mark.parametrize("make", [v1_request, v0_request])
def test_compressed_requests_are_gzip_and_the_same_bytes_each_time(make: Callable[..., Request]) -> None:
    """A repeat of the same batch is byte for byte the same, so that nothing depends on when it is compressed."""
    made = make(attempt(50, is_compressed=True), "k")
    assert made.headers["Content-Encoding"] == "gzip"
    assert made.body == make(attempt(50, is_compressed=True), "k").body
    assert gzip.decompress(made.body) == make(attempt(50), "k").body
    assert made.body[4:8] == bytes(4)  # no time in the header
    assert len(json.loads(gzip.decompress(made.body))["batch"]) == 50


def test_the_limits_are_posthogs() -> None:
    """Bytes of an event and of a batch, events in a request: what posthog-python itself keeps to."""
    policy = DeliveryPolicy()
    assert policy.max_event_bytes == consumer.MAX_MSG_SIZE
    assert policy.max_batch_bytes == consumer.BATCH_SIZE_LIMIT
    assert policy.max_batch_events == consumer.Consumer.__init__.__defaults__[0]  # type: ignore[index]


@pytest.mark.parametrize(
    "host",
    [
        "https://app.posthog.com",
        "https://us.posthog.com/",
        "https://eu.posthog.com",
        "https://eu.i.posthog.com",
        "http://127.0.0.1:8000/",
    ],
)
def test_the_host_that_takes_events_is_posthogs_own_choice(host: str) -> None:
    """An application host is replaced by its ingestion host, as posthog-python does."""
    assert ingestion_url(host) == request.determine_server_host(host).rstrip("/")
    assert is_app(host) == (request.determine_server_host(host).rstrip("/") != host.rstrip("/"))


@pytest.mark.parametrize("name", ["app", "us", "eu"])
@pytest.mark.parametrize(
    "form", ["http://{}.posthog.com", "https://{}.posthog.com:443/", "https://{}.PostHog.com/project/12/settings?a=b"]
)
def test_the_host_of_the_app_is_recognised_however_it_is_copied(name: str, form: str) -> None:
    """From the browser, with a path; what only looks like it is left alone."""
    region = "eu" if name == "eu" else "us"
    assert ingestion_url(form.format(name)) == f"https://{region}.i.posthog.com"
    for other in (
        f"https://{name}.posthog.com.example",
        f"https://x.{name}.posthog.com",
        f"https://{name}.i.posthog.com",
    ):
        assert ingestion_url(other) == other
