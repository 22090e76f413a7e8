"""Requests made beforehand, so that the load costs nothing but sending: no two events in them are the same."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

TIME_NS = 1_790_000_000_000_000_000
PAGES = ("/tickets", "/tickets/{id}", "/search", "/reports/monthly")


def bodies(count: int, events: int) -> list[bytes]:
    """Return `count` requests of `events` log-based events each.

    Args:
        count: How many requests.
        events: How many events in each.
    """
    return [_body(number * events, events) for number in range(count)]


def _body(first: int, events: int) -> bytes:
    request = ExportLogsServiceRequest()
    holder = request.resource_logs.add()
    for key, value in (("service.name", "shop"), ("service.version", "1.4.2"), ("telemetry.sdk.language", "java")):
        holder.resource.attributes.add(key=key).value.string_value = value
    scope = holder.scope_logs.add()
    for number in range(first, first + events):
        record = scope.log_records.add(event_name="analytics.ticket_opened", time_unix_nano=TIME_NS + number * 1000)
        record.trace_id, record.span_id = (number + 1).to_bytes(16, "big"), (number + 1).to_bytes(8, "big")
        add = record.attributes.add
        add(key="analytics.user.id").value.string_value = f"u-{number % 5000}"
        add(key="analytics.session.id").value.string_value = f"s-{number % 900}"
        add(key="analytics.page").value.string_value = PAGES[number % len(PAGES)]
        add(key="analytics.priority").value.string_value = "high" if number % 3 else "low"
        add(key="analytics.duration_ms").value.double_value = number % 700 + 0.5
        add(key="http.route").value.string_value = PAGES[number % len(PAGES)]
    return request.SerializeToString()
