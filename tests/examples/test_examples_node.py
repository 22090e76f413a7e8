"""The Node.js service: what it says in plain OpenTelemetry arrives as PostHog events, under the same filters."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from collector import STACK, collector
from gateway import gateway
from needs import needs
from node import example
from ports import free_port
from processes import running

from otel_posthog.testing import FakePostHog, OtlpSink

MAIL, USER = "jo@planted.example.org", "u-4711"
QUICK = "yaml:exporters::otlp_http/gateway::sending_queue::batch::flush_timeout: 50ms"


@contextmanager
def service(endpoint: str) -> Iterator[str]:
    """Run the service, and yield where it is; it has sent everything at the end."""
    node, port = needs("node", "it runs the service"), free_port()
    environ = {
        **os.environ,
        "PORT": str(port),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_METRICS_EXPORTER": "none",
    }
    words = [node, "--require", "./telemetry.js", "server.js"]
    with running(*words, environ=environ, cwd=example("node-service")) as tree:
        tree.wait_for("ticket shop on")
        yield f"http://127.0.0.1:{port}"
        assert tree.end() == 0, tree.out


def ask(url: str, path: str, **query: str) -> Any:
    """Return what the service answers."""
    request = urllib.request.Request(f"{url}{path}?{urlencode(query)}", headers={"x-user": USER})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def buy(url: str) -> None:
    """Search, order, and order what there is not."""
    assert ask(url, "/search", q="con") == {"found": ["concert"]}
    assert ask(url, "/order", show="concert", note=f"write to {MAIL}", mail=MAIL) == {"ordered": "concert"}
    assert ask(url, "/order", show="opera", mail=MAIL) == {"refused": "opera"}


def test_its_events_arrive_and_nothing_personal_does(tmp_path: Path) -> None:
    """Straight to the gateway: a log-based event, spans, a span event, an exception by its type; no address."""
    with FakePostHog() as posthog, gateway(posthog=posthog.url, directory=tmp_path) as receiver:
        with service(receiver.url) as url:
            buy(url)
        posthog.wait_for(5)
    assert {each.event for each in posthog.unique_events} == {
        "search_performed",
        "ticket_ordered",
        "payment_chosen",
        "$exception",
    }
    ordered = {each.properties["show"]: each.properties for each in posthog.named("ticket_ordered")}
    assert ordered["concert"]["note"] == "write to [email]"
    assert ordered["concert"]["price"] == 49
    assert b"planted.example" not in posthog.raw_bytes
    assert USER.encode() not in posthog.raw_bytes
    assert posthog.duplicates == 0


def test_the_personal_data_was_there_to_be_found(tmp_path: Path) -> None:
    """The control: what the service sends has the address and the user's id."""
    with OtlpSink() as sink, service(sink.url) as url:
        buy(url)
        sink.wait_for(lambda got: len(got.spans) >= 5 and len(got.logs) >= 1)
    assert MAIL.encode() in sink.raw_bytes
    assert USER.encode() in sink.raw_bytes


def test_through_a_collector_both_sides_get_their_own(tmp_path: Path) -> None:
    """Product events through the gateway, spans of the HTTP server to the Grafana side, each clean of the other."""
    layers = (*STACK, QUICK)
    with FakePostHog() as posthog, OtlpSink() as stack:
        backends = dict.fromkeys(("TEMPO_ENDPOINT", "PROMETHEUS_ENDPOINT", "LOKI_ENDPOINT"), stack.url)
        with gateway(posthog=posthog.url, directory=tmp_path) as receiver:
            environ = {"OTEL_POSTHOG_GATEWAY_ENDPOINT": receiver.url, "SAMPLING_DECISION_WAIT": "50ms", **backends}
            with collector(*layers, environ={**environ, "KEPT_TRACES_PERCENT": "100"}) as between:
                with service(between.url) as url:
                    buy(url)
                posthog.wait_for(5)
                stack.wait_for(lambda got: len(got.spans) >= 5)
    assert len(posthog.named("ticket_ordered")) == 2
    assert {span.name for span in stack.spans} >= {"GET", "place order"}
    for side in (posthog.raw_bytes, stack.raw_bytes):
        assert b"planted.example" not in side
        assert USER.encode() not in side
    assert b"analytics." not in stack.raw_bytes
