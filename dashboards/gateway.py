"""The dashboard of the gateway, the Collector in front of it, and Kafka between them."""

from __future__ import annotations

from dashboards.dashboard import dashboard
from dashboards.panels import BLUE, GREEN, RED, YELLOW, Json, Panel, Query, Row, color
from dashboards.queries import RATE, gained, given_from_kafka, of, of_collector, quantile

_STACKED = {"stacking": {"group": "A", "mode": "normal"}, "fillOpacity": 35, "lineWidth": 1}
_HTTP, _RPC = "http_server_request_duration_seconds", "rpc_server_call_duration_seconds"
_ROUTES = 'http_route=~"/v1/.*"'
_ITEMS = "otel_posthog_gateway_items_total"


def _overview() -> Row:
    refused = of(_HTTP + "_count", _ROUTES, 'http_response_status_code=~"5.."')
    return Row("Does it take what comes?", [
        Panel("Product items", "Spans and log records with product events, in the time shown.",
              [Query(f"""sum({gained(of(_ITEMS, 'outcome="product"'))}) or vector(0)""", "items")], "stat", width=5,
              height=5, decimals=0, steps=[(None, BLUE)], options={"graphMode": "none"}),
        Panel("Refused items", "Not kept: senders were told to come again (503). It should go back to 0; else the spool is "
              "full or cannot be written.",
              [Query(f"""sum({gained(of(_ITEMS, 'outcome="refused"'))}) or vector(0)""", "items")], "stat", width=5,
              height=5, decimals=0, steps=[(None, GREEN), (1, RED)], options={"graphMode": "none"}),
        Panel("Rejected items", "Malformed, or no event by their name: no retry mends them.",
              [Query(f"""sum({gained(of(_ITEMS, 'outcome="rejected"'))}) or vector(0)""", "items")], "stat", width=5,
              height=5, decimals=0, steps=[(None, GREEN), (1, YELLOW)], options={"graphMode": "none"}),
        Panel("Requests answered with 5xx", "In the time shown, over HTTP.",
              [Query(f"sum({gained(refused)}) or vector(0)", "requests")], "stat", width=4, height=5, decimals=0,
              steps=[(None, GREEN), (1, RED)], options={"graphMode": "none"}),
        Panel("Oldest event on disk", "What the gateway has taken and PostHog does not have yet.",
              [Query(f"max({of('otel_posthog_spool_oldest_age_seconds')})", "age")], "stat", unit="s", width=5, height=5,
              steps=[(None, GREEN), (60, YELLOW), (900, RED)]),
    ])  # fmt: skip


def _requests() -> Row:
    calls = of(_HTTP + "_count", _ROUTES)
    return Row("Requests", [
        Panel("By status, HTTP", "200 is taken and on disk; 503 is to come again; 4xx is a sender's mistake.",
              [Query(f"sum by (http_response_status_code) (rate({calls}[{RATE}]))", "{{http_response_status_code}}")],
              unit="reqps", width=8, custom=_STACKED, overrides=[color("200", GREEN), color("503", RED)]),
        Panel("By status, gRPC", "`OK` is taken and on disk; `UNAVAILABLE` is to come again.",
              [Query(f"sum by (rpc_response_status_code) (rate({of(_RPC + '_count')}[{RATE}]))",
                     "{{rpc_response_status_code}}")],
              unit="reqps", width=8, custom=_STACKED, overrides=[color("OK", GREEN), color("UNAVAILABLE", RED)]),
        Panel("Duration, 95 of 100", "Until the answer, which comes when events are on disk.",
              [Query(quantile(0.95, f"{_HTTP}_bucket", "http_route"), "{{http_route}}")], unit="s", width=8),
        Panel("Items, by what became of them", "Operational items are counted and let go.",
              [Query(f"sum by (outcome) (rate({of(_ITEMS)}[{RATE}]))", "{{outcome}}")], unit="cps", custom=_STACKED,
              overrides=[color("product", BLUE), color("refused", RED), color("rejected", YELLOW)]),
        Panel("Rejected, by reason", "What is wrong with them; the answer to the sender says it too.",
              [Query(f"""sum by (reason) ({gained(of(_ITEMS, 'outcome=~"rejected|refused"'), RATE)})""", "{{reason}}")],
              decimals=0, custom={**_STACKED, "drawStyle": "bars", "fillOpacity": 80}),
    ])  # fmt: skip


def _kafka() -> Row:
    read, written = of_collector("kafka_receiver_records"), of_collector("kafka_exporter_records")
    return Row("Kafka", [
        Panel("Lag", "Messages that were behind what a Collector with `kafka-in.yaml` had handed to the gateway, by topic "
              "and partition. It tells so after each batch that got through: a partition that stands still keeps its last "
              "figure, which the panel beside this one shows.",
              [Query("sum by (topic, partition) (otelcol_kafka_receiver_offset_lag)", "{{topic}}/{{partition}}")],
              decimals=0),
        Panel("Into and out of Kafka", "Records a second that were written and read, each a batch of product events, and "
              "events that the gateway has taken out of them. Written and nothing taken: the gateway is away or refuses "
              "something for good, and the log of the Collector with `kafka-in.yaml` says which.",
              [Query(f"sum by (topic) (rate({read}[{RATE}]))", "read {{topic}}"),
               Query(f"sum by (topic) (rate({written}[{RATE}]))", "written {{topic}}"),
               Query(given_from_kafka(lambda each: f"rate({each}[{RATE}])"), "events given to the gateway")],
              unit="cps"),
    ])  # fmt: skip


def _collector() -> Row:
    gone = of_collector("exporter_send_failed_(spans|log_records|metric_points)")
    refused = of_collector("receiver_refused_(spans|log_records|metric_points)")
    return Row("Collector", [
        Panel("Queues", "How full the queue of each exporter is. Behind a queue that is full `memory_limiter` refuses at "
              "the door, and senders come again.",
              [Query("max by (exporter, data_type) (otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)",
                     "{{exporter}} {{data_type}}")], unit="percentunit", width=8, max_value=1,
              steps=[(None, "transparent"), (0.8, RED)], custom={"thresholdsStyle": {"mode": "dashed"}}),
        Panel("Taken", "Items a second that were taken at the door, by signal.",
              [Query(f"sum(rate({of_collector(f'receiver_accepted_{each}')}[{RATE}]))", name)
               for each, name in (("spans", "spans"), ("log_records", "log records"))],
              unit="cps", width=8),
        Panel("Not delivered", "Attempts of exporters that failed, whose items wait in the queue, and items that were "
              "refused at the door, which senders send again: both are to stop rising.",
              [Query(f"sum by (exporter) ({gone}) or vector(0)", "failed, {{exporter}}"),
               Query(f"sum({refused}) or vector(0)", "refused")], width=8, decimals=0),
    ])  # fmt: skip


def gateway() -> Json:
    """Return the dashboard."""
    return dashboard(
        "otel-posthog-gateway",
        "Product events: gateway, Collector, Kafka",
        "What comes in from other languages, browsers and Collectors, and what stands in front of the gateway.",
        [_overview(), _requests(), _kafka(), _collector()],
        metric=_ITEMS,
    )
