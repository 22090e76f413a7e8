"""A journey of a program without the package's set-up, through a real Collector to a gateway."""

from __future__ import annotations

import subprocess
from pathlib import Path

from collector import STACK, collector
from gateway import gateway
from instrumented import instrumented
from processes import PROGRAMS, command

from otel_posthog.testing import FakePostHog, OtlpSink


def test_the_collectors_way_has_the_same_funnel(fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path) -> None:
    """The events, their person and their journey as the gateway's identity mode has them; spans without either."""
    policy, filters = tmp_path / "policy.yaml", tmp_path / "filters.yaml"
    policy.write_text("identity: daily\n")
    compile_it = (command("otel-posthog"), "collector-config", "--policy", str(policy), "--output", str(filters))
    subprocess.run(compile_it, check=True, timeout=60)
    with gateway("--policy", str(policy), posthog=fake_posthog.url, directory=tmp_path) as product:
        environ = {"OTEL_POSTHOG_GATEWAY_ENDPOINT": product.url, "KEPT_TRACES_PERCENT": "100"}
        environ |= {"SAMPLING_DECISION_WAIT": "1s"}
        environ |= dict.fromkeys(("TEMPO_ENDPOINT", "PROMETHEUS_ENDPOINT", "LOKI_ENDPOINT"), otlp_sink.url)
        layers = [filters if each == "privacy" else each for each in STACK]
        with collector(*layers, environ=environ) as made:
            off = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "posthog"}
            run = instrumented(str(PROGRAMS / "plain_journey.py"), otlp=made.url, **off)
            assert run.returncode == 0, run.out
            events = sorted(fake_posthog.wait_for(4), key=lambda each: each.timestamp)
            spans = otlp_sink.wait_for_spans(3)
    names = ["journey_started", "journey_step_completed", "journey_step_completed", "journey_completed"]
    assert [each.event for each in events] == names
    (journey_id,) = {each.properties["journey_id"] for each in events}
    (who,) = {each.distinct_id for each in events}
    assert journey_id.startswith("journey-20")
    assert who.startswith("daily-")
    assert {each.name for each in spans} >= {"journey import", "journey import: read", "journey import: store"}
    kept = run.out.split("kept ")[1].split()[0]
    assert [each for each in (kept, "ada-4711", "analytics.") if each.encode() in otlp_sink.raw_bytes] == []
