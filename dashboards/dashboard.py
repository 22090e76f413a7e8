"""A whole dashboard: its rows, the variables that choose what is shown, and the links to the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboards.panels import Json, Row, laid_out

TAG = "otel-posthog"
# Which deployment, service and instance: each offers what there is of those chosen before it.
_OF = {
    "deployment": 'label_values(target_info{{job=~".+"}}, deployment_environment_name)',
    "service": "label_values({metric}{{}}, job)",
    "instance": 'label_values(target_info{{job=~"$service", deployment_environment_name=~"$deployment"}}, instance)',
}


def _source(name: str, kind: str) -> Json:
    return {
        "name": name, "label": kind.capitalize(), "type": "datasource", "query": kind, "hide": 0, "refresh": 1,
        "current": {"text": "", "value": ""}, "options": [], "multi": False, "includeAll": False, "regex": "",
        "description": f"The data source of the kind {kind} that is asked.",
    }  # fmt: skip


def _chosen(name: str, metric: str) -> Json:
    query = _OF[name].format(metric=metric)
    made: Json = {
        "name": name, "label": name.capitalize(), "type": "query", "hide": 0, "refresh": 2, "sort": 1, "regex": "",
        "datasource": {"type": "prometheus", "uid": "${prometheus}"}, "definition": query,
        "query": {"qryType": 1, "query": query, "refId": name}, "multi": True, "includeAll": True, "options": [],
        "current": {"text": ["All"], "value": ["$__all"]},
        "description": f"Only what this {name} has told; all of them at first.",
    }  # fmt: skip
    # Not every service says where it runs.
    return {**made, "allValue": ".*"} if name == "deployment" else made


def dashboard(  # noqa: PLR0913 - the rest by name
    uid: str,
    title: str,
    about: str,
    rows: Sequence[Row],
    *,
    metric: str,
    sources: Sequence[str] = (),
    links: Sequence[Json] = (),
    variables: Sequence[Json] = (),
) -> Json:
    """Return a dashboard.

    Args:
        uid: By which it is found again.
        title: Its name.
        about: What it is for.
        rows: Its panels.
        metric: Whose services it offers.
        sources: Kinds of data sources it asks beside Prometheus.
        links: Beside those to the other dashboards.
        variables: Beside deployment, service and instance.
    """
    others: dict[str, Any] = {
        "type": "dashboards", "tags": [TAG], "title": "otel-posthog", "asDropdown": True, "includeVars": True,
        "keepTime": True, "targetBlank": False, "icon": "external link", "tooltip": "The other dashboards", "url": "",
    }  # fmt: skip
    chosen = [_chosen(name, metric) for name in _OF]
    kinds = ["prometheus", *sources]
    return {
        "uid": uid,
        "title": title,
        "description": about,
        "tags": [TAG],
        "schemaVersion": 41,
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "timezone": "browser",
        "links": [others, *links],
        "templating": {"list": [*(_source(each, each) for each in kinds), *chosen, *variables]},
        "annotations": {"list": []},
        "panels": laid_out(rows),
    }
