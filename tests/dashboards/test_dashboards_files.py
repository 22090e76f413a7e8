"""The files in `collector-config/grafana/`: made by their generator, whole, legible, and of queries that are some."""

from __future__ import annotations

import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from backends import cached, program
from shown import DASHBOARDS, GRAFANA, asked, document, panels, rules

from dashboards.__main__ import files
from dashboards.panels import COLUMNS


def test_the_files_are_what_the_generator_makes() -> None:
    """`make dashboards` has been run since it changed, and nothing else lies there."""
    there = {str(path.relative_to(GRAFANA)): path for path in GRAFANA.rglob("*") if path.is_file()}
    made = files()
    assert set(there) == {*made, "prometheus.yaml"}
    for name, text in made.items():
        assert there[name].read_text(encoding="utf-8") == text, f"run `make dashboards`: {name}"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_can_be_read(name: str) -> None:
    """Each panel has a heading, words that say what to do, a unit; none lies on another or beyond the edge."""
    shown = document(f"dashboards/{name}.json")
    everything = [*shown["panels"], *(inner for each in shown["panels"] for inner in each.get("panels", []))]
    numbers = [each["id"] for each in everything]
    assert len(numbers) == len(set(numbers))
    titles = [each["title"] for each in panels(name)]
    assert len(titles) == len(set(titles))
    for each in panels(name):
        assert len(each["description"]) > 15, each["title"]
        assert each["fieldConfig"]["defaults"]["unit"]
        assert each["targets"]
    places = [each["gridPos"] for each in everything]
    assert all(place["x"] + place["w"] <= COLUMNS for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or apart, (one, other)


def mistakes(*paths: Path) -> str:
    """Return what Grafana's own library finds wrong with dashboards."""
    cached("dashboard-schema")
    words = [program("dashboard-schema"), *map(str, paths)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60).stdout


def test_dashboards_are_of_grafanas_schema(tmp_path: Path) -> None:
    """Read as strictly as Grafana's own library can, every panel with the options of its kind."""
    assert mistakes(*(GRAFANA / "dashboards" / f"{name}.json" for name in DASHBOARDS)) == ""
    wrong = document("dashboards/health.json")
    wrong["panels"][1]["options"]["graphMod"] = "none"
    (tmp_path / "wrong.json").write_text(json.dumps(wrong), encoding="utf-8")
    assert "graphMod" in mistakes(tmp_path / "wrong.json")


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_asks_the_data_sources_that_are_chosen(name: str) -> None:
    """No uid of somebody's own Grafana; every variable that is used is there, and every one that is there is used."""
    shown = document(f"dashboards/{name}.json")
    text = json.dumps(shown["panels"])
    variables = {each["name"] for each in shown["templating"]["list"]}
    used = set(re.findall(r"\$\{?(?!__)(\w+)", text + json.dumps(shown["templating"])))
    assert used == variables
    uids = {target["datasource"]["uid"] for each in panels(name) for target in each["targets"]}
    assert uids <= {"${prometheus}", "${tempo}", "${loki}"}


def test_labels_and_queries_name_no_one() -> None:
    """Nothing asks for a user, a session, an address or a value of an event."""
    every = [
        each.text for name in DASHBOARDS for source in ("prometheus", "tempo", "loki") for each in asked(name, source)
    ]
    labels = {label for text in every for found in re.findall(r"by \(([^)]*)\)", text) for label in found.split(", ")}
    assert labels <= {
        *(
            "le",
            "job",
            "instance",
            "outcome",
            "reason",
            "rule",
            "action",
            "destination",
            "queue",
            "policy",
            "event_name",
        ),
        *("http_route", "http_response_status_code", "rpc_response_status_code", "topic", "partition", "exporter"),
        *("data_type", "__name__"),
    }


TRACEQL = re.compile(r'\{ ?(?:(?:resource|span)\.[\w.]+|status|name|duration)(?:=~|=|!=)(?:"[^"]*"|\w+)(?: && .+)?\}')
LOGQL = re.compile(r'\{\w+=~?"[^"]+"(?:, ?\w+=~?"[^"]+")*\}(?: \|[=~] "[^"]*"| \| \w+(?:=~|=|!=)"[^"]*")*')


def test_traceql_and_logql_have_their_shape() -> None:
    """Tempo and Loki are not run here: selectors in braces, then filters, is what can be held without them."""
    traces = [each.text for name in DASHBOARDS for each in asked(name, "tempo")]
    logs = [each.text for name in DASHBOARDS for each in asked(name, "loki")]
    assert traces
    assert logs
    assert all(TRACEQL.fullmatch(each) for each in traces), traces
    assert all(LOGQL.fullmatch(each) for each in logs), logs
    assert not TRACEQL.fullmatch('{resource.service.name=~"a" && status=error')
    assert not LOGQL.fullmatch('{service_name=~"a"} | detected_level=~')


def test_both_kinds_of_alert_rules_are_the_same() -> None:
    """Grafana's own alerting and Prometheus' ask the same, wait as long, and say the same."""
    (group,) = document("provisioning/alerting/otel-posthog.yaml")["groups"]
    by_name = {each["title"]: each for each in group["rules"]}
    assert len({each["uid"] for each in group["rules"]}) == len(by_name)
    assert list(by_name) == [each["alert"] for each in rules()]
    dashboards = {document(f"dashboards/{name}.json")["uid"] for name in DASHBOARDS}
    for each in rules():
        other: dict[str, Any] = by_name[each["alert"]]
        asks, over = other["data"]
        limit = over["model"]["conditions"][0]["evaluator"]["params"][0]
        assert each["expr"] == f"{asks['model']['expr']} > {limit:g}".replace("4.1943e+08", "419430400")
        assert other["for"] == each.get("for", "0m")
        assert other["labels"] == each["labels"]
        assert other["annotations"]["description"] == each["annotations"]["description"]
        assert other["annotations"]["__dashboardUid__"] in dashboards


def test_what_provisioning_names_is_there() -> None:
    """Alert rules, links and derived fields lead to data sources that are provisioned."""
    sources = document("provisioning/datasources/otel-posthog.yaml")["datasources"]
    uids = {each["uid"] for each in sources}
    text = json.dumps([sources, document("provisioning/alerting/otel-posthog.yaml")])
    assert set(re.findall(r'"datasourceUid": "([^"]+)"', text)) <= {*uids, "__expr__"}
    (jaeger,) = document("jaeger-page.json")["linkPatterns"]
    assert jaeger["type"] == "traces"
    assert "#{traceID}" in jaeger["url"]
