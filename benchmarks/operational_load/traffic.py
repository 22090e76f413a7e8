"""Both ends of the load, each a process of its own.

`python -m benchmarks.operational_load.traffic send PORT SIGNAL REQUESTS ITEMS CONNECTIONS` sends; `... receive PORT` is
a backend that costs little: it counts items by an attribute that each has, and GET answers with the count. Items are
like those of a web shop: each has ids, times and paths of its own, what all have in common is repeated, and one in ten
holds something that is to be taken out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.gateway_load.traffic import TIME_NS, Receiver, receive, send_all

ROUTES = ("/tickets", "/tickets/{id}", "/search", "/reports/monthly", "/customers/{id}/orders")
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36"
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_CUMULATIVE = 2


def spans(first: int, count: int) -> bytes:
    """Return a request of so many server spans with eleven attributes."""
    request, dice = ExportTraceServiceRequest(), Random(first)
    scope = _around(request.resource_spans.add()).scope_spans.add()
    scope.scope.name = "io.opentelemetry.http"
    for number in range(first, first + count):
        route = ROUTES[number % len(ROUTES)]
        span = scope.spans.add(name=f"GET {route}", kind=2, start_time_unix_nano=TIME_NS + number)
        span.trace_id, span.span_id = dice.randbytes(16), dice.randbytes(8)
        span.end_time_unix_nano = span.start_time_unix_nano + dice.randrange(10**9)
        path = route.replace("{id}", str(number))
        to = f"user{number}@example.com" if not number % 10 else "EUR"
        _add(
            span.attributes,
            {
                "http.request.method": "GET", "http.route": route, "url.path": path, "url.scheme": "https",
                "http.response.status_code": 200, "server.address": "shop.example.com", "server.port": 443,
                "network.protocol.version": "1.1", "user_agent.original": _AGENT, "thread.id": number % 50,
                "order.note": to,
            },
        )  # fmt: skip
    return request.SerializeToString()


def logs(first: int, count: int) -> bytes:
    """Return a request of so many lines of text with four attributes."""
    request, dice = ExportLogsServiceRequest(), Random(first)
    scope = _around(request.resource_logs.add()).scope_logs.add()
    scope.scope.name = "shop.orders"
    for number in range(first, first + count):
        record = scope.log_records.add(time_unix_nano=TIME_NS + number, severity_number=9, severity_text="INFO")
        record.trace_id, record.span_id = dice.randbytes(16), dice.randbytes(8)
        whose = f" for user{number}@example.com" if not number % 10 else ""
        record.body.string_value = f"order ORD-{number} of {dice.randrange(10**4) / 100} EUR was accepted{whose}"
        _add(record.attributes, {"code.function.name": "accept", "code.line.number": 87, "shop.region": "eu"})
        _add(record.attributes, {"queue.length": number % 900})
    return request.SerializeToString()


def metrics(first: int, count: int) -> bytes:
    """Return a request of so many points of a histogram with four attributes."""
    request, dice = ExportMetricsServiceRequest(), Random(first)
    scope = _around(request.resource_metrics.add()).scope_metrics.add()
    metric = scope.metrics.add(name="http.server.request.duration", unit="s", description="Duration of requests.")
    metric.histogram.aggregation_temporality = _CUMULATIVE
    for number in range(first, first + count):
        point = metric.histogram.data_points.add(start_time_unix_nano=TIME_NS, time_unix_nano=TIME_NS + 10**9)
        point.explicit_bounds.extend(_BOUNDS)
        point.bucket_counts.extend(dice.randrange(100) for _ in range(len(_BOUNDS) + 1))
        point.count, point.sum, point.min, point.max = sum(point.bucket_counts), 17.5, 0.001, 9.5
        who = {"user.id": f"u-{number}"} if not number % 10 else {}
        route = ROUTES[number % len(ROUTES)]
        _add(point.attributes, {"http.request.method": "GET", "http.route": route, "url.scheme": "https", **who})
        _add(point.attributes, {"shop.id": number})
    return request.SerializeToString()


def _around(holder: Any) -> Any:
    _add(
        holder.resource.attributes,
        {"service.name": "shop", "service.version": "1.4.2", "host.name": "ip-10-0-3-7", "telemetry.sdk.name": "java"},
    )
    return holder


def _add(pairs: Any, values: Mapping[str, str | int]) -> None:
    for key, value in values.items():
        target = pairs.add(key=key).value
        if isinstance(value, str):
            target.string_value = value
        else:
            target.int_value = value


SIGNALS: Mapping[str, Callable[[int, int], bytes]] = {"traces": spans, "logs": logs, "metrics": metrics}

# Each item has one of these once, and nothing else has.
_COUNTED = (b"thread.id", b"code.line.number", b"shop.id")


class _Backend(Receiver):
    """Takes everything."""

    def count(self, body: bytes) -> int:
        """Return how many items are in a request."""
        return sum(map(body.count, _COUNTED))

    def result(self) -> tuple[str, bytes]:
        """Return what a request is answered."""
        return "application/x-protobuf", b""


if __name__ == "__main__":
    if sys.argv[1] == "send":
        port, requests, items, connections = (int(sys.argv[at]) for at in (2, 4, 5, 6))
        made = [SIGNALS[sys.argv[3]](number * items, items) for number in range(requests)]
        send_all(port, made, connections, f"/v1/{sys.argv[3]}")
    else:
        receive(int(sys.argv[2]), _Backend)
