"""Links to traces through a real Collector and the gateway, of spans, and of log records by their flags."""

from __future__ import annotations

from pathlib import Path

from collector import collector
from gateway import gateway, logs_request, spans_request

from otel_posthog.testing import FakePostHog

LAYERS = ("base", "privacy", "posthog", "yaml:exporters::otlp_http/gateway::sending_queue::batch::flush_timeout: 50ms")
TRACE, SPAN = bytes(range(16)), bytes(range(8))


def test_an_event_says_what_the_app_had_decided(tmp_path: Path) -> None:
    """A record whose flags say so has a link, one whose flags do not has none, and a span was sampled."""
    (tmp_path / "policy.yaml").write_text("trace_url: {jaeger: 'https://jaeger.example'}\n", encoding="utf-8")
    logs = logs_request("yes", "no", "alone")
    for number, record in enumerate(logs.resource_logs[0].scope_logs[0].log_records[:2]):
        record.trace_id, record.span_id, record.flags = TRACE, SPAN, 1 - number
    policy = ("--policy", str(tmp_path / "policy.yaml"))
    with (
        FakePostHog() as posthog,
        gateway(*policy, posthog=posthog.url, directory=tmp_path) as made,
        collector(*LAYERS, environ={"OTEL_POSTHOG_GATEWAY_ENDPOINT": made.url}) as relay,
    ):
        assert relay.post("/v1/logs", logs.SerializeToString()) == 200
        assert relay.post("/v1/traces", spans_request("span").SerializeToString()) == 200
        posthog.wait_for(4)
    said = {each.event: each.properties for each in posthog.unique_events}
    decided = {name: each.get("trace_sampled") for name, each in said.items()}
    assert decided == {"yes": True, "no": False, "alone": None, "span": True}
    assert {name for name, each in said.items() if "trace_url" in each} == {"yes", "span"}
    assert said["yes"]["trace_url"] == f"https://jaeger.example/trace/{TRACE.hex()}?uiFind={SPAN.hex()}"
