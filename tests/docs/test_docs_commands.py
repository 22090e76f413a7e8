"""The pages' `otel-posthog` commands that neither serve nor send are run as they stand there, and end well."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from pages import all_pages, blocks_of, terminal

# What serves until it is ended, what sends, and what needs an app of the reader's.
NOT_HERE = ("gateway", "inspect", "tail", "demo", "spool drain", "doctor --send", "doctor --app")
TRACE = """\
{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId":
"b7ad6b7169203331", "name": "POST /orders", "kind": 2, "startTimeUnixNano": "1795000000000000000", "endTimeUnixNano":
"1795000001000000000", "attributes": [{"key": "analytics.event", "value": {"stringValue": "order_placed"}},
{"key": "analytics.note", "value": {"stringValue": "for ada@example.org"}}]}]}]}]}
""".replace("\n", " ")


def commands() -> list[str]:
    """Return the commands in the order of the pages, each once."""
    found: dict[str, None] = {}
    for page in all_pages():
        for block in blocks_of(page, "sh", ""):
            for line in block.text.splitlines():
                shown = re.match(r"otel-posthog .*", line.partition(" #")[0].strip())
                if shown and not shown[0].removeprefix("otel-posthog ").startswith(NOT_HERE):
                    found.setdefault(shown[0])
    return list(found)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the files that the commands name."""
    made = tmp_path_factory.mktemp("reader")
    (made / "policy.yaml").write_text("version: 1\n", encoding="utf-8")
    (made / "state").mkdir(mode=0o700)
    (made / "ids.txt").write_text("user-817\n", encoding="utf-8")
    for name in ("seen.txt", "events.json", "telemetry.jsonl"):
        (made / name).write_text(TRACE + "\n", encoding="utf-8")
    return made


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_pages_ends_well(command: str, directory: Path) -> None:
    """With status 0; what shows no input shows no address of it."""
    here = command.replace("/etc/shop/", "")
    done = subprocess.run(
        ["bash", "-c", here],
        cwd=directory,
        env=terminal(directory),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if not here.startswith("otel-posthog explain"):
        assert "ada@example.org" not in done.stdout + done.stderr


def test_commands_are_found() -> None:
    """What looks for them finds them."""
    assert len(commands()) > 12
