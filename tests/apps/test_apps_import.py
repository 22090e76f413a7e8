"""`otel-posthog spool import`: a file that anybody may have written."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from clean import clean
from spooled import drained, spool
from telemetry import Telemetry

from otel_posthog.apps.cli import main
from otel_posthog.emit import alias, capture, group_identify, identify
from otel_posthog.identity import Pseudonyms
from otel_posthog.model import CleanEvent
from otel_posthog.policy import IdentityMode, PrivacyPolicy
from otel_posthog.privacy import Filter, refilter

UUID = "0190a1b2-0000-4000-8000-000000000001"
NO_IP = "0.0.0.0"
EVENT: dict[str, Any] = {
    "event": "ticket_created",
    "uuid": UUID,
    "distinct_id": "u-1",
    "timestamp": "2026-01-02T03:04:05.000000+00:00",
    "options": {"disable_skew_correction": True, "process_person_profile": True},
    "properties": {"priority": "high", "$ip": NO_IP, "$geoip_disable": True},
}

GROUP = {"$group_type": "company", "$group_key": "acme-1"}


def written(path: Path, bodies: Iterable[bytes], *, uuid: str = UUID, destination: object = "default") -> Path:
    """Write a file as `export` does, checksum and all, with `bodies` for its events."""
    head = json.dumps({"format": "otel-posthog spool export", "version": 1}).encode() + b"\n"
    about = json.dumps({"destination": destination, "uuid": uuid}, separators=(",", ":")).encode()[:-1]
    lines = [head, *(about + b',"event":' + body + b"}\n" for body in bodies)]
    content = b"".join(lines)
    foot = {"events": len(lines) - 1, "sha256": hashlib.sha256(content).hexdigest()}
    content += json.dumps(foot, separators=(",", ":")).encode() + b"\n"
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def imported(root: Path, file: Path) -> list[dict[str, Any]]:
    """Import `file` into `root` and return the events that are there then."""
    assert main(["spool", "import", str(file), "--directory", str(root)]) == 0
    return [json.loads(each.body) for each in drained(spool(root))]


@pytest.mark.parametrize(
    "changed",
    [
        {"event": None}, {"event": ""}, {"event": "x" * 201}, {"event": 7}, {"uuid": UUID.upper()}, {"uuid": "1"},
        {"distinct_id": ""}, {"distinct_id": 7}, {"distinct_id": "x" * 2000}, {"timestamp": "yesterday"},
        {"timestamp": 1}, {"timestamp": "2026-01-02T03:04:05"}, {"options": None}, {"options": {"other": True}},
        {"options": {"process_person_profile": "yes"}}, {"properties": []}, {"properties": None}, {"session_id": 7},
        {"window_id": 7}, {"window_id": ""},
        {"api_key": "phc_other"}, {"historical_migration": True}, {"$set": {}},
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused_whole(
    changed: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each part of an event, missing, of another kind or too long: exit 2, a reason, and nothing is in the spool."""
    good, bad = json.dumps(EVENT).encode(), json.dumps({**EVENT, **changed}).encode()
    file = written(tmp_path / "x.jsonl", [good, bad, good])
    assert main(["spool", "import", str(file), "--directory", str(tmp_path / "spool")]) == 2
    assert "what is no event" in capsys.readouterr().err
    assert list((tmp_path / "spool").glob("*/*/*")) == []


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"1", b"null", b'"x"', b"[" * 100_000, b'{"a":1},{"b":2}', b'{"a":NaN}', b"\xff", b""]
)
def test_bytes_that_are_no_event_are_refused(body: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No bytes get into a batch that would end it, or make two of it."""
    file = written(tmp_path / "x.jsonl", [body])
    assert main(["spool", "import", str(file), "--directory", str(tmp_path / "spool")]) == 2
    assert str(file) in capsys.readouterr().err


@pytest.mark.parametrize("about", [{"uuid": "0190a1b2-0000-4000-8000-000000000002"}, {"destination": 7}, {"uuid": 7}])
def test_what_stands_beside_an_event_belongs_to_it(
    about: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another uuid than the event's would have its repeats taken for two."""
    file = written(tmp_path / "x.jsonl", [json.dumps(EVENT).encode()], **about)
    assert main(["spool", "import", str(file), "--directory", str(tmp_path / "spool")]) == 2
    assert str(file) in capsys.readouterr().err


def test_key_rules_and_detectors_run_again(tmp_path: Path) -> None:
    """In name, properties, person and group; what only identity may set is not taken from elsewhere."""
    hidden = {"note": "ada@example.org", "password": "hunter2", "deep": {"api_key": "hunter2", "to": "ada@example.org"}}
    properties = {
        **hidden, "$set": hidden, "$set_once": hidden, "$group_set": hidden, "$ip": "8.8.8.8", "$device_id": "d-1",
        "$geoip_city_name": "Ulm", "$groups": {"company": "acme"}, "$trace_id": "0" * 15 + "4111111111111111" + "a",
        "alias": "ada@example.org", "$session_id": "s", "$window_id": "w", "session_id": "s-1",
    }  # fmt: skip
    bodies = [
        json.dumps({**EVENT, "event": "sent ada@example.org", "properties": properties, "window_id": "w-1"}).encode(),
        json.dumps({**EVENT, "event": "$groupidentify", "properties": {**properties, **GROUP}}).encode(),
    ]
    event, of_group = imported(tmp_path / "spool", written(tmp_path / "x.jsonl.gz", bodies))
    text = json.dumps([event, of_group])
    assert "ada@example.org" not in text
    assert "hunter2" not in text
    assert (event["event"], event["distinct_id"], event["timestamp"]) == ("sent [email]", "u-1", EVENT["timestamp"])
    assert event["window_id"] == "w-1"
    kept = event["properties"]
    assert kept["note"] == kept["$set"]["note"] == kept["alias"] == "[email]"
    assert of_group["properties"]["$group_set"]["note"] == "[email]"
    assert (kept["$groups"], kept["$trace_id"], kept["session_id"]) == (
        {"company": "acme"}, properties["$trace_id"], "s-1",
    )  # fmt: skip
    assert kept["$ip"] == NO_IP
    assert not {"$device_id", "$group_set", "$geoip_city_name", "$session_id", "$window_id", "password"} & set(kept)


def test_a_key_that_stands_twice_hides_nothing(tmp_path: Path) -> None:
    """What one reader sees of it another may not."""
    body = json.dumps(EVENT).replace('"priority"', '"priority": "ada@example.org", "priority"').encode()
    (event,) = imported(tmp_path / "spool", written(tmp_path / "x.jsonl", [body]))
    assert event == EVENT
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*.seg"))
    assert b"ada@example.org" not in stored


TRACE_ID, SPAN_ID, LIE = "1f" * 16, "2e" * 8, "https://evil.example/?u=alice"
LINK = f"https://traces.example/{TRACE_ID}/{SPAN_ID}?from=1767319445000"
NO_LINKS: list[Any] = [LIE, f"{LINK}&u=alice", 7, [LINK], {}]
NO_CHOICES: list[Any] = [LIE, 1, {}]
OF_TRACE: dict[str, Any] = {"$trace_id": TRACE_ID, "$span_id": SPAN_ID, "trace_sampled": True, "trace_url": LINK}


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({}, OF_TRACE),
        *[({"trace_url": each}, {**OF_TRACE, "trace_url": None}) for each in NO_LINKS],
        *[({"trace_sampled": each}, {**OF_TRACE, "trace_sampled": None, "trace_url": None}) for each in NO_CHOICES],
        ({"trace_sampled": False}, {**OF_TRACE, "trace_sampled": False, "trace_url": None}),
        *[({"$trace_id": each}, {"$span_id": SPAN_ID}) for each in (LIE, TRACE_ID.upper(), 7, None, TRACE_ID + "\n")],
        *[({"$span_id": each}, {**OF_TRACE, "$span_id": None, "trace_url": None}) for each in (LIE, SPAN_ID[1:], 7)],
    ],
)
def test_what_it_says_of_its_trace_has_that_form(
    changed: dict[str, Any], left: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids that are some, a sampler's yes or no beside them, the link that this machine's policy makes."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("trace_url: 'https://traces.example/{trace_id}/{span_id}?from={from_ms}'\n", "utf-8")
    monkeypatch.setenv("OTEL_POSTHOG_POLICY", str(policy))
    beside = {**GROUP, "$set": OF_TRACE, "$group_set": OF_TRACE}
    given = {**EVENT["properties"], **OF_TRACE, **changed, **beside, "$lib": LIE}
    body = json.dumps({**EVENT, "event": "$groupidentify", "properties": given}).encode()
    (event,) = imported(tmp_path / "spool", written(tmp_path / "x.jsonl", [body]))
    kept = {**EVENT["properties"], **{key: each for key, each in left.items() if each is not None}}
    assert event["properties"] == {**kept, **GROUP, "$set": {}, "$group_set": {}}


def group_events(*given: dict[str, Any], name: str) -> list[bytes]:
    """Return events of one name, each with what is given beside the usual properties."""
    return [
        json.dumps({**EVENT, "event": name, "properties": {**EVENT["properties"], **each}}).encode() for each in given
    ]


def said_of_groups(root: Path, file: Path) -> list[dict[str, Any]]:
    """Import `file` and return what its events say of groups."""
    return [{k: v for k, v in each["properties"].items() if k.startswith("$group")} for each in imported(root, file)]


def test_a_type_of_groups_is_a_name_like_any_other(tmp_path: Path) -> None:
    """Key rules and detectors look at it, and no name that is this package's to write passes; a group's key stays."""
    types = {"company": "company", "of ada@example.org": "of [email]", "trace_url": None, "$ip": None, "$lib": None}
    groups = {"company": "acme", **{name: f"key of {number}" for number, name in enumerate(types) if number}}
    changes: list[dict[str, Any]] = [
        {"$group_type": name, "$group_key": "acme-1", "$group_set": {"size": 3}} for name, kept in types.items() if kept
    ]
    bodies = group_events({"$groups": groups}, {"$groups": {"ip": [1]}}, name="signed_up")
    bodies += group_events(*changes, name="$groupidentify")
    assert said_of_groups(tmp_path / "spool", written(tmp_path / "x.jsonl", bodies)) == [
        {"$groups": {"company": "acme", "of [email]": "key of 1"}},
        {},
        changes[0],
        {**changes[1], "$group_type": "of [email]"},
    ]


@pytest.mark.parametrize("name", ["signed_up", "$identify", "$create_alias", "$set"])
def test_only_the_update_of_a_group_says_what_one_is(name: str, tmp_path: Path) -> None:
    """As the encoding writes it: no other event changes a group."""
    bodies = group_events({**GROUP, "$group_set": {"size": 3}}, {"$group_set": {"size": 3}}, name=name)
    assert said_of_groups(tmp_path / "spool", written(tmp_path / "x.jsonl", bodies)) == [{}, {}]


@pytest.mark.parametrize(
    "changed",
    [*[{"$group_type": each} for each in ("trace_url", "$ip", "$lib", "", 7, None)], {"$group_key": {"a": "b"}}],
)
def test_the_update_of_no_group_is_no_event(
    changed: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A type that may not leave: the file is refused whole, before anything of it is in the spool."""
    (bad,) = group_events({**GROUP, "$group_set": {}, **changed}, name="$groupidentify")
    good = json.dumps(EVENT).encode()
    file = written(tmp_path / "x.jsonl", [good, bad, good])
    assert main(["spool", "import", str(file), "--directory", str(tmp_path / "spool")]) == 2
    assert "what is no event" in capsys.readouterr().err
    assert list((tmp_path / "spool").glob("*/*/*")) == []


@pytest.mark.parametrize("name", ["signed_up", "$identify", "$create_alias", "$set", "$exception", "$groupidentify"])
@pytest.mark.parametrize(
    "given",
    [
        *({}, {"$ip": "8.8.8.8", "$geoip_disable": False}, {"$ip": NO_IP}, {"$geoip_disable": True}),
        *({"$ip": NO_IP, "$geoip_disable": 1}, {"$ip": None, "$geoip_disable": None}),
    ],
)
def test_no_event_leaves_with_an_address_or_without_a_word_on_it(
    given: dict[str, Any], name: str, tmp_path: Path
) -> None:
    """PostHog takes the sender's address, and looks it up, where an event does not say otherwise."""
    body = json.dumps({**EVENT, "event": name, "properties": {**GROUP, "$group_set": {}, **given}}).encode()
    (event,) = imported(tmp_path / "spool", written(tmp_path / "x.jsonl", [body]))
    assert event["properties"]["$ip"] == NO_IP
    assert event["properties"]["$geoip_disable"] is True


def test_a_link_that_no_policy_here_makes_does_not_stay(tmp_path: Path) -> None:
    """Also where it is what the exporting machine has written: who follows it trusts this one."""
    body = json.dumps({**EVENT, "properties": {**EVENT["properties"], **OF_TRACE}}).encode()
    (event,) = imported(tmp_path / "spool", written(tmp_path / "x.jsonl", [body]))
    assert event["properties"] == {**EVENT["properties"], **{key: OF_TRACE[key] for key in [*OF_TRACE][:3]}}


@pytest.mark.parametrize("mode", list(IdentityMode))
def test_what_was_sealed_here_is_imported_to_the_byte(mode: IdentityMode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who an event is about stays as exported, in every mode, for every kind of event."""
    link = "https://traces.example/{trace_id}?uiFind={span_id}&from={from_ms}&to={to_ms}"
    with Telemetry(mode, pseudonyms=Pseudonyms(), trace_url=link) as app:
        app.use_for_capture(monkeypatch)
        with app.tracer.start_as_current_span("op"):
            capture(
                "bought", {"n": 7, "note": "to ada@example.org", "amounts": [1.5, None]}, distinct_id="ada@example.org"
            )
        identify("u-1", {"plan": "pro", "email": "ada@example.org"})
        alias("visitor-1", "u-1")
        group_identify("company", "acme", {"size": 3})
        app.span(analytics__event="signed_up", session__id="s-1", user__id="u-1")
        app.span(analytics__event="stepped", analytics__journey__id="j-1", user__id="u-1")
        events = app.events
    assert any("trace_url" in each["properties"] for each in events) is (mode is not IdentityMode.UNLINKED)
    assert len(events) >= 2
    own = Filter(PrivacyPolicy())
    for each in events:
        body = json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode()
        event = CleanEvent(each["uuid"], body)
        assert refilter(event, own, link) is event


def bomb(path: Path, line: bytes, megabytes: int) -> Path:
    """Write a compressed file that is far larger than it looks."""
    with gzip.open(path, "wb") as file:
        file.write(json.dumps({"format": "otel-posthog spool export", "version": 1}).encode() + b"\n")
        block = line * (1024 * 1024 // len(line))
        for _ in range(megabytes):
            file.write(block)
    return path


@pytest.mark.parametrize("line", [b" " * 1024 * 1024, b'{"uuid":"%s","event":{}}\n' % UUID.encode(), b"\n"])
def test_a_file_that_inflates_is_left_at_the_door(
    line: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line without an end, or lines without end: not read to where they end."""
    file = bomb(tmp_path / "x.jsonl.gz", line, 96)
    read = [0]
    inflate = gzip.GzipFile.readline

    def readline(self: gzip.GzipFile, size: int | None = -1) -> bytes:
        found = inflate(self, size)
        read[0] += len(found)
        return found

    monkeypatch.setattr(gzip.GzipFile, "readline", readline)
    assert main(["spool", "import", str(file), "--directory", str(tmp_path / "spool")]) == 2
    assert str(file) in capsys.readouterr().err
    assert read[0] < 32 * 1024 * 1024


def test_events_that_are_much_alike_are_no_bomb(tmp_path: Path) -> None:
    """What an honest export shrinks to is far from the limit."""
    file = tmp_path / "x.jsonl.gz"
    root = tmp_path / "there"
    store = spool(tmp_path / "here")
    for number in range(3000):
        store.put(clean(number, "ticket_created", note="the same again and again " * 8))
    store.close()
    assert main(["spool", "export", str(file), "--directory", str(tmp_path / "here")]) == 0
    assert len(imported(root, file)) == 3000
