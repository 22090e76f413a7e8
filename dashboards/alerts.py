"""The alert rules, once: written for Grafana's own alerting, and for Prometheus or Mimir."""

from __future__ import annotations

from typing import NamedTuple

from dashboards.panels import Json
from dashboards.queries import events, gained, given_from_kafka, lost, of, of_collector

FOLDER = "otel-posthog"
SOURCE_UID = "otel-posthog-prometheus"
_MINUTE_S = 60


class Alert(NamedTuple):
    """One rule.

    Attributes:
        name: In CamelCase, as Prometheus' rules are named.
        expression: Of Prometheus; what it returns is the alarm.
        minutes: How long it has to hold.
        severity: `critical` where events are lost or will be, `warning` where somebody should look.
        summary: In a line.
        about: What to do.
        window_s: How far back the expression looks.
    """

    name: str
    expression: str
    minutes: int
    severity: str
    summary: str
    about: str
    window_s: int = 900


_ALL = ""


def _gained(series: str, by: str) -> str:
    return f"sum by ({by}) ({gained(series, '10m')}) > 0"


ALERTS = (
    Alert("ProductEventsLost", _gained(lost(_ALL), "job, reason"), 0, "critical",
          "{{ $labels.job }} lost product events ({{ $labels.reason }})",
          "Loss must be zero. docs/delivery.md says what each reason means: `buffer_full` and `spool_expired` follow an "
          "outage that was too long, `rejected` and the like are dead letters that `otel-posthog spool replay` sends again."),
    Alert("ProductEventsWait", f"max by (job, destination) ({of('otel_posthog_spool_oldest_age_seconds', chosen=_ALL)})"
          " > 900", 5, "critical",
          "{{ $labels.job }}: PostHog has taken nothing for {{ $value | humanizeDuration }} ({{ $labels.destination }})",
          "Events wait on disk and none is lost yet. `otel-posthog doctor --send` says why: the key, the host, the quota, "
          "the network."),
    Alert("ProductEventsSpoolFills",
          f"sum by (job, instance, destination) ({of('otel_posthog_spool_size_bytes', chosen=_ALL)}) > {400 * 1024**2}", 5,
          "critical", "{{ $labels.job }}: {{ $value | humanize1024 }}B wait on disk ({{ $labels.destination }})",
          "Past `max_spool_bytes` (512 MiB unless the policy says otherwise) the newest events are dropped. Raise it, or "
          "have PostHog take events again."),
    Alert("ProductEventsDeliveryFails",
          'sum by (job) (rate(otel_posthog_delivery_duration_seconds_count{outcome!~"done|fall_back"}[5m])) '
          "/ sum by (job) (rate(otel_posthog_delivery_duration_seconds_count[5m])) > 0.5", 10, "warning",
          "{{ $labels.job }}: {{ $value | humanizePercentage }} of the requests to PostHog fail",
          "Events wait and come again. The app's log has one line that says what PostHog answers."),
    Alert("ProductEventsDiskFails", _gained(events("storage_error", chosen=_ALL), "job, reason"), 0, "warning",
          "{{ $labels.job }}: a disk fails ({{ $labels.reason }})",
          "Events wait in memory until the disk works again, and a process that ends takes them along."),
    Alert("ProductEventsFault", _gained(events("fault", chosen=_ALL), "job, reason"), 0, "warning",
          "{{ $labels.job }}: an error of otel-posthog's own ({{ $labels.reason }})",
          "It was kept out of the app. The reason is the place and the type: please report it."),
    Alert("ProductEventsGatewayRefuses",
          _gained(of("otel_posthog_gateway_items_total", 'outcome="refused"', chosen=_ALL), "job"), 5, "critical",
          "{{ $labels.job }} refuses product events",
          "Senders come again and keep what they have room for. The spool is full or cannot be written, or too much comes "
          "at once: `GET /readyz` says so."),
    Alert("ProductEventsKafkaStands",
          f"(sum({gained(of_collector('kafka_exporter_records'), '10m')}) unless "
          f"({given_from_kafka(lambda each: gained(each, '10m'))} > 0)) > 0", 5, "critical",
          "Product events go into Kafka, and none comes out",
          "Nothing is lost while Kafka keeps it. The gateway is away or refuses something for good: the log of the Collector "
          "with kafka-in.yaml says which."),
    Alert("ProductEventsKafkaLags", "sum by (topic, partition) (otelcol_kafka_receiver_offset_lag) > 10000", 10, "warning",
          "{{ $value | humanize }} messages wait in {{ $labels.topic }}/{{ $labels.partition }}",
          "The Collector with kafka-in.yaml does not keep up: give it more partitions and more of its kind."),
)  # fmt: skip


def prometheus_rules() -> Json:
    """Return the rules for Prometheus, or the ruler of Mimir."""
    return {"groups": [{"name": FOLDER, "interval": "1m", "rules": [
        {
            "alert": each.name,
            "expr": each.expression,
            **({"for": f"{each.minutes}m"} if each.minutes else {}),
            "labels": {"severity": each.severity},
            "annotations": {"summary": each.summary, "description": each.about},
        } for each in ALERTS
    ]}]}  # fmt: skip


def _grafana_rule(alert: Alert) -> Json:
    expression, threshold = alert.expression.rsplit(" > ", 1)
    asked = {
        "refId": "A",
        "relativeTimeRange": {"from": alert.window_s, "to": 0},
        "datasourceUid": SOURCE_UID,
        "model": {"refId": "A", "expr": expression, "instant": True, "range": False, "editorMode": "code",
                  "intervalMs": 1000, "maxDataPoints": 43200},
    }  # fmt: skip
    over = {
        "refId": "B",
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {"refId": "B", "type": "threshold", "expression": "A",
                  "conditions": [{"evaluator": {"type": "gt", "params": [float(threshold)]}}]},
    }  # fmt: skip
    return {
        "uid": _uid(alert.name),
        "title": alert.name,
        "condition": "B",
        "for": f"{alert.minutes}m",
        # Nothing that can be asked is nothing to say: an app that sends no events has no such series.
        "noDataState": "OK",
        "execErrState": "Error",
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary.replace("$value", "$values.A.Value"),
            "description": alert.about,
            "__dashboardUid__": "otel-posthog-gateway" if "Kafka" in alert.name or "Gateway" in alert.name
            else "otel-posthog-health",
            "__panelId__": "2",
        },
        "data": [asked, over],
    }  # fmt: skip


def _uid(name: str) -> str:
    return "".join(f"-{each.lower()}" if each.isupper() else each for each in name).strip("-")


def grafana_rules() -> Json:
    """Return the rules as Grafana provisions them."""
    group = {"orgId": 1, "name": FOLDER, "folder": FOLDER, "interval": f"{_MINUTE_S}s"}
    return {"apiVersion": 1, "groups": [{**group, "rules": [_grafana_rule(each) for each in ALERTS]}]}
