"""The dashboard of the pipeline: whether anything is lost, what becomes of events, how late they are, what waits."""

from __future__ import annotations

from dashboards.dashboard import dashboard
from dashboards.panels import BLUE, GREEN, RED, YELLOW, Json, Panel, Query, Row, color
from dashboards.queries import RATE, SHOWN, events, gained, lost, of, quantile

_LATENCY = "otel_posthog_delivery_latency_seconds_bucket"
_STACKED = {"stacking": {"group": "A", "mode": "normal"}, "fillOpacity": 35, "lineWidth": 1}
_BARS = {**_STACKED, "drawStyle": "bars", "fillOpacity": 80}
_OUTCOMES = [
    color("received", BLUE), color("delivered", GREEN), color("dropped", RED), color("retried", YELLOW),
    color("dead_lettered", "dark-red"), color("fault", "purple"),
]  # fmt: skip
_AS_TABLE = {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": {"Value": "events"}}}
_LARGEST_FIRST = {"id": "sortBy", "options": {"sort": [{"field": "events", "desc": True}]}}


def _now() -> Row:
    return Row("Is anything lost?", [
        Panel("Lost", "Events that nobody decided to drop, in the time shown. It must be 0: the table below names the "
              "reasons, and docs/delivery.md says what each means.",
              [Query(f"sum({gained(lost())}) or vector(0)", "lost")], "stat", width=4, height=5, decimals=0,
              steps=[(None, GREEN), (1, RED)], options={"graphMode": "none"}),
        Panel("Delivered", "Events that PostHog has taken, in the time shown.",
              [Query(f"sum({gained(events('delivered'))}) or vector(0)", "delivered")], "stat", width=4, height=5,
              decimals=0, steps=[(None, BLUE)], options={"graphMode": "none"}),
        Panel("Waiting on disk", "Events in the spool that PostHog does not have yet. Some wait at any time; a number "
              "that only rises says that PostHog takes nothing.",
              [Query(f"sum({of('otel_posthog_spool_events')})", "events")], "stat", width=4, height=5, decimals=0,
              steps=[(None, GREEN), (10_000, YELLOW), (100_000, RED)]),
        Panel("Oldest waiting", "How long the oldest event has waited. After `max_spool_age_s` (7 days) it is dropped.",
              [Query(f"max({of('otel_posthog_spool_oldest_age_seconds')})", "age")], "stat", unit="s", width=4,
              height=5, steps=[(None, GREEN), (60, YELLOW), (900, RED)]),
        Panel("Latency, 95 of 100", "From an event's own time until PostHog has it, of the oldest event of each batch, "
              "in the time shown.",
              [Query(f"histogram_quantile(0.95, sum by (le) ({gained(of(_LATENCY))}))", "p95")], "stat", unit="s",
              width=4, height=5, steps=[(None, GREEN), (10, YELLOW), (300, RED)], options={"graphMode": "none"}),
        Panel("Errors of our own", "Errors of the package that were kept out of the app, in the time shown. Each is "
              "worth a report; the reason names the place.",
              [Query(f"sum({gained(events('fault'))}) or vector(0)", "errors")], "stat", width=4, height=5, decimals=0,
              steps=[(None, GREEN), (1, RED)], options={"graphMode": "none"}),
    ])  # fmt: skip


def _outcomes() -> Row:
    all_of_them = of("otel_posthog_events_total")
    return Row("What becomes of events", [
        Panel("By outcome", "Events a second: received, delivered, dropped, retried and so on.",
              [Query(f"sum by (outcome) (rate({all_of_them}[{RATE}]))", "{{outcome}}")], unit="eps",
              overrides=_OUTCOMES),
        Panel("Dropped, by reason", "Those that policy, mode or user decided (consent, opted_out, person_event, ...) as "
              "well as those that are lost.",
              [Query(f"sum by (reason) ({gained(events('dropped'), RATE)})", "{{reason}}")], custom=_BARS, decimals=0),
        Panel("Why, in the time shown", "Every outcome with its reason.",
              [Query(f"sum by (job, outcome, reason) ({gained(all_of_them)}) > 0")], "table", decimals=0, height=9,
              transformations=[_AS_TABLE, _LARGEST_FIRST]),
        Panel("What the privacy rules did", "Properties removed and replaced a second, by rule: never what they were. A "
              "rule that does more than it used to says that an app began to send something.",
              [Query(f"topk(10, sum by (rule, action) (rate({of('otel_posthog_privacy_actions_total')}[{RATE}])))",
                     "{{rule}}: {{action}}")], unit="cps", height=9),
    ])  # fmt: skip


def _delivery() -> Row:
    duration = "otel_posthog_delivery_duration_seconds"
    return Row("Delivery", [
        Panel("Latency", "From an event's own time until PostHog has it, of the oldest event of each batch. What an "
              "outage held up arrives late, and shows here when it does.",
              [Query(quantile(0.5, _LATENCY), "half"), Query(quantile(0.95, _LATENCY), "95 of 100"),
               Query(quantile(0.99, _LATENCY), "99 of 100")], unit="s"),
        Panel("Latency, spread", "The same as a heatmap: batches by how late they were.",
              [Query(f"sum by (le) (increase({of(_LATENCY)}[{RATE}]))", "{{le}}")], "heatmap"),
        Panel("Requests, by what PostHog answered", "`done` is a batch taken; `retry` and `pause` come again; `split` is a "
              "batch that was refused; `fall_back` says that PostHog has no Capture V1.",
              [Query(f"sum by (outcome) (rate({of(duration + '_count')}[{RATE}]))", "{{outcome}}")], unit="reqps",
              custom=_STACKED, overrides=[color("done", GREEN), color("retry", YELLOW), color("pause", RED)]),
        Panel("Duration of a request", "Of one attempt to send a batch, whatever its outcome.",
              [Query(quantile(0.5, f"{duration}_bucket"), "half"),
               Query(quantile(0.95, f"{duration}_bucket"), "95 of 100")], unit="s"),
    ])  # fmt: skip


def _waiting() -> Row:
    by = "job, destination"
    return Row("What waits", [
        Panel("Age of the oldest event", "By destination. While it rises PostHog takes nothing.",
              [Query(f"max by ({by}) ({of('otel_posthog_spool_oldest_age_seconds')})", "{{job}} {{destination}}")],
              unit="s", width=8, steps=[(None, "transparent"), (900, RED)],
              custom={"thresholdsStyle": {"mode": "dashed"}}),
        Panel("Events in the spool", "What PostHog does not have yet, by destination.",
              [Query(f"sum by ({by}) ({of('otel_posthog_spool_events')})", "{{job}} {{destination}}")], width=8),
        Panel("Size of the spool", "By destination; the line is the default of `max_spool_bytes`, past which the newest "
              "events are dropped.",
              [Query(f"sum by ({by}) ({of('otel_posthog_spool_size_bytes')})", "{{job}} {{destination}}")],
              unit="bytes", width=8, steps=[(None, "transparent"), (512 * 1024**2, RED)],
              custom={"thresholdsStyle": {"mode": "dashed"}}),
        Panel("In memory", "`worker` waits for the filters, `buffer` waits to be sent.",
              [Query(f"sum by (queue) ({of('otel_posthog_queue_size_bytes')})", "{{queue}}")], unit="bytes", width=12),
        Panel("Disks and orphans", "Faults of disks, what was taken over from ended processes, dead letters: events "
              "that PostHog refuses for good (`otel-posthog spool dead`).",
              [Query(f'sum by (outcome) ({gained(of("otel_posthog_events_total", _DISKS), RATE)})', "{{outcome}}")],
              width=12, custom=_BARS, decimals=0),
    ])  # fmt: skip


_DISKS = 'outcome=~"storage_error|adopted|dead_lettered"'


def _rules() -> Row:
    return Row("Which rules are in force", [
        Panel("Revisions of the policy", "By service: more than one means that instances differ, or that a policy was "
              "replaced in the time shown.",
              [Query(f'max by (job, policy) (max_over_time({of("otel_posthog_events_total")}[{SHOWN}])) > 0')],
              "table", width=24, height=6,
              transformations=[{"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}]),
    ], is_collapsed=True)  # fmt: skip


def health() -> Json:
    """Return the dashboard."""
    return dashboard(
        "otel-posthog-health",
        "Product events: health",
        "Whether product events reach PostHog: losses, delivery, what waits. No value of any event is in these metrics.",
        [_now(), _outcomes(), _delivery(), _waiting(), _rules()],
        metric="otel_posthog_events_total",
    )
