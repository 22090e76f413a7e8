"""The SDK's configuration file: the one in `examples/` as it is, and what can be written in one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from instrumented import Run, shop
from shop import MAIL

from otel_posthog.testing import FakePostHog, OtlpSink

READY = Path(__file__).resolve().parents[2] / "examples" / "otel-config.yaml"
EVENTS = {"order_placed": 3, "coupon_used": 3, "receipt_sent": 3, "order_logged": 3}


def run(sink: OtlpSink, posthog: FakePostHog, config: Path, **environ: str) -> Run:
    """Run the shop with a configuration file."""
    return shop(3, otlp=sink.url, posthog=posthog.url, OTEL_CONFIG_FILE=str(config), **environ)


def changed(folder: Path, old: str, new: str) -> Path:
    """Return the ready file with one thing written otherwise."""
    text = READY.read_text(encoding="utf-8")
    assert old in text
    path = folder / "otel-config.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def assert_clean(sink: OtlpSink) -> None:
    """Require that no product data and no planted value is on the operational side."""
    assert b"analytics." not in sink.raw_bytes
    assert MAIL.encode() not in sink.raw_bytes


def test_the_ready_file_works_as_it_is(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """Traces, metrics and logs over OTLP, product events to PostHog, apart, with nothing said twice."""
    done = run(otlp_sink, fake_posthog, READY)
    assert Counter(each.event for each in fake_posthog.events) == EVENTS
    assert Counter(each.name for each in otlp_sink.spans) == {"place": 3, "GET /order/[email]": 3}
    assert {each.resource["service.name"] for each in otlp_sink.spans} == {"shop"}
    assert Counter(each.body for each in otlp_sink.logs) == {"order by [email]": 3, "stock is low": 3}
    assert "shop.orders" in {each.name for each in otlp_sink.metrics}
    assert_clean(otlp_sink)
    assert "set up already" not in done.out
    assert "already instrumented" not in done.out


def test_spans_that_the_files_sampler_drops_yield_product_events(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """A ratio of 0 leaves no operational span, and every product event."""
    run(otlp_sink, fake_posthog, READY, TRACES_RATIO="0.0")
    assert Counter(each.event for each in fake_posthog.events) == EVENTS
    assert otlp_sink.spans == []


def test_options_in_the_file_win_over_the_environment(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """The policy that the file names is in force from the first event, whatever the variable says."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nprivacy: {also_sensitive_keys: [code]}\n", encoding="utf-8")
    config = changed(tmp_path, "policy: ${OTEL_POSTHOG_POLICY:-}", f"policy: {policy}")
    run(otlp_sink, fake_posthog, config, OTEL_POSTHOG_POLICY="/nowhere.yaml")
    assert {"code" in each.properties for each in fake_posthog.named("coupon_used")} == {False}
    assert Counter(each.event for each in fake_posthog.events) == EVENTS


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("polcy: strict.yaml", "the instrumentor posthog has no option 'polcy'; there are policy,"),
        ("policy: /nowhere/strict.yaml", "/nowhere/strict.yaml: the policy cannot be read"),
    ],
)
def test_a_mistake_in_an_option_sends_nothing_and_is_one_line(
    written: str, line: str, fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """A policy that was meant to be stricter is not replaced by the built-in one; the rest of the telemetry goes on."""
    done = run(otlp_sink, fake_posthog, changed(tmp_path, "sampler: all", written + "\n"))
    assert len([each for each in done.out.splitlines() if line in each]) == 1, done.out
    assert fake_posthog.requests == []
    assert len(otlp_sink.spans) == 6
    assert_clean(otlp_sink)


def test_enabled_false_in_the_file_leaves_the_package_out(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """The hook does not set up what the file has switched off: nothing is sent, and nothing is stripped either."""
    run(otlp_sink, fake_posthog, changed(tmp_path, "sampler: all", "enabled: false"))
    assert fake_posthog.requests == []
    assert b"analytics.event" in otlp_sink.raw_bytes


def test_samplers_and_exporters_are_there_by_name(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """`posthog` in the file's places for a sampler and for exporters, with the set-up beside them: each event once."""
    text = READY.read_text(encoding="utf-8")
    exporter = "  processors:\n    - batch: {exporter: {posthog: }}\n"
    text = text.replace("  processors:\n", exporter)
    text = text.replace(
        "    parent_based:\n      root:\n        trace_id_ratio_based:\n          ratio: ${TRACES_RATIO:-1.0}",
        "    posthog: {}",
    )
    assert text.count("posthog:") == 4
    config = tmp_path / "names.yaml"
    config.write_text(text, encoding="utf-8")
    done = run(otlp_sink, fake_posthog, config)
    assert Counter(each.event for each in fake_posthog.events) == EVENTS
    assert len([line for line in done.out.splitlines() if "nothing to do, and nothing is sent twice" in line]) == 1
    assert_clean(otlp_sink)
