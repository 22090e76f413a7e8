"""What dashboards are made of: queries, panels and rows, as Grafana's dashboard JSON (schema version 41) has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]

GREEN, YELLOW, RED, BLUE = "green", "#EAB839", "red", "blue"
COLUMNS = 24
PROMETHEUS: Json = {"type": "prometheus", "uid": "${prometheus}"}
TEMPO: Json = {"type": "tempo", "uid": "${tempo}"}
LOKI: Json = {"type": "loki", "uid": "${loki}"}


class Query(NamedTuple):
    """A query, and how its series are called.

    Attributes:
        text: In the data source's language.
        legend: `{{label}}` stands for a label's value.
    """

    text: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: What it shows.
        about: What that means, and what to do when it is bad.
        queries: Of Prometheus, or of `source`.
        kind: Of visualisation.
        unit: Of Grafana's units.
        width: Of 24 columns.
        height: In Grafana's rows, of some 30 pixels.
        steps: (from, color) of thresholds, the first from None on.
        decimals: Shown; Grafana's choice where None.
        options: Of the visualisation, where they are not the usual ones.
        custom: Of how series are drawn.
        overrides: By name of a series.
        transformations: What is done with the answers before they are drawn.
        source: Where the queries go.
        max_value: Of the axis.
    """

    title: str
    about: str
    queries: Sequence[Query]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    steps: Sequence[tuple[float | None, str]] = ((None, GREEN),)
    decimals: int | None = None
    options: Json = field(default_factory=dict)
    custom: Json = field(default_factory=dict)
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()
    source: Json = field(default_factory=lambda: PROMETHEUS)
    max_value: float | None = None


@dataclass(frozen=True)
class Row:
    """Panels beside and under one another, under a heading.

    Attributes:
        title: The heading.
        panels: In the order in which one reads.
        is_collapsed: Whether it is opened by whoever wants it.
    """

    title: str
    panels: Sequence[Panel]
    is_collapsed: bool = False


def by_name(name: str, **properties: Any) -> Json:
    """Return how the series of a name is drawn."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


def color(name: str, shade: str) -> Json:
    """Return the color of the series of a name."""
    return by_name(name, color={"mode": "fixed", "fixedColor": shade})


_OPTIONS: dict[str, Json] = {
    "stat": {
        "colorMode": "background_solid",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "percentChangeColorMode": "standard",
        "showPercentChange": False,
        "textMode": "auto",
        "wideLayout": True,
    },
    "timeseries": {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "table": {
        "cellHeight": "sm",
        "footer": {"show": False, "reducer": ["sum"]},
        "frameIndex": 0,
        "showHeader": True,
    },
    "bargauge": {
        "displayMode": "gradient",
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showUnfilled": True,
        "valueMode": "color",
    },
    "heatmap": {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "mode": "scheme",
            "scheme": "Oranges",
            "steps": 64,
            "exponent": 0.5,
            "fill": "dark-orange",
            "reverse": False,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "showValue": "never",
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": "s"},
    },
    "logs": {
        "dedupStrategy": "none",
        "enableLogDetails": True,
        "prettifyLogMessage": False,
        "showCommonLabels": False,
        "showLabels": False,
        "showLogContextToggle": True,
        "showTime": True,
        "sortOrder": "Descending",
        "wrapLogMessage": True,
    },
    "text": {"mode": "markdown"},
}
_CUSTOM: dict[str, Json] = {
    "timeseries": {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 2,
        "fillOpacity": 12,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "none"},
        "thresholdsStyle": {"mode": "off"},
    },
    "table": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
}


def _target(query: Query, panel: Panel, at: int) -> Json:
    source = panel.source
    made: Json = {"refId": chr(ord("A") + at), "datasource": source}
    if source["type"] == "tempo":
        return {**made, "queryType": "traceql", "query": query.text, "limit": 20, "tableType": "traces", "filters": []}
    made |= {"expr": query.text, "legendFormat": query.legend or "__auto"}
    if source["type"] == "loki":
        return {**made, "queryType": "range", "maxLines": 200}
    is_instant = panel.kind in {"table", "bargauge"}
    made |= {"editorMode": "code", "range": not is_instant, "instant": is_instant}
    return {
        **made,
        "format": "table" if panel.kind == "table" else "heatmap" if panel.kind == "heatmap" else "time_series",
    }


def _panel(panel: Panel, number: int, x: int, y: int) -> Json:
    defaults: Json = {
        "color": {"mode": "thresholds" if panel.kind in {"stat", "bargauge"} else "palette-classic"},
        "mappings": [],
        "thresholds": {
            "mode": "absolute",
            "steps": [{"color": shade, "value": value} for value, shade in panel.steps],
        },
        "unit": panel.unit,
    }
    if panel.decimals is not None:
        defaults["decimals"] = panel.decimals
    if panel.kind in {"timeseries", "bargauge"}:
        defaults["min"] = 0
    if panel.max_value is not None:
        defaults["max"] = panel.max_value
    custom = {**_CUSTOM.get(panel.kind, {}), **panel.custom}
    if custom:
        defaults["custom"] = custom
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": panel.source,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "fieldConfig": {"defaults": defaults, "overrides": list(panel.overrides)},
        "options": {**_OPTIONS.get(panel.kind, {}), **panel.options},
        "targets": [_target(query, panel, at) for at, query in enumerate(panel.queries)],
        "transformations": list(panel.transformations),
    }


def laid_out(rows: Sequence[Row]) -> list[Json]:
    """Return the panels of rows in their places, each with a number of its own."""
    made: list[Json] = []
    numbers = iter(range(1, 1000))
    top = 0
    for row in rows:
        heading = {
            "id": next(numbers),
            "type": "row",
            "title": row.title,
            "collapsed": row.is_collapsed,
            "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1},
            "panels": [],
        }
        top += 1
        x, line, inside = 0, 0, []
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, top = 0, top + line
                line = 0
            inside.append(_panel(panel, next(numbers), x, top))
            x, line = x + panel.width, max(line, panel.height)
        top += line
        made.append({**heading, "panels": inside} if row.is_collapsed else heading)
        made += [] if row.is_collapsed else inside
    return made
