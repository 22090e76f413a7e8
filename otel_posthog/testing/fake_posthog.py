"""A PostHog to test against: a real HTTP server with both wire formats, PostHog's validation, and faults on demand."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from otel_posthog.testing.server import Answer, LocalServer
from otel_posthog.testing.validation import Refused, check_v0, check_v1, read_json, v1_result

V0_PATH, V1_PATH = "/batch/", "/i/v1/analytics/events"
_OPTION_PROPERTIES = {
    "process_person_profile": "$process_person_profile",
    "disable_skew_correction": "$ignore_sent_at",
    "cookieless_mode": "$cookieless_mode",
    "product_tour_id": "$product_tour_id",
}


@dataclass(frozen=True, slots=True)
class CapturedEvent:
    """An event that was accepted; the fields are the same for both formats.

    Attributes:
        event: Its name.
        uuid: Lowercase.
        distinct_id: Who.
        timestamp: As sent.
        properties: V1's options and session folded back in (`$process_person_profile`, `$session_id`, ...).
        path: The endpoint that took it.
        received_at: Monotonic seconds.
    """

    event: str
    uuid: str
    distinct_id: str
    timestamp: str
    properties: dict[str, Any]
    path: str
    received_at: float

    @property
    def dedupe_key(self) -> tuple[str, str, str, str]:
        """What PostHog deduplicates by: UTC date, name, distinct id, uuid."""
        return self.timestamp[:10], self.event, self.distinct_id, self.uuid


class FakePostHog(LocalServer):
    """A PostHog server; use it as a context manager.

    Args:
        api_key: The only key it takes.
        v1: False is a self-hosted server without Capture V1.
        port: 0 takes a free one.
        max_body_bytes: A larger body, decompressed, is a 413.
        tls: Speak HTTPS with this certificate.
    """

    def __init__(
        self,
        *,
        api_key: str = "phc_test",
        v1: bool = True,
        port: int = 0,
        max_body_bytes: int = 20 * 1024 * 1024,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(port=port, tls=tls)
        self.api_key, self._v1, self.max_body_bytes = api_key, v1, max_body_bytes
        self.events: list[CapturedEvent] = []
        self._faults = FaultQueue()
        self._taking = threading.Lock()

    @property
    def unique_events(self) -> list[CapturedEvent]:
        """The events that PostHog would keep."""
        return list({each.dedupe_key: each for each in reversed(self.events)}.values())[::-1]

    @property
    def duplicates(self) -> int:
        """How many of `events` are repeats."""
        return len(self.events) - len(self.unique_events)

    def named(self, event_name: str) -> list[CapturedEvent]:
        """Return the events called `event_name`, in order of arrival."""
        return [each for each in self.events if each.event == event_name]

    def wait_for(self, count: int, timeout_s: float = 30.0) -> list[CapturedEvent]:
        """Return the unique events once there are `count` of them.

        Raises:
            AssertionError: There were not, within `timeout_s`; with the names of those that came.
        """
        if not self.wait_until(lambda: len(self.unique_events) >= count, timeout_s):
            came = dict(Counter(each.event for each in self.unique_events))
            raise AssertionError(f"{len(self.unique_events)} of {count} events came within {timeout_s} s: {came}")
        return self.unique_events

    def fault(self, fault: Fault) -> None:
        """Make the next requests fail as `fault` says."""
        self._faults.add(fault)

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Handle one request as PostHog would, or as the next fault says."""
        fault = self._faults.take()
        if fault.hang_s and self.stopping.wait(fault.hang_s):
            return Answer(0)
        if fault.delay_s and self.stopping.wait(fault.delay_s):
            return Answer(0)
        if fault.drop_connection:
            return Answer(0)
        if fault.status is not None:
            return Answer(fault.status, fault.body, fault.content_type, retry_after=fault.retry_after)
        try:
            answer = replace(self._take(path, headers, body, fault.results), retry_after=fault.retry_after)
        except Refused as refused:
            return Answer(refused.status, json.dumps({"error": str(refused)}).encode())
        return Answer(0) if fault.lose_answer else answer

    def _take(self, path: str, headers: Mapping[str, str], body: bytes, results: Mapping[str, str]) -> Answer:
        if len(body) > self.max_body_bytes:
            raise Refused(413, "the body is too large")
        if path == V1_PATH and self._v1:
            return self._take_v1(headers, body, results)
        if path == V0_PATH:
            return self._take_v0(body)
        raise Refused(404, "not found")

    def _take_v1(self, headers: Mapping[str, str], body: bytes, results: Mapping[str, str]) -> Answer:
        if headers.get("authorization") != f"Bearer {self.api_key}":
            raise Refused(401, "the key is not known")
        batch = read_json(body)["batch"]
        check_v1(headers, batch)
        said: dict[str, dict[str, str]] = {}
        for event in batch:
            uuid = event["uuid"].lower()
            result = results.get(event["event"]) or results.get(uuid) or v1_result(event)
            said[uuid] = {"result": result}
            if result in {"ok", "warning"}:
                self._keep(V1_PATH, event, _folded(event))
        return Answer(200, json.dumps({"results": said}).encode())

    def _take_v0(self, body: bytes) -> Answer:
        request = read_json(body)
        if request.get("api_key") != self.api_key:
            raise Refused(401, "the key is not known")
        check_v0(request["batch"])
        for event in request["batch"]:
            # posthog-python has these beside the properties, where PostHog takes them too.
            beside = {key: event[key] for key in ("$set", "$set_once") if key in event}
            self._keep(V0_PATH, event, {**event.get("properties", {}), **beside})
        return Answer(200, b'{"status": "Ok"}')

    def _keep(self, path: str, event: Mapping[str, Any], properties: dict[str, Any]) -> None:
        names = (event["event"], event["uuid"].lower(), event["distinct_id"], event["timestamp"])
        with self._taking:
            self.events.append(CapturedEvent(*names, properties, path, time.monotonic()))


def _folded(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a V1 event's properties as V0 would carry them."""
    properties = dict(event["properties"])
    for option, name in _OPTION_PROPERTIES.items():
        if option in event["options"]:
            properties[name] = event["options"][option]
    for key in ("session_id", "window_id"):
        if key in event:
            properties[f"${key}"] = event[key]
    return properties


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail.

    Attributes:
        status: Answer with this status instead of handling the request.
        body: Of that answer.
        content_type: Of that answer.
        retry_after: The `Retry-After` header of that answer, or of the one that it would be.
        delay_s: Wait before handling the request.
        hang_s: Read the request and answer nothing for so long, or until the server stops.
        lose_answer: Accept the events, then close the connection without an answer.
        drop_connection: Close the connection before the request is handled.
        results: Capture V1 results (`retry`, `drop`, `warning`) by event name or uuid.
        times: For how many requests; None until `clear_faults()`.
    """

    status: int | None = None
    body: bytes = b'{"error": "as the test asked"}'
    content_type: str = "application/json"
    retry_after: str | None = None
    delay_s: float = 0.0
    hang_s: float = 0.0
    lose_answer: bool = False
    drop_connection: bool = False
    results: Mapping[str, str] = field(default_factory=dict)
    times: int | None = 1


class FaultQueue:
    """The faults to come, in order; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Queue `fault`."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def take(self) -> Fault:
        """Return the fault of the next request; where none is queued, one without effect."""
        with self._lock:
            if not self._faults:
                return Fault()
            fault = self._faults[0]
            if fault.times is not None:
                self._faults[:1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
            return fault
