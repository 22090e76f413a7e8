"""A policy file under the real `opentelemetry-instrument`: two destinations, a catalog, rules, keys from variables."""

from __future__ import annotations

from pathlib import Path

from instrumented import shop

from otel_posthog.testing import FakePostHog, OtlpSink

POLICY = """\
version: 1
privacy:
  hmac_key: {env: SHOP_HMAC_KEY}
  rules: [{name: totals, keys: [total], method: bucket, bounds: [11, 12]}]
  detectors: {email: hmac, card: mask}
destinations:
  - name: operator
  - name: vendor
    api_key_env: SHOP_VENDOR_KEY
    host: %s
    catalog:
      mode: enforce
      events: {order_placed: {properties: {total: {type: int, min: 0, max: 11}}}, coupon_used: {}}
"""


def test_each_side_gets_what_the_file_says(fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path) -> None:
    """The operator gets all events, by the rules; the vendor gets what is declared and nothing else."""
    with FakePostHog() as vendor:
        path = tmp_path / "policy.yaml"
        path.write_text(POLICY % vendor.url, encoding="utf-8")
        variables = {"OTEL_POSTHOG_POLICY": str(path), "SHOP_VENDOR_KEY": "phc_test", "SHOP_HMAC_KEY": "k" * 40}
        shop(3, otlp=otlp_sink.url, posthog=fake_posthog.url, **variables)
        declared = sorted((each.event, str(each.properties.get("total"))) for each in vendor.unique_events)
        assert all("note" not in each.properties for each in vendor.unique_events)
        assert not any("service.name" in each.properties for each in vendor.unique_events)
    assert len(fake_posthog.unique_events) == 12
    placed = [each.properties for each in fake_posthog.unique_events if each.event == "order_placed"]
    assert sorted(each["total"] for each in placed) == ["11-12", "<11", ">=12"]
    assert {str(each["note"]).partition("#")[0] for each in placed} == {"call [phone] or write [email"}
    assert all(str(each["note"]).endswith("card ****") for each in placed)
    assert len({each["note"] for each in placed}) == 1
    assert [event for event, _ in declared] == ["coupon_used"] * 3 + ["order_placed"] * 3
    assert [total for event, total in declared if event == "order_placed"] == ["11-12", "<11", "None"]


def test_a_key_that_is_missing_is_one_line_and_nothing_is_sent(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """The app runs as ever, and the line says which variable to set."""
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY % "https://eu.i.posthog.com", encoding="utf-8")
    run = shop(1, otlp=otlp_sink.url, posthog=fake_posthog.url, OTEL_POSTHOG_POLICY=str(path))
    assert "the environment variable SHOP_HMAC_KEY is not set" in run.out
    assert not run.has_traceback_of_ours
    assert fake_posthog.events == []
