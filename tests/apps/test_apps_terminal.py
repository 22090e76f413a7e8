"""Whatever comes from outside, no command has a terminal obey it."""

from __future__ import annotations

import io
import json
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from clean import clean
from spooled import spool

from otel_posthog.apps.cli import COMMANDS, main
from otel_posthog.apps.terminal import SafeStream, safe_output, styled
from otel_posthog.text import UNSEEN

# A title, a color, a clipboard, a cursor, a bell, eight-bit controls, a turned text, what is not seen.
ORDERS = "\x1b]0;owned\x07\x1b[31mred\x1b[2J\x1b]52;c;aGk=\x07\x9b5A\x85\u202egnp\u200b\u2028\x7f\x08\r\U000e0041"
COLORS = re.compile(r"\x1b\[[0-9;]*m")
FORGED = "\nall is well"
PLANT = f"pl{ORDERS}ant"


def telemetry(path: Path) -> Path:
    """Write spans and logs whose every part is planted."""
    value = {"stringValue": PLANT + FORGED}
    attributes = [
        {"key": key, "value": value} for key in ("analytics.event", PLANT, "analytics.property.a", "http.route")
    ]
    span = {"traceId": "1" * 32, "spanId": "2" * 16, "name": PLANT + FORGED, "kind": 2, "startTimeUnixNano": "1",
            "endTimeUnixNano": str(time.time_ns()), "attributes": attributes, "status": {"message": PLANT}}  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": value}]}
    scope_spans = [{"scope": {"name": PLANT}, "spans": [span]}]
    log = {"timeUnixNano": "1", "body": value, "eventName": f"analytics.{PLANT}", "attributes": attributes}
    path.write_text(
        json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scope_spans}]}) + "\n"
        + json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [log]}]}]}) + "\n"
        + PLANT + "\n",
        encoding="utf-8",
    )  # fmt: skip
    return path


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Files, folders and an environment with orders wherever a text that others wrote may stand."""
    root = tmp_path / f"spool{ORDERS.replace('/', '')}"
    for destination in ("default", PLANT):
        store = spool(root, destination=destination)
        for number in range(3):
            store.put(clean(number, PLANT + FORGED, destination=destination, **{PLANT: PLANT + FORGED}))
        store.dead_letter(store.take(1, 10**6), f"refused {PLANT}")
        store.close()
    good, bad = tmp_path / f"good{ORDERS}.yaml", tmp_path / f"bad{ORDERS}.yaml"
    named = {"name": PLANT + FORGED, "host": f"http://127.0.0.1:9/{PLANT}", "api_key": "phc_x"}
    rules = [{"keys": [PLANT], "words": [PLANT], "method": "mask"}]
    good.write_text(
        json.dumps({"destinations": [named], "privacy": {"rules": rules, "also_allow": [PLANT + FORGED]},
                    "collection": {"off_switches": [PLANT.replace("\r", "")]},
                    "catalog": {"events": {PLANT + FORGED: {}}}}), encoding="utf-8",
    )  # fmt: skip
    bad.write_text(
        json.dumps({PLANT + FORGED: 1, "privacy": {PLANT: 1}, "trace_url": f"https://x/{PLANT}"}), encoding="utf-8"
    )
    lists = tmp_path / "lists.jsonl"
    lists.write_text(PLANT, encoding="utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_SPOOL_DIR", str(root))
    monkeypatch.setenv("OTEL_POSTHOG_IDENTITY_KEYS", "0123456789abcdefghijklmnopqrstuvwxyz")
    return {
        "GOOD": str(good), "BAD": str(bad),
        "TELEMETRY": str(telemetry(tmp_path / f"t{ORDERS}.jsonl")), "TEXT": str(lists),
        "MISSING": str(tmp_path / f"missing{ORDERS}"), "PLANT": PLANT, "EXPORT": str(tmp_path / f"e{ORDERS}.jsonl"),
    }  # fmt: skip


LINES = [
    "spool list", "spool list --json", "spool inspect", "spool inspect --json", "spool dead", "spool dead --json",
    "spool drain --timeout 0.1", "spool drain --destination PLANT", "spool replay PLANT", "spool replay --json PLANT",
    "spool replay", "spool export EXPORT", "spool export MISSING/x", "spool import MISSING", "spool import TEXT",
    "spool import GOOD", "spool list --directory MISSING",
    "policy check GOOD", "policy check BAD", "policy check MISSING", "policy check TEXT", "policy show GOOD",
    "policy show GOOD --section PLANT", "policy schema", "policy PLANT", "policy check GOOD PLANT",
    "explain TELEMETRY", "explain --all TELEMETRY", "explain --json TELEMETRY", "explain --color always TELEMETRY",
    "explain --all --color always TELEMETRY", "explain --policy GOOD --all TELEMETRY", "explain --policy BAD TELEMETRY",
    "explain MISSING", "explain TEXT", "explain --identity PLANT TELEMETRY", "explain --no-values TELEMETRY",
    "derive TELEMETRY", "derive --policy TELEMETRY", "derive --json TELEMETRY", "derive MISSING", "derive TEXT",
    "derive PLANT",
    "doctor", "doctor --json", "doctor --send --timeout 0.1", "doctor --timeout PLANT",
    "collector-config --policy GOOD", "collector-config --policy BAD", "collector-config --policy MISSING",
    "collector-config PLANT", "gateway --policy BAD", "gateway --policy MISSING", "gateway --host PLANT",
    "gateway --cors-origin PLANT", "gateway --tokens-file MISSING", "gateway --port PLANT",
    "pseudonym PLANT", "pseudonym --keys-file MISSING PLANT", "pseudonym --PLANT", "demo --PLANT", "demo PLANT",
    "demo --sampler PLANT --requests 1", "PLANT", "--PLANT", "completion PLANT", "completion bash", "inspect MISSING",
    "inspect --port PLANT", "inspect --PLANT", "spool PLANT", "doctor --color always", "policy check --json BAD",
    "tail -n PLANT", "tail --outcome PLANT", "tail --PLANT", "spool list --destination PLANT",
    "policy show --json GOOD", "collector-config --json --policy GOOD",
]  # fmt: skip


def said(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the command line `words` prints, whatever it makes of them."""
    with suppress(SystemExit):
        main(words)
    captured = capsys.readouterr()
    return captured.out + captured.err


