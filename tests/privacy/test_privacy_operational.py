"""The operational side: harmless attributes come back as the same objects, secrets do not come back."""

from __future__ import annotations

import pytest

from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter

FILTER = Filter(PrivacyPolicy())

HARMLESS: dict[str, object] = {
    "url.full": "https://shop.example.com/a/b?page=2&sort=asc",
    "url.query": "page=2",
    "http.target": "/tickets/188637/edit?tab=activity",
    "db.query.text": "SELECT * FROM users WHERE id = ? AND token = $1",
    "db.system": "postgresql",
    "exception.stacktrace": 'Traceback:\n  File "/app/x.py", line 12, in f\nValueError: no',
    "exception.message": "Connection to 10.0.0.1:5432 refused",
    "client.address": "192.168.1.4",
    "server.address": "db.internal",
    "network.peer.address": "127.0.0.1",
    "net.peer.ip": "fe80::1",
    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0",
    "telemetry.sdk.version": "1.45.0",
    "service.instance.id": "627cc493-f310-47de-96bd-71410b7dec09",
    "thread.name": "ThreadPoolExecutor-0_0",
    "code.file.path": "/app/src/auth/token_service.py",
    "process.command_args": ("python", "-m", "app", "--port", "8080"),
    "messaging.client_id": "client-5",
    "gen_ai.usage.input_tokens": 512,
    "process.pid": 4711,
    "http.request.header.content_type": ["application/json"],
    "body": {"a": [1, 2.5, None, True], "b": {"c": b"\xff\x00"}},
    "json": '{"a": [1, 2.50]}',
}


@pytest.mark.parametrize("key", sorted(HARMLESS))
def test_a_harmless_attribute_is_the_same_object_afterwards(key: str) -> None:
    """Nothing found means nothing copied."""
    assert FILTER.scrub_value(key, HARMLESS[key]) is HARMLESS[key]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("http.request.header.authorization", ("Bearer abc",), ("[redacted]",)),
        ("enduser.email", "x", "[redacted]"),
        ("client.address", "8.8.8.8", "[ip]"),
        ("url.full", "https://u:pw12@h.example/?sig=abc", "https://[secret]@h.example/?sig=[secret]"),
        ("exception.message", "no user jo@example.org", "no user [email]"),
        ("process.command_args", ("app", "--token", "abc"), ("app", "--token", "[redacted]")),
        ("names", ["a", "jo@example.org"], ["a", "[email]"]),
        ("body", {"user": {"password": "x", "n": 1}}, {"user": {"password": "[redacted]", "n": 1}}),
        ("body", {"jo@example.org": 1}, {"[email]": 1}),
        ("body", '{"a":{"pin":1234}}', '{"a":{"pin":"[redacted]"}}'),
        ("raw", b"to jo@example.org \xff", b"to [email] \xff"),
        ("n", '{"n":4111111111111111,"at":[48.85837,2.29448]}', '{"n":"[card]","at":"[gps]"}'),
        ("password", ["x", 7, ("y", None)], ["[redacted]"]),
        ("location.x", "2.29448", "[gps]"),
        ("deep", [[[[[[["x"]]]]]]], [[[[[[]]]]]]),
    ],
)
def test_what_must_not_be_seen_is_replaced_in_kind(key: str, value: object, expected: object) -> None:
    """Hits are replaced; tuples stay tuples, lists lists, bytes bytes."""
    out = FILTER.scrub_value(key, value, {"location.x": "2.29448", "location.y": 48.85837})
    assert out == expected
    assert type(out) is type(expected)


def test_what_is_redacted_stays_as_it_is() -> None:
    """A second exporter finds nothing more to do."""
    once = str(b"[redacted]", "ascii")
    assert FILTER.scrub_value("password", "x") == once
    assert FILTER.scrub_value("password", once) is once
