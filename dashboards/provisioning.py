"""Tells Grafana where the data is and where the dashboards are, with links from traces and log lines to PostHog."""

from __future__ import annotations

from dashboards.alerts import FOLDER, SOURCE_UID
from dashboards.panels import Json
from otel_posthog.policy.sections.events_url import events_template

TEMPO_UID, LOKI_UID = "otel-posthog-tempo", "otel-posthog-loki"
_LABEL = "Product events in PostHog"


def _posthog(trace_id: str) -> str:
    """Return where PostHog shows the events of a trace; Grafana puts the variables in, and `$$` stands for a `$`."""
    template = events_template("$PH_APP_URL", "$PH_PROJECT_ID")
    return template.format(trace_id=f"$${{{trace_id}}}", span_id="")


def data_sources() -> Json:
    """Return the data sources."""
    return {"apiVersion": 1, "datasources": [
        {"name": "Prometheus (otel-posthog)", "uid": SOURCE_UID, "type": "prometheus", "access": "proxy",
         "url": "$PROMETHEUS_URL", "jsonData": {"httpMethod": "POST", "timeInterval": "60s"}},
        {"name": "Tempo (otel-posthog)", "uid": TEMPO_UID, "type": "tempo", "access": "proxy", "url": "$TEMPO_URL",
         "jsonData": {"tracesToLogsV2": {"datasourceUid": LOKI_UID, "filterByTraceID": True,
                                         "spanStartTimeShift": "-5m", "spanEndTimeShift": "5m",
                                         "tags": [{"key": "service.name", "value": "service_name"}]}},
         "correlations": [{"type": "external", "label": _LABEL,
                           "description": "The events of this trace, by its id. Nobody is in the link.",
                           "config": {"type": "query", "field": "traceID",
                                      "target": {"url": _posthog("__value.raw")}}}]},
        {"name": "Loki (otel-posthog)", "uid": LOKI_UID, "type": "loki", "access": "proxy", "url": "$LOKI_URL",
         "jsonData": {"derivedFields": [
             {"name": "Trace", "matcherType": "label", "matcherRegex": "trace_id", "datasourceUid": TEMPO_UID,
              "url": "$${__value.raw}", "urlDisplayLabel": "Trace"},
             {"name": "PostHog", "matcherType": "label", "matcherRegex": "trace_id", "url": _posthog("__value.raw"),
              "urlDisplayLabel": _LABEL}]}},
    ]}  # fmt: skip


def dashboard_provider() -> Json:
    """Return where Grafana finds the dashboards."""
    return {"apiVersion": 1, "providers": [
        {"name": FOLDER, "folder": FOLDER, "type": "file", "disableDeletion": False, "allowUiUpdates": False,
         "updateIntervalSeconds": 30, "options": {"path": "/etc/grafana/otel-posthog/dashboards"}},
    ]}  # fmt: skip


def jaeger_page() -> Json:
    """Return Jaeger's settings of its page (`--query.ui-config`): a link from each trace to its events."""
    url = events_template("https://us.posthog.com", "1").format(trace_id="#{traceID}", span_id="")
    return {"linkPatterns": [{"type": "traces", "url": url, "text": _LABEL}]}
