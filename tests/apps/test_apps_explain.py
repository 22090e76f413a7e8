"""`otel-posthog explain` as a user runs it: what it shows, in which form, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import failing
import pytest
from events import KEY
from exceptions import recorded
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from otlp import logs_json, spans_json

from otel_posthog.apps import cli

MAIL, PHONE, USER = "jo.doe@example.org", "+49 151 2345 6789", "u-4711"
EVENT = {
    "event": "ticket_created",
    "uuid": "0194f3a0-0000-7000-8000-000000000001",
    "timestamp": "2026-01-02T03:04:05Z",
    "distinct_id": USER,
    "properties": {
        "plan": "gold",
        "note": f"call {PHONE} or write to {MAIL}",
        "customer_email": MAIL,
        "Jo von Doe": {"card": 4111111111111111},
        MAIL: 1,
    },
}
PAGE = """\
● ticket_created   event, line 1: it is written as an event
  → default   installation
    sent as                   u-4711
                            → (id of the installation)   installation
    plan                      gold
    note                      call +49 151 2345 6789 or write to jo.doe@example.org
                            → call [phone] or write to [email]   phone number, e-mail address
    customer_email            jo.doe@example.org   removed   the key is a sensitive one
    Jo von Doe                {"card": 4111111111111111}
                            → {"card": "[card]"}   card number
    jo.doe@example.org        1   removed   or its key is cleaned, see below
    added                     [email] 1, $ip 0.0.0.0, $geoip_disable true

1 item   product events 1   operational only 0
  to default   1
"""


@pytest.fixture
def event_file(tmp_path: Path) -> Path:
    """A file with one event."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(EVENT))
    return path


@pytest.fixture
def telemetry_file(tmp_path: Path) -> Path:
    """A file as the Collector's exporter writes it: a failed product span, an operational one, three log records."""
    attributes = {
        "analytics__event": "paid",
        "analytics__user__id": USER,
        "http__route": "/pay",
        "db__query__text": MAIL,
    }
    spans = [
        recorded(lambda: failing.charge(MAIL, "l"), **attributes),
        recorded(lambda: None, url__full=f"/?m={MAIL}", user__id=USER),
    ]
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    loggers = LoggerProvider(shutdown_on_exit=False)
    loggers.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    emit = loggers.get_logger("l").emit
    emit(event_name="analytics.seen", attributes={"analytics.consent": False})
    emit(event_name="analytics.", attributes={})
    emit(body=f"mail to {MAIL}", attributes={f"to {MAIL}": 1})
    path = tmp_path / "telemetry.jsonl"
    lines = [spans_json(spans), logs_json(exporter.get_finished_logs())]
    path.write_text("\n".join(json.dumps(each) for each in lines))
    return path


