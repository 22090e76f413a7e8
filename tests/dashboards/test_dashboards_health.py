"""The health dashboard and the alert rules, asked of a real Prometheus with the metrics of a real app, well and not."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from backends import cached, get, prometheus, until
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from shown import GRAFANA, answers, asked, filled, labels, rules, variables

import otel_posthog
from otel_posthog import Policy, configure
from otel_posthog.policy import DeliveryPolicy, Destination
from otel_posthog.setup import configure as module
from otel_posthog.testing import FakePostHog
from otel_posthog.testing.fake_posthog import Fault

RESOURCE = Resource({"service.name": "shop", "service.instance.id": "one", "deployment.environment.name": "test"})
OF_AN_APP = {
    "ProductEventsLost", "ProductEventsWait", "ProductEventsSpoolFills", "ProductEventsDeliveryFails",
    "ProductEventsDiskFails", "ProductEventsFault",
}  # fmt: skip
# What takes a quarter of an hour, or half a gigabyte, is here as soon as there is any of it.
SOONER = {"> 900": "> 1", "> 419430400": "> 60000"}


class App:
    """An app whose metrics go to Prometheus twice a second."""

    def __init__(self, url: str, posthog: FakePostHog) -> None:
        self.url, self.posthog = url, posthog
        exporter = OTLPMetricExporter(f"{url}/api/v1/otlp/v1/metrics")
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=500)
        self._meters = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
        self._traces = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
        quick = DeliveryPolicy(retry_initial_s=0.05, retry_max_s=0.2)
        destinations = (Destination(api_key="phc_test", host=posthog.url),)
        policy = Policy(destinations=destinations, delivery=quick)
        configure(policy=policy, meter_provider=self._meters, tracer_provider=self._traces)

    def work(self, **attributes: Any) -> None:
        """Make an event with a property that the filters take."""
        given = {"analytics.event": "e", "analytics.property.note": "mail ada@example.org", **attributes}
        self._traces.get_tracer("t").start_span("op", attributes=given).end()

    def close(self) -> None:
        """Export what is left."""
        self._meters.shutdown()

    def alarms(self) -> dict[str, list[Any]]:
        """Return what each rule of an app returns now."""
        found = {}
        for rule in rules():
            query = rule["expr"]
            for late, soon in SOONER.items():
                query = query.replace(late, soon)
            found[rule["alert"]] = answers(self.url, query)
        return {name: found[name] for name in OF_AN_APP}


@pytest.fixture(name="app")
def _app(not_set_up: None, tmp_path: Path, fake_posthog: FakePostHog) -> Iterator[App]:
    cached("prometheus")
    with prometheus(tmp_path) as url:
        made = App(url, fake_posthog)
        yield made
        otel_posthog.shutdown(1)
        made.close()


def value(url: str, panel: str) -> float:
    """Return what a panel of one number shows."""
    (query,) = [each for each in asked("health") if each.panel == panel]
    (found,) = answers(url, filled(query.text))
    return float(found["value"][1])


def test_every_panel_and_rule_answers_when_it_should(app: App) -> None:
    """Of an app that is well no rule fires and nothing is lost; refused, ill and lost show in each panel and rule."""
    for _ in range(20):
        app.work()
    assert otel_posthog.flush(10)
    until(lambda: answers(app.url, 'otel_posthog_events_total{outcome="delivered"} >= 20'))
    until(lambda: answers(app.url, "rate(otel_posthog_events_total[1m])"))
    assert (value(app.url, "Lost"), value(app.url, "Delivered")) == (0, 20)
    assert {name for name, found in app.alarms().items() if found} == set()

    running = module.running()
    assert running is not None
    app.work(**{"analytics.consent": False})  # nobody lost that
    app.posthog.fault(Fault(status=400, times=3))
    app.work()
    assert otel_posthog.flush(10)
    app.posthog.fault(Fault(status=503, times=None))
    for _ in range(200):
        app.work()
    running.health.count("storage_error", "disk_full")
    running.health.count("fault", "somewhere:ValueError")
    with suppress(AssertionError):
        until(lambda: all(app.alarms().values()), 20)
    assert {name for name, found in app.alarms().items() if not found} == set()
    (gone,) = app.alarms()["ProductEventsLost"]
    assert gone["metric"]["reason"] != "consent"
    assert value(app.url, "Lost") == 1
    time.sleep(1)
    silent = {each for each in asked("health") if not answers(app.url, filled(each.text))}
    assert {each.panel for each in silent} == set()
    app.posthog.clear_faults()


def test_what_can_be_chosen_is_what_there_is(app: App) -> None:
    """Deployment, service and instance are offered, by the names that the metrics have."""
    app.work()
    assert otel_posthog.flush(10)
    expected = {"deployment": "test", "service": "shop", "instance": "one"}
    until(lambda: answers(app.url, "otel_posthog_events_total"))
    offered = {name: labels(app.url, selector, label) for name, selector, label in variables("health")}
    assert offered == {name: [word] for name, word in expected.items()}


def test_rules_are_read_by_a_real_prometheus(tmp_path: Path) -> None:
    """Each is loaded, evaluated and well, with the settings that are shipped."""
    cached("prometheus")
    settings = (GRAFANA / "prometheus.yaml").read_text(encoding="utf-8")
    (tmp_path / "prometheus-rules.yaml").write_text((GRAFANA / "prometheus-rules.yaml").read_text(encoding="utf-8"))
    settings = re.sub("(scrape|evaluation)_interval: .*", r"\1_interval: 1s", settings)
    with prometheus(tmp_path, settings) as url:

        def loaded() -> list[Any]:
            groups = get(f"{url}/api/v1/rules")["data"]["groups"]
            return [rule for group in groups for rule in group["rules"]]

        assert [each["name"] for each in loaded()] == [each["alert"] for each in rules()]
        assert {each.get("lastError", "") for each in loaded()} == {""}
