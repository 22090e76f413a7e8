"""`otel-posthog derive`: what the telemetry of a real app could become, and that its policy keeps the promise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from otel_posthog.apps import cli
from otel_posthog.model import PROCESSED

APP = """
import sqlite3, time
from flask import Flask
app = Flask("desk")
paths = {"/": "GET", "/tickets/<int:number>": "GET", "/tickets/<int:number>/close": "POST", "/tickets/search": "GET"}
for path, method in {**paths, "/api/tickets": "GET"}.items():
    app.add_url_rule(path, path, lambda **_: "done", methods=[method])
app.add_url_rule("/broken", "broken", lambda: 1 / 0)
client = app.test_client()
for number in range(6):
    client.get("/"), client.get(f"/tickets/{4000 + number}"), client.get("/api/tickets")
    client.post(f"/tickets/{4000 + number}/close"), client.get("/tickets/search?q=ada-lovelace")
client.get("/broken"), client.get("/nowhere")
connection = sqlite3.connect(":memory:")
connection.create_function("nap", 0, lambda: time.sleep(0.51))
connection.cursor().execute("select nap(), 'jo.doe@example.org'")
print("the app's own line")
"""
PLANTED = ("ada-lovelace", "jo.doe", "4001", "division by zero", "werkzeug")
BIN = Path(sys.executable).parent
TIME_NS = 1_790_000_000_000_000_000


@pytest.fixture(scope="module")
def telemetry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what an app without one line of analytics prints, under `opentelemetry-instrument` alone."""
    directory = tmp_path_factory.mktemp("derive")
    (directory / "desk.py").write_text(APP)
    chosen = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "posthog", "OTEL_TRACES_EXPORTER": "console"}
    environ = {**os.environ, **chosen, "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
    words: list[str | Path] = [BIN / "opentelemetry-instrument", sys.executable, "desk.py"]
    done = subprocess.run(words, capture_output=True, check=True, cwd=directory, env=environ, timeout=120)
    path = directory / "seen.txt"
    path.write_bytes(done.stdout)
    return path


def derive(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a process."""
    return subprocess.run([BIN / "otel-posthog", *words], capture_output=True, text=True, check=False, timeout=120)


EXPECTED = {
    "page_viewed": 25,
    "api_request": 6,
    "api_error_occurred": 1,
    "slow_query": 1,
    "search_performed": 6,
    "tickets_close_submitted": 6,
}


def test_it_says_what_an_app_could_become(telemetry: Path) -> None:
    """Each rule with its word and count, properties with kinds, a rule of the app's own; and no value of the file."""
    done = derive("derive", telemetry)
    assert (done.returncode, done.stderr) == (0, "")
    counts = {
        words[0]: int(words[1])
        for line in done.stdout.splitlines()
        if len(words := line.split()) == 3 and words[1].isdigit()
    }
    assert counts == {name: count for name, count in EXPECTED.items() if name != "tickets_close_submitted"}
    assert "OTEL_POSTHOG_DERIVE=web,db,search" in done.stdout
    assert "duration_ms (number)" in done.stdout
    assert "http.route: {equals: '/tickets/<int:number>/close'}" in done.stdout
    assert not [each for each in PLANTED if each in done.stdout]
    assert max(map(len, done.stdout.splitlines()[1:])) <= 80


def test_its_policy_makes_what_it_promised(telemetry: Path, tmp_path: Path) -> None:
    """By `explain`, of the same file: the events, each as often as it said, and recorded exceptions."""
    said = json.loads(derive("derive", "--json", telemetry).stdout)
    promised = Counter({each["event"]: each["count"] for each in said["rules"]})
    promised.update({each["rule"]["event"]: each["count"] for each in said["suggested"]})
    assert promised == EXPECTED
    path = tmp_path / "policy.yaml"
    path.write_text(derive("derive", "--policy", telemetry).stdout)
    explained = [
        json.loads(line) for line in derive("explain", "--json", "--policy", path, telemetry).stdout.splitlines()
    ]
    made = Counter(event["before"]["event"] for item in explained[:-1] for event in item["events"])
    assert made == promised + Counter({"$exception": said["exceptions"]})
    assert said["exceptions"] == 1


def spans(*attributes: dict[str, Any], resource: str = "", seconds: float = 60) -> str:
    """Return requests of a server as OTLP JSON, from the first to the last so many seconds."""
    made = []
    for number, each in enumerate(attributes):
        at = TIME_NS + int(number * seconds * 1e9 / max(1, len(attributes) - 1))
        pairs = [{"key": key, "value": {"stringValue": value}} for key, value in each.items()]
        ids = {"traceId": f"{number + 1:032x}", "spanId": f"{number + 1:016x}"}
        made.append({**ids, "kind": 2, "attributes": pairs, "startTimeUnixNano": str(at), "endTimeUnixNano": str(at)})
    marks = [{"key": resource, "value": {"boolValue": True}}] if resource else []
    return json.dumps({"resourceSpans": [{"resource": {"attributes": marks}, "scopeSpans": [{"spans": made}]}]})


PAGE = {"http.route": "/a", "http.request.method": "GET"}


@pytest.mark.parametrize(("seconds", "shown"), [(60.0, "4,320"), (2.0, "-"), (86_400.0, "3")])
def test_a_day_is_reckoned_from_the_time_of_the_file(
    seconds: float, shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it is long enough to say."""
    path = tmp_path / "f.json"
    path.write_text(spans(PAGE, PAGE, PAGE, seconds=seconds))
    assert cli.main(["derive", str(path)]) == 0
    assert capsys.readouterr().out.split("page_viewed")[1].split()[:2] == ["3", shown]


def test_what_no_rule_fits_is_counted_by_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By kind and family, never by a name."""
    path = tmp_path / "f.json"
    path.write_text(spans({"http.route": "/health", "http.request.method": "GET"}, {"custom": "x-1"}))
    assert cli.main(["derive", str(path)]) == 0
    told = capsys.readouterr().out
    assert "No rule that comes with the package makes an event of it." in told
    assert "1  server spans with a route" in told
    assert "x-1" not in told


def test_what_comes_from_an_app_with_the_package_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It becomes nothing, and how to see what it could be."""
    path = tmp_path / "f.json"
    path.write_text(spans(PAGE, PAGE, resource=PROCESSED))
    assert cli.main(["derive", str(path)]) == 0
    told = capsys.readouterr().out
    assert "2 of them come from an app with this package" in told
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=posthog" in told
    assert cli.main(["derive", "--policy", str(path)]) == 0
    assert capsys.readouterr().out.endswith("derive: []\n")


def test_a_route_that_is_a_value_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An address, a number or a terminal's sequence where a template should be makes no rule."""
    routes = ("/users/ada@example.org", "/orders/4711", "/a\x1b[31m", "/pay/with space")
    path = tmp_path / "f.json"
    request = {"http.request.method": "POST"}
    document = json.loads(spans(*({"http.route": route, **request} for route in routes)))
    for span in document["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        span["attributes"].append({"key": "http.response.status_code", "value": {"intValue": "201"}})
    path.write_text(json.dumps(document))
    for form in ([], ["--policy"], ["--json"]):
        assert cli.main(["derive", *form, str(path)]) == 0
        told = capsys.readouterr().out
        assert not [each for each in ("ada@", "4711", "\x1b", "with space") if each in told]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there are no spans and log records in it"),
        (b"nothing here\n", "line 1: this is not JSON"),
        (b'{"event": "paid"}', "there are no spans and log records in it"),
        (b"\x1f\x8b123", "gunzip -c"),
    ],
)
def test_a_file_that_says_nothing_is_one_line(
    content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what is wrong, and exit status 1."""
    path = tmp_path / "f"
    path.write_bytes(content)
    assert cli.main(["derive", str(path)]) == 1
    told = capsys.readouterr()
    assert not told.out
    assert told.err.startswith(f"otel-posthog derive: {path}: ")
    assert said in told.err
    assert told.err.count("\n") == 1
    assert "explain" not in told.err
