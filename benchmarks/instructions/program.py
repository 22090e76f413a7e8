"""One workload under callgrind, of which the repetitions alone are counted: `... program.py WORKLOAD REPETITIONS`.

It speaks with the package through its public names only, so that an older state of it can run the same.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer
from opentelemetry.util.types import AttributeValue

import otel_posthog

OPERATIONAL: dict[str, AttributeValue] = {
    "http.request.method": "POST",
    "http.route": "/orders",
    "http.response.status_code": 200,
    "order.items": 3,
}
PRODUCT: dict[str, AttributeValue] = {
    "analytics.event": "order_submitted",
    "analytics.property.plan": "team",
    "analytics.property.total": 12.5,
    "analytics.property.is_first": True,
    "analytics.property.page": "/checkout",
}
# No two the same, so that each is scanned: what people write, with and without what has to go.
TEXTS = (
    "the invoice {} of the 3rd came twice, please have a look at the second one before Friday",
    "jo.doe{}@example.org asked for a copy; call back at +49 30 901820 in the morning",
    "GET /orders/{}/items?sort=price&page=2 took 31 ms and was answered with 304",
    'Traceback: File "/srv/app/orders.py", line {}, in submit: KeyError: amount',
)
WARM_UP = 20


def operational(tracer: Tracer, number: int) -> None:
    """Make a span that is no product event."""
    attributes: dict[str, AttributeValue] = {**OPERATIONAL, "order.number": number}
    with tracer.start_as_current_span("POST /orders", attributes=attributes):
        pass


def product(tracer: Tracer, number: int) -> None:
    """Make a span that is one, of values that were seen before."""
    attributes: dict[str, AttributeValue] = {**PRODUCT, "analytics.property.items": number % 5}
    with tracer.start_as_current_span("order", attributes=attributes):
        pass


def texts(tracer: Tracer, number: int) -> None:
    """Make one with texts that were never seen."""
    found = {f"analytics.property.text_{place}": text.format(number) for place, text in enumerate(TEXTS)}
    with tracer.start_as_current_span("order", attributes={"analytics.event": "ticket_written", **found}):
        pass


WORKLOADS: dict[str, Callable[[Tracer, int], None]] = {"operational": operational, "product": product, "texts": texts}


def set_up(folder: str, host: str) -> Tracer:
    """Return a tracer; product events are handled on its caller's thread, up to the disk."""
    os.environ.update(
        OTEL_POSTHOG_STATE_DIR=folder, OTEL_POSTHOG_NOTICE="false", OTEL_POSTHOG_SPOOL_DIR=f"{folder}/spool"
    )
    policy = Path(folder, "policy.yaml")
    policy.write_text("delivery: {durability: write_through, request_timeout_s: 300}\n", encoding="utf-8")
    provider = TracerProvider(shutdown_on_exit=False)
    otel_posthog.configure(policy=str(policy), api_key="phc_bench", host=host, tracer_provider=provider)
    return provider.get_tracer("benchmarks")


def main(name: str, repetitions: int) -> None:
    """Run it, and end without what a program does at its end."""
    # A server that never answers keeps the sending thread where it costs nothing.
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        socket.create_server(("127.0.0.1", 0)) as silent,
    ):
        tracer, work = set_up(folder, f"http://127.0.0.1:{silent.getsockname()[1]}"), WORKLOADS[name]
        for number in range(WARM_UP):
            work(tracer, number)
        if name != "operational":
            silent.accept()
        subprocess.run(["callgrind_control", "-i", "on", str(os.getpid())], stdout=subprocess.DEVNULL, check=True)
        for number in range(WARM_UP, WARM_UP + repetitions):
            work(tracer, number)
        subprocess.run(["callgrind_control", "-i", "off", str(os.getpid())], stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
