"""The dashboards and alert rules of `collector-config/grafana/`, as files: what they ask, ready for Prometheus."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from backends import get

GRAFANA = Path(__file__).resolve().parents[2] / "collector-config" / "grafana"
DASHBOARDS = ("health", "gateway", "product")
_VARIABLES = {
    "$__rate_interval": "5m",
    "$__range": "5m",
    "$service": ".+",
    "$instance": ".*",
    "$deployment": ".*",
    "$route": ".*",
    "$event": ".*",
}


class Asked(NamedTuple):
    """A query of a panel, or of a variable.

    Attributes:
        panel: Its title.
        source: The kind of data source.
        text: As the file has it.
    """

    panel: str
    source: str
    text: str


def document(name: str) -> Any:
    """Return a file under `collector-config/grafana/`."""
    text = (GRAFANA / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def panels(name: str) -> Iterator[dict[str, Any]]:
    """Yield the panels of a dashboard, those of folded rows too, without the rows."""
    for each in document(f"dashboards/{name}.json")["panels"]:
        if each["type"] == "row":
            yield from each["panels"]
        else:
            yield each


def asked(name: str, source: str = "prometheus") -> list[Asked]:
    """Return what a dashboard asks data sources of a kind."""
    return [
        Asked(panel["title"], source, target.get("expr") or target["query"])
        for panel in panels(name)
        for target in panel["targets"]
        if target["datasource"]["type"] == source
    ]


def variables(name: str) -> Iterator[tuple[str, str, str]]:
    """Yield (variable, selector, label) of what a dashboard offers to choose from."""
    for each in document(f"dashboards/{name}.json")["templating"]["list"]:
        if each["type"] == "query":
            found = re.fullmatch(r"label_values\((.*), (\w+)\)", each["definition"])
            assert found, each
            yield each["name"], filled(found[1]), found[2]


def rules() -> list[dict[str, Any]]:
    """Return the alert rules as Prometheus reads them."""
    return [rule for group in document("prometheus-rules.yaml")["groups"] for rule in group["rules"]]


def filled(query: str) -> str:
    """Return a query with everything chosen."""
    for name, value in _VARIABLES.items():
        query = query.replace(name, value)
    assert "$" not in query, query
    return query


def answers(url: str, query: str) -> list[Any]:
    """Return what Prometheus answers now.

    Raises:
        urllib.error.HTTPError: It is no query.
    """
    return list(get(f"{url}/api/v1/query", query=query)["data"]["result"])


def labels(url: str, selector: str, label: str) -> list[str]:
    """Return the values of a label among the series of a selector."""
    return list(get(f"{url}/api/v1/label/{label}/values", **{"match[]": selector})["data"])
