"""The dashboard of the product in operations: events by name beside latency and errors of the routes they come from."""

from __future__ import annotations

from dashboards.dashboard import dashboard
from dashboards.panels import GREEN, LOKI, RED, TEMPO, YELLOW, Json, Panel, Query, Row
from dashboards.queries import RATE, gained, of

_NAMED, _CALLS = "otel_posthog_events_by_name_total", "traces_span_metrics_calls_total"
_SERVER, _ROUTE = 'span_kind="SPAN_KIND_SERVER"', 'http_route=~"$route"'
_FAILED = 'status_code="STATUS_CODE_ERROR"'
_SECONDS = "traces_span_metrics_duration_seconds_bucket"
_NEEDS = "Needs `operational: {event_names: true}` in the policy: no name of an event is on this side otherwise."


def _named() -> Row:
    named = of(_NAMED, 'event_name=~"$event"')
    return Row("What people do", [
        Panel("Events, by name", f"Product events a second. {_NEEDS}",
              [Query(f"sum by (event_name) (rate({named}[{RATE}]))", "{{event_name}}")], unit="eps", height=9),
        Panel("Events, by name and route", f"In the time shown. {_NEEDS}",
              [Query(f"sum by (event_name, http_route) ({gained(named)}) > 0")], "table", decimals=0, height=9,
              transformations=[
                  {"id": "organize", "options": {"excludeByName": {"Time": True},
                                                 "renameByName": {"Value": "events", "event_name": "event",
                                                                  "http_route": "route"}}},
                  {"id": "sortBy", "options": {"sort": [{"field": "events", "desc": True}]}}]),
    ])  # fmt: skip


def _routes() -> Row:
    calls = of(_CALLS, _SERVER, _ROUTE)
    failed = of(_CALLS, _SERVER, _ROUTE, _FAILED)
    seconds = of(_SECONDS, _SERVER, _ROUTE)
    events = of(_NAMED, _ROUTE, 'event_name=~"$event"')
    by = "sum by (http_route)"
    return Row("The routes they come from", [
        Panel("Requests, by route", "A second, of all requests, sampled or not: the Collector counts spans before it "
              "samples.",
              [Query(f"{by} (rate({calls}[{RATE}]))", "{{http_route}}")], unit="reqps", width=8),
        Panel("Latency, 95 of 100, by route", "Of the same requests.",
              [Query(f"histogram_quantile(0.95, sum by (le, http_route) (rate({seconds}[{RATE}])))", "{{http_route}}")],
              unit="s", width=8),
        Panel("Share of errors, by route", "Of the same requests: those whose span has the status error.",
              [Query(f"({by} (rate({failed}[{RATE}])) or {by} (rate({calls}[{RATE}])) * 0) "
                     f"/ {by} (rate({calls}[{RATE}]))", "{{http_route}}")],
              unit="percentunit", width=8, steps=[(None, GREEN), (0.01, YELLOW), (0.05, RED)], max_value=1),
        Panel("Events for each request", "How many events of a route there are for each of its requests. Where it falls "
              f"while latency or errors rise, people give up. {_NEEDS}",
              [Query(f"{by} (rate({events}[{RATE}])) / {by} (rate({calls}[{RATE}]))", "{{http_route}}")], width=12),
        Panel("Routes, in the time shown", "Requests, errors and the 95 of 100 that took least, side by side.",
              [Query(f"{by} ({gained(calls)}) > 0"), Query(f"{by} ({gained(failed)}) or {by} ({gained(calls)}) * 0"),
               Query(f"histogram_quantile(0.95, sum by (le, http_route) ({gained(seconds)}))")],
              "table", width=12, decimals=2,
              transformations=[
                  {"id": "joinByField", "options": {"byField": "http_route", "mode": "outer"}},
                  {"id": "organize", "options": {
                      "includeByName": {"http_route": True, "Value #A": True, "Value #B": True, "Value #C": True},
                      "renameByName": {"http_route": "route", "Value #A": "requests", "Value #B": "errors",
                                       "Value #C": "95 of 100, in seconds"}}}]),
    ])  # fmt: skip


def _closer() -> Row:
    return Row("Look closer", [
        Panel("Traces with an error", "The last of the chosen services; a line opens the trace. Events of such a trace are "
              "found in PostHog by its id.",
              [Query('{resource.service.name=~"${service:regex}" && status=error}')], "table", source=TEMPO, height=10),
        Panel("Log lines", "Warnings and errors of the chosen services, redacted. The trace id in a line opens the trace, "
              "and the events of that trace in PostHog.",
              [Query('{service_name=~"${service:regex}"} | detected_level=~"warn|error|fatal"')], "logs", source=LOKI,
              height=10),
    ])  # fmt: skip


def _offered(name: str, label: str, query: str, about: str) -> Json:
    return {
        "name": name, "label": label, "type": "query", "hide": 0, "refresh": 2, "sort": 1, "regex": "",
        "datasource": {"type": "prometheus", "uid": "${prometheus}"}, "definition": query, "options": [],
        "query": {"qryType": 1, "query": query, "refId": name}, "multi": True, "includeAll": True, "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]}, "description": about,
    }  # fmt: skip


def product() -> Json:
    """Return the dashboard."""
    service = 'job=~"$service"'
    return dashboard(
        "otel-posthog-product",
        "Product events: in operations",
        "What people do, beside how fast and how well the routes answer on which they do it.",
        [_named(), _routes(), _closer()],
        metric=_CALLS,
        sources=["tempo", "loki"],
        variables=[
            _offered(
                "route", "Route", f"label_values({_CALLS}{{{service}, {_SERVER}}}, http_route)", "Templates of routes."
            ),
            _offered("event", "Event", f"label_values({_NAMED}{{{service}}}, event_name)", "Names of events."),
        ],
    )
