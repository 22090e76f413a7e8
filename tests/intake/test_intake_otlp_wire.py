"""One text that is not UTF-8 does not cost the request that it is in."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from otlp_everything import filled
from otlp_shapes import field

from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp import wire
from otel_posthog.intake.otlp.json_to_protobuf import with_proto_ids
from otel_posthog.intake.otlp.protobuf import LOGS, METRICS, TRACES, Kind
from otel_posthog.intake.otlp.wire import parsed_in_steps, parsed_json

GOOD, BAD = "é".encode(), b"\xe9\xff"
KINDS = [TRACES, LOGS, METRICS]


def done(steps: Generator[None, None, Any]) -> tuple[Any, int]:
    """Return what a generator returns, and how many steps it took."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, count
        count += 1


@pytest.mark.parametrize("kind", KINDS)
def test_in_every_text_that_otlp_has_such_bytes_become_question_marks(kind: Kind) -> None:
    """Keys, names, values at any depth; bytes, ids, numbers and unknown fields stay as they are."""
    body = filled(kind.message(), lambda _: "wé").SerializeToString().replace(GOOD, BAD) + field(77, BAD)
    with pytest.raises(DecodeError):
        kind.message.FromString(body)
    message, _ = done(parsed_in_steps(body, kind))
    left = message.SerializeToString()
    expected = filled(kind.message(), lambda _: "w??").SerializeToString() + field(77, b"??")
    assert left.count(BAD) > 1
    assert left.replace(BAD, b"??") == expected
    assert b"w" + BAD in left


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_of_good_texts_is_parsed_at_once(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked at twice."""
    monkeypatch.setattr(wire, "with_valid_texts", None)
    given = filled(kind.message(), lambda _: "é")
    assert done(parsed_in_steps(given.SerializeToString(), kind)) == (given, 0)


def test_what_is_wrong_otherwise_is_refused() -> None:
    """Cut at any byte, too long, of another kind: it ends, and the parser has the last word."""
    body = filled(LOGS.message(), lambda _: "é").SerializeToString().replace(GOOD, BAD)
    for end in range(0, len(body), 53):
        with suppress(MalformedTelemetry):
            done(parsed_in_steps(body[:end], LOGS))
    for bad in (b"\xff", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + BAD, b"\x0b" * 200):
        with pytest.raises(MalformedTelemetry, match="must be an ExportLogsServiceRequest in protobuf"):
            done(parsed_in_steps(bad, LOGS))


def test_a_long_request_is_mended_in_steps() -> None:
    """Between two of them other senders have their turn."""
    request: Any = LOGS.message()
    records = request.resource_logs.add().scope_logs.add().log_records
    for _ in range(20_000):
        records.add().body.string_value = "é"
    body = request.SerializeToString().replace(GOOD, BAD)
    message, steps = done(parsed_in_steps(body, LOGS))
    assert steps > 2
    assert {each.body.string_value for each in message.resource_logs[0].scope_logs[0].log_records} == {"??"}


def test_in_json_too() -> None:
    """Bytes that are none, and halves of characters, which JSON can write."""
    assert parsed_json(b'{"a": "x\xe9\xff"}') == {"a": "x??"}
    assert with_proto_ids(json.loads('{"\\ud83d": ["\\ud83d\\ude00", "cut \\ud83d"]}')) == {"?": ["😀", "cut ?"]}
    for bad in (b'{"a": \xe9', b"{"):
        with pytest.raises(ValueError, match=r"Expecting|line"):
            parsed_json(bad)