def explained(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Return what the command prints, and require that it succeeds."""
    status = cli.main(["explain", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    return out


def objects(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[Any]:
    """Return the objects that it prints with `--json`."""
    return [json.loads(line) for line in explained(capsys, "--json", *arguments).splitlines()]


def test_an_event_is_shown_before_and_after_with_the_reason(
    event_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole page of one event."""
    assert explained(capsys, event_file).startswith(PAGE)


@pytest.mark.parametrize("mode", ["identified", "daily"])
def test_who_acts_is_shown_as_it_is_sent(mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Session and window, and where they are repeated."""
    path = tmp_path / "event.json"
    properties = {"$session_id": "session-4711", "$window_id": "window-4711", "note": "in window-4711"}
    path.write_text(json.dumps({**EVENT, "properties": properties}))
    told = " ".join(explained(capsys, path, "--identity", mode).split())
    of_session, of_window, of_note = "session id session-4711", "window id window-4711", "note in window-4711"
    if mode == "daily":
        of_session, of_window = (f"{each} removed not sent in the mode daily" for each in (of_session, of_window))
        of_note = "note in window-4711 → in [window] repeats the window's id"
    assert [each for each in (of_session, of_window, of_note) if each not in told] == []


@pytest.mark.parametrize("mode", ["unlinked", "installation", "daily", "pseudonymous", "identified"])
def test_a_part_of_who_acts_goes_for_the_reason_that_there_is(
    mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule or a reserved name where the filters look at it, else the mode, never what befell a property alike."""
    monkeypatch.setenv("OTEL_POSTHOG_IDENTITY_KEYS", KEY)
    policy, path = tmp_path / "policy.yaml", tmp_path / "e.json"
    policy.write_text(f"identity: {mode}\nprivacy: {{rules: [{{name: no_ids, keys: [id], method: drop}}]}}\n", "utf-8")
    person = {"id": "i-2", "trace_url": "x", "note": "same", "plan": MAIL}
    given = {"id": "i-1", "note": MAIL, "$session_id": MAIL, "$groups": {"$ip": "acme"}, "$set": person}
    path.write_text(json.dumps({**EVENT, "properties": given}), "utf-8")
    (item,) = [each for each in explained(capsys, "--policy", policy, path).split("\n●") if "sent as" in each]
    told = {
        line[4:30].strip(): " ".join(line[30:].split()) for line in item.replace(f"\n{' ' * 28}→", " →").splitlines()
    }
    has_persons = mode in {"pseudonymous", "identified"}
    why_not = f"removed not sent in the mode {mode}"
    assert told["$set id"] == f"i-2 {'removed no ids' if has_persons else why_not}"
    assert told["group $ip"] == f"acme {'removed PostHog acts on this name' if has_persons else why_not}"
    of_trace = "removed named like what an event says of its trace"
    assert told["$set trace_url"] == f"x {of_trace if has_persons else why_not}"
    assert told["$set note"] == ("same" if has_persons else f"same {why_not}")
    assert told["$set plan"] == f"{MAIL} {'→ [email] e-mail address' if has_persons else why_not}"
    if mode == "identified":
        assert told["session id"] == f"{MAIL} → [email] e-mail address"
    else:
        assert "e-mail" not in told["session id"]


def test_json_has_what_posthog_gets_to_the_field(event_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object for the item, with what was done, and one that sums up."""
    item, summary = objects(capsys, event_file, "--identity", "identified")
    (event,) = item["events"]
    (sent,) = event["destinations"]
    assert {
        key: item[key] for key in ("type", "version", "line", "kind", "side", "dropped", "name", "operational")
    } == {
        "type": "item",
        "version": 1,
        "line": 1,
        "kind": "event",
        "side": "product",
        "dropped": [],
        "name": "ticket_created",
        "operational": None,
    }
    assert event["before"]["properties"] == EVENT["properties"]
    assert sent["event"]["distinct_id"] == USER
    assert sent["event"]["uuid"] == EVENT["uuid"]
    assert sent["event"]["properties"]["note"] == "call [phone] or write to [email]"
    assert (sent["destination"], sent["identity"], sent["sent"], sent["dropped"]) == (
        "default",
        "identified",
        True,
        None,
    )
    assert {"key": "customer_email", "rule": "sensitive_key", "action": "removed"} in sent["changes"]
    assert {"key": "[key].card", "rule": "card", "action": "replaced"} in sent["changes"]
    assert (summary["type"], summary["items"], summary["events"], summary["sent"]) == ("summary", 1, 1, {"default": 1})
    assert {"rule": "phone", "action": "replaced", "count": 1} in summary["actions"]


def test_the_fields_of_json_are_those_that_the_documentation_has(
    telemetry_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A field that is added, renamed or gone is one that somebody's script must know of."""
    item, *_, summary = objects(capsys, telemetry_file)
    event = item["events"][0]
    sent = event["destinations"][0]
    assert set(item) == {
        *("type", "version", "line", "kind", "side", "reason", "dropped", "events"),
        "operational",
        *("name", "operational_before"),
    }
    assert set(event) == {"reason", "rule", "notes", "keys", "destinations", "before"}
    assert set(sent) == {
        *("destination", "identity", "policy", "sent", "dropped", "name", "properties", "changes"),
        "event",
    }
    assert set(sent["changes"][0]) == {"key", "rule", "action"}
    assert set(item["operational"]) == {"withheld", "kept", "redacted", "removed", "values"}
    assert set(summary) == {
        *("type", "version", "items", "operational", "events", "invalid", "sent", "dropped", "actions"),
    }
    page = (Path(__file__).parents[2] / "docs" / "explain.md").read_text()
    fields = {*item, *event, *sent, *sent["changes"][0], *item["operational"], *summary}
    assert {name for name in fields if name not in page} == set()


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("identity", ["unlinked", "anonymous", "identified"])
def test_without_values_there_is_none(
    event_file: Path, telemetry_file: Path, form: tuple[str, ...], identity: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither values nor keys that might be personal; what was done to which key is still told."""
    out = explained(capsys, event_file, "--no-values", "--identity", identity, *form)
    event_file.write_text(json.dumps({**EVENT, "event": f"mail to {MAIL}"}))
    out += explained(capsys, event_file, "--no-values", "--identity", identity, *form)
    out += explained(capsys, telemetry_file, "--no-values", "--all", "--identity", identity, *form)
    assert [value for value in (MAIL, PHONE, USER, "4111", "gold", failing.SOURCE) if value in out] == []
    assert "mail to [email]" in out
    assert "customer_email" in out
    assert "plan" in out


def test_telemetry_is_shown_with_both_sides(telemetry_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Product events with why they are, what is dropped with why, and what the operational side has of each."""
    paid, idle, seen, nameless, mailed, summary = objects(capsys, telemetry_file)
    reasons = [event["reason"] for event in paid["events"]]
    assert reasons == ["it has the attribute analytics.event", "an exception was recorded, and the policy has it sent"]
    names = [event["destinations"][0]["event"]["event"] for event in paid["events"]]
    assert names == ["paid", "$exception"]
    changes = paid["events"][0]["destinations"][0]["changes"]
    assert {"key": "db.query.text", "rule": "allow_list", "action": "removed"} in changes
    assert {"analytics.event", "analytics.user.id"} <= set(paid["operational"]["removed"])
    assert {"db.query.text", "event.exception.message"} <= set(paid["operational"]["redacted"])
    assert MAIL not in json.dumps(paid["operational"])
    assert (idle["side"], idle["events"], idle["reason"]) == ("operational", [], "it has no attribute analytics.event")
    assert "user.id" in idle["operational"]["removed"]
    assert seen["events"][0]["destinations"][0]["dropped"] == "consent"
    assert seen["operational"]["withheld"] == "it is nothing but a product event"
    assert nameless["dropped"] == ["name_invalid"]
    assert {"key": "body", "value": "mail to [email]"} in mailed["operational"]["values"]
    assert (summary["items"], summary["operational"], summary["events"]) == (5, 2, 3)
    assert summary["dropped"] == [{"destination": "default", "reason": "consent", "count": 1}]
    page = explained(capsys, telemetry_file)
    assert "✗ default  gets nothing: there is no consent" in page
    assert "✗ no event  its name is not 1-200 bytes long" in page
    assert "mail to" not in page
    assert "mail to [email]" in explained(capsys, telemetry_file, "--all")


def test_a_log_record_in_a_file_takes_nothing_of_its_span_as_the_page_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its span denies and has a user, in the same document: the record is explained without either."""
    ids = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}

    def attributes(**texts: str) -> list[dict[str, Any]]:
        return [{"key": key.replace("__", "."), "value": {"stringValue": text}} for key, text in texts.items()]

    span = {
        **ids,
        "name": "GET",
        "endTimeUnixNano": "1767323045000000000",
        "attributes": attributes(analytics__event="a", user__id="u1", analytics__consent="no"),
    }
    record = {**ids, "timeUnixNano": "1767323045000000000", "attributes": attributes(analytics__event="b")}
    document = {
        "resourceSpans": [{"scopeSpans": [{"spans": [span]}]}],
        "resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}],
    }
    path = tmp_path / "both.json"
    path.write_text(json.dumps(document))
    of_span, of_record, _ = objects(capsys, path, "--identity", "identified")
    assert of_span["events"][0]["destinations"][0]["dropped"] == "consent"
    shown = of_record["events"][0]["destinations"][0]
    assert shown["event"]["distinct_id"] == "(id of the installation)"
    assert shown["sent"] is True
    page = (Path(__file__).parents[2] / "docs" / "explain.md").read_text("utf-8")
    assert "a log record in a file has of its span the ids only" in page.replace("\n", " ")


def test_each_destination_is_explained_by_its_own_rules(
    event_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A policy of two, neither of which needs a key to be explained."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("destinations:\n  - {name: vendor}\n  - {name: operator, identity: identified}\n")
    item, _ = objects(capsys, event_file, "--policy", policy)
    sent = item["events"][0]["destinations"]
    assert [(each["destination"], each["identity"]) for each in sent] == [
        ("vendor", "installation"),
        ("operator", "identified"),
    ]
    assert [USER in json.dumps(each["event"]) for each in sent] == [False, True]


@pytest.mark.parametrize(
    ("mode", "line"),
    [
        ("enforce", "  ✗ default  gets nothing: the catalog does not declare it"),
        ("warn", "    plan                      gold   not declared in the catalog"),
    ],
)
def test_what_a_catalog_says_of_an_event_stands_on_the_page(
    mode: str, line: str, event_file: Path, tmp_path: Path
) -> None:
    """And nowhere else: the log lines of an app would say it twice."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"catalog: {{mode: {mode}}}\n")
    done = run(str(event_file), "--policy", str(policy))
    assert done.stderr == ""
    assert line in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("content", "arguments", "status", "message"),
    [
        (b"hello", (), 1, "line 1: this is not JSON; it should begin with { or ["),
        (b"", (), 1, "there are no spans, log records, metrics or events in it"),
        (b'{"resourceMetrics": []}', (), 1, "there are no spans, log records, metrics or events in it"),
        (b"\x1f\x8b\x08\x00", (), 1, "it is compressed; write: gunzip -c"),
        (b'{"a": "\xff\xfe"}', (), 1, "format: json"),
        (b"[1]", (), 1, "line 1: an event should be an object"),
        (b"{}", ("--policy", "/nowhere.yaml"), 2, "/nowhere.yaml: the policy cannot be read"),
        (b"{}", ("--identity", "pseudonymous"), 2, "needs a key"),
    ],
)
def test_mistakes_end_with_one_line_that_says_what_to_do(  # noqa: PLR0917 - four of them are the case
    content: bytes,
    arguments: tuple[str, ...],
    status: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The file, what is wrong with it, and a status by which a script can tell them apart."""
    path = tmp_path / "file"
    path.write_bytes(content)
    assert cli.main(["explain", str(path), *arguments]) == status
    err = capsys.readouterr().err
    assert message in err
    assert err.startswith("otel-posthog explain: ")
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """By name and with the system's reason."""
    assert cli.main(["explain", "/nowhere.json"]) == 1
    assert (
        capsys.readouterr().err
        == "otel-posthog explain: /nowhere.json: it cannot be read (No such file or directory)\n"
    )


def test_what_a_terminal_would_obey_is_shown_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file from somebody else must not move the cursor or turn the direction of the text."""
    path = tmp_path / "e.json"
    path.write_text(json.dumps({"event": "a\x1b[2Jb", "properties": {"k\u202e": "v\x07\x9b\ud800"}}))
    out = explained(capsys, path)
    assert "a\\x1b[2Jb" in out
    assert not [character for character in "\x1b\x07\x9b\u202e\ud800" if character in out]


def run(*arguments: str, given: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("otel-posthog")), "explain", *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environ},
    )


def test_it_reads_standard_input_and_ends_well_when_nobody_reads_on(event_file: Path) -> None:
    """As a part of a pipe; nothing of PostHog's own is written to the state directory."""
    done = run("-", given='{"plan": "pro", "note": "mail jo@example.org"}')
    assert (done.returncode, done.stderr) == (0, "")
    assert "→ mail [email]   e-mail address" in done.stdout
    assert not Path(os.environ["OTEL_POSTHOG_STATE_DIR"]).exists()
    many = (json.dumps(EVENT) + "\n") * 2000
    command = f"{Path(sys.executable).with_name('otel-posthog')} explain - | head -1"
    piped = subprocess.run(command, shell=True, input=many, capture_output=True, text=True, check=False, timeout=120)
    assert piped.stderr == ""
    assert piped.stdout.startswith("● ticket_created")


def test_colors_are_had_on_demand_and_never_where_they_are_not_wanted(
    event_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--color always` colors a pipe too; without rich the page is the same, in plain text."""
    colored = explained(capsys, event_file, "--color", "always")
    assert "\x1b[" in colored
    assert "\x1b" not in explained(capsys, event_file)
    assert "\x1b" not in explained(capsys, event_file, "--color", "never")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert explained(capsys, event_file, "--color", "always").startswith(PAGE)


def test_help_teaches_by_example(capsys: pytest.CaptureFixture[str]) -> None:
    """What a file may hold, what to type, and what the exit status says."""
    with pytest.raises(SystemExit):
        cli.main(["explain", "--help"])
    out = capsys.readouterr().out
    for part in ("OTLP JSON", "examples:", "exit status:", "--no-values", "NO_COLOR"):
        assert part in out


def test_a_body_of_which_nothing_may_stay_is_shown_as_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the operational side no number becomes a text: it goes."""
    path = tmp_path / "logs.json"
    record = {"timeUnixNano": "1790000000000000000", "body": {"intValue": "4111111111111111"}}
    path.write_text(json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}))
    item, _ = objects(capsys, path)
    assert item["operational"]["removed"] == ["body"]