# Of the commands that read it, what they say of a policy that cannot be read.
READERS = (
    "spool drain",
    "spool import TEXT",
    "policy show",
    "doctor",
    "collector-config",
    "gateway",
    "pseudonym PLANT",
    "explain TELEMETRY",
)


@pytest.mark.parametrize(("line", "setting"), [(line, "GOOD") for line in LINES] + [(line, "BAD") for line in READERS])
def test_no_command_prints_what_a_terminal_obeys(
    line: str, setting: str, files: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names, keys, values, paths, arguments and errors, of files, spools, policies and the environment."""
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", files[setting])
    monkeypatch.setenv("POSTHOG_HOST", f"http://127.0.0.1:9/{PLANT}" if setting == "GOOD" else "http://127.0.0.1:9")
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_x")
    words = [part.replace(name, value) for part in line.split() for name, value in [find(part, files)]]
    out = said(words, capsys)
    assert out
    if "always" in line:
        assert "\x1b[31mred" not in out
        out = COLORS.sub("", out)
    assert [hex(ord(each)) for each in UNSEEN.findall(out) if each not in "\n\t"] == []
    assert not any(each.strip().startswith("all is well") for each in out.splitlines())


def find(part: str, files: dict[str, str]) -> tuple[str, str]:
    """Return the name of a file in `part`, and the file."""
    return next(((name, files[name]) for name in files if name in part), ("\0", ""))


def test_every_command_is_among_them() -> None:
    """A command that is added is added to the list above."""
    assert {each.NAME for each in COMMANDS} <= {line.split()[0] for line in LINES}


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_all_is_written_in_the_encoding_of_its_stream(encoding: str) -> None:
    """Where a terminal lacks a character, an escape stands for it; nothing ends in a traceback."""
    raw = io.BytesIO()
    stream = SafeStream(io.TextIOWrapper(raw, encoding=encoding))
    stream.writelines(["a→b\n", ORDERS, "\ud800", "\tc"])
    stream.flush()
    out = raw.getvalue().decode(encoding)
    assert out.startswith(("a→b\n", "a\\u2192b\n"))
    assert [each for each in UNSEEN.findall(out) if each not in "\n\t"] == []
    assert json.loads(f'"{SafeStream(io.StringIO())._safe(ORDERS)}"') == ORDERS


def test_a_view_with_colors_draws_and_does_nothing_else() -> None:
    """Colors, and a line that is drawn again; no title, no clipboard, no screen, no cursor elsewhere."""
    with safe_output():
        assert styled(sys.stdout).isatty() == sys.stdout.isatty()
    out = io.StringIO()
    styled(SafeStream(out)).write("\r\x1b[K\x1b[1;31mred\x1b[0m\x1b[1A\x1b[?25l\x1b[2J\x1b]0;x\x07\x1b[5n")  # type: ignore[arg-type]
    assert out.getvalue() == ("\r\x1b[K\x1b[1;31mred\x1b[0m\x1b[1A\x1b[?25l\x1b[2J\\u001b]0;x\\u0007\\u001b[5n")
