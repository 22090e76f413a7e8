"""Whatever an app emits, what it is shown as is JSON that a browser and `jq` read."""

from __future__ import annotations

import json
import math
import signal
import subprocess
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from inspecting import COMMAND, enter, inspecting
from looked_at import Inspected, items

from otel_posthog.apps.inspector.lines import Wanted, item_lines
from otel_posthog.inspection.form import as_line

ODD = {"nan": math.nan, "up": math.inf, "down": -math.inf, "half": "a\ud800b", "deep": [[math.nan]], "big": 1e308}


def strict(text: str | bytes) -> Any:
    """Return what a text says, as a reader has it that knows nothing but JSON."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ([1.5, (math.nan, None)], [1.5, ["NaN", None]]),
        ({"a": {math.inf: math.nan, 1: b"xy", None: True}}, {"a": {"inf": "NaN", "1": "<2 bytes>", "None": True}}),
        (MappingProxyType({"a": math.nan}), {"a": "NaN"}),
        ({("a", 1): "b"}, {"('a', 1)": "b"}),
        ({1, 2}, None),
        pytest.param(10**5000, "a whole number of 16,610 bits", id="endless"),
        ("\ud800", "\ud800"),
        (True, True),
    ],
)
def test_each_value_has_a_form(value: object, shown: object) -> None:
    """Numbers that are none are their names, what has no form is none; and it is ASCII, whatever stands in it."""
    line = as_line({"value": value})
    assert strict(line) == {"value": shown}
    assert line.isascii()


def test_what_has_no_end_has_one() -> None:
    """What holds itself is cut."""
    round_about: list[object] = [math.nan]
    round_about += [round_about, round_about]
    assert strict(as_line({"value": round_about}))


def test_every_way_out_of_an_app(tmp_path: Path) -> None:
    """Stream, list, one item, a rule and `tail --json` are JSON where an app emits what has no form in it."""
    with Inspected(tmp_path, OTEL_POSTHOG_INSPECT_VALUES="1") as app:
        app.do("capture", "odd", ODD)
        assert len(items(app.socket(), 1)) == 1
        with inspecting(environ=app.environ) as url:
            browser = enter(url)
            assert next(each for each in browser.stream() if each["type"] == "item")["seq"] == 1
            found = [strict(browser.ask(path)[1]) for path in ("api/items", "api/items/1")]
            assert found[0]["items"] == [found[1]]
            status, text, _ = browser.ask("api/rule", "POST", {"seq": 1, "kind": "sensitive_key", "key": "half"})
            assert (status, strict(text)["effect"]["changed"]) == (200, 1)
            status, text, _ = browser.ask("api/rule", "POST", {"seq": 1, "kind": "allow", "key": "\ud800"})
            assert status in {200, 409}
            assert strict(text)
        command = [COMMAND, "tail", "--json", "--socket", str(app.sockets)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=app.environ)
        assert process.stdout is not None
        before = strict(process.stdout.readline())["events"][0]["before"]["properties"]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert (before["nan"], before["down"], before["deep"]) == ("NaN", "-Infinity", before["deep"])


def test_every_way_out_of_a_file(tmp_path: Path) -> None:
    """So are `inspect FILE` and `explain --json`, of a file that only Python takes for JSON."""
    file = tmp_path / "events.json"
    file.write_text(json.dumps({"event": "odd", "properties": ODD}))
    with inspecting(str(file)) as url:
        browser = enter(url)
        browser.until("summary")
        assert strict(browser.ask("api/items")[1])["items"][0]["events"][0]["before"]["properties"]["nan"] == "NaN"
    ran = subprocess.run([COMMAND, "explain", "--json", str(file)], capture_output=True, text=True, check=True)
    assert [strict(line)["type"] for line in ran.stdout.splitlines()] == ["item", "summary"]


def test_a_line_of_a_terminal_is_text() -> None:
    """Half a character, which no terminal can be written, stands as its code."""
    sent = {"sent": True, "name": "o\ud800", "destination": "default", "dropped": None, "changes": []}
    event = {"properties": {"half": "a\ud800", "k\ud800": "b c\ud800"}}
    item = {"time": "", "dropped": [], "events": [{"destinations": [{**sent, "event": event}]}]}
    for line in item_lines(item, Wanted(), with_values=True, is_colored=False):
        assert line.encode()
