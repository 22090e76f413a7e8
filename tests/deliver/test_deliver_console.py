"""Events on a terminal: everything that would be sent is there, and nothing in it can move the cursor."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest
from clean import clean, policy

from otel_posthog.deliver import Console
from otel_posthog.deliver.preview import lines, printable
from otel_posthog.errors import Guard
from otel_posthog.health import PREVIEWED, Health

VALUES: dict[str, Any] = {
    "text": "pro",
    "count": 7,
    "digits": "7",
    "word": "true",
    "nothing": None,
    "empty": "",
    "spaces": " a ",
    "list": [1, "x"],
    "map": {"a": {"b": 2}},
    "newline": "a\nb",
    "escape": "\x1b[2Jgone\x9b31m\u202egnp.exe\u2028",
    "umlaut": "gr\u00fcn",
    "\x1b]0;key\x07": "title",
}


def test_console_shows_all_that_would_be_sent() -> None:
    """Each property, option and field of the event is a line of its own, own properties before PostHog's."""
    event = clean(7, "order\x1b[31m_placed", **VALUES)
    first, *rows = lines(event)
    assert first == "-> default: order\\u001b[31m_placed"
    shown = dict(row.strip().split("  ", 1) for row in rows)
    shown = {key.strip(): value.strip() for key, value in shown.items()}
    sent = json.loads(event.body)
    assert set(shown) == {
        *map(printable, sent["properties"]),
        *sent["options"],
        *(set(sent) - {"properties", "options", "event"}),
    }
    assert (shown["text"], shown["count"], shown["digits"], shown["word"]) == ("pro", "7", '"7"', '"true"')
    assert (shown["nothing"], shown["empty"], shown["spaces"]) == ("null", '""', '" a "')
    assert (shown["list"], shown["map"]) == ('[1, "x"]', '{"a": {"b": 2}}')
    assert shown["umlaut"] == "gr\u00fcn"
    assert next(iter(shown)) == "distinct_id"
    assert [key.startswith("$") for key in shown][: len(VALUES) + 1] == [False] * (len(VALUES) + 1)
    assert all(line.isprintable() for line in lines(event))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_console_prints_on_every_terminal_and_sends_nothing(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it cannot encode it writes out; each event is counted as previewed; no store, no thread."""
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(out, encoding=encoding))
    health = Health()
    console = Console(policy("http://127.0.0.1:1"), health, Guard(health))
    console.submit(clean(1, **VALUES))
    assert console.accept([clean(2)])
    assert out.getvalue().count(b"-> default: e\n") == 2
    assert "gr\u00fcn".encode(encoding, "backslashreplace") in out.getvalue()
    assert health.total(PREVIEWED) == 2
    assert not console._senders
    monkeypatch.setattr(sys, "stderr", None)
    console.submit(clean(3))
    assert health.total(PREVIEWED) == 3
