"""What an app with the package exports is derived from nowhere else, whatever state the package is in."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from collector import STACK, collector
from gateway import gateway
from instrumented import SUPPORT, instrumented

from otel_posthog.model import PROCESSED
from otel_posthog.testing import FakePostHog, OtlpSink

POLICY = """
exceptions: {mode: type, recorded_on: all}
derive:
  - {name: request, event: requested, when: {kind: [server]}}
  - {name: job, event: "job_done", when: {signal: log, event_name: ["job.*"]}}
"""
STATES: dict[str, tuple[str, dict[str, str]]] = {
    "no-rule": ("", {}),
    "no-key": ("", {"POSTHOG_API_KEY": ""}),
    "off": ("", {"OTEL_POSTHOG_ENABLED": "false"}),
    "do-not-track": ("", {"DO_NOT_TRACK": "1"}),
    "preview": ("", {"OTEL_POSTHOG_ENABLED": "preview"}),
    "sampler-off": ("", {"OTEL_POSTHOG_SAMPLER": "off"}),
    "mistaken": ("", {"OTEL_POSTHOG_POLICY": "/nowhere.yaml"}),
    "opted-out": ("opted_out", {}),
    "denied": ("denied", {}),
}
PLAIN = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "posthog"}
WAIT_S = 30


class Way:
    """Apps in each state, a real Collector with both sides, a gateway with rules, and what arrived."""

    def __init__(self) -> None:
        self.of_apps, self.operational = FakePostHog(), OtlpSink()
        self.of_gateway, self.received = FakePostHog(), OtlpSink()

    def run(self, folder: Path) -> None:
        """Run each app once; the one without the package last."""
        (folder / "policy.yaml").write_text(POLICY)
        policy = ("--policy", str(folder / "policy.yaml"))
        passing = [f"yaml:service::pipelines::{signal}/product::processors: []" for signal in ("traces", "logs")]
        with gateway(*policy, posthog=self.of_gateway.url, directory=folder) as of_product:
            environ = {
                "OTEL_POSTHOG_GATEWAY_ENDPOINT": of_product.url,
                "KEPT_TRACES_PERCENT": "100",
                "SAMPLING_DECISION_WAIT": "1s",
            }
            environ |= dict.fromkeys(("TEMPO_ENDPOINT", "PROMETHEUS_ENDPOINT", "LOKI_ENDPOINT"), self.operational.url)
            with collector(*STACK, *passing, environ=environ) as made:
                with ThreadPoolExecutor(3) as pool:
                    list(pool.map(lambda state: self._app(made.url, state, folder), STATES))
                self._app(made.url, "plain", folder, PLAIN)
                self.of_gateway.wait_for(3)
                self.operational.wait_for(
                    lambda _: all(each.keys() >= {*STATES, "plain"} for each in self.marks()), WAIT_S
                )
                of_product.tree.end()

    def marks(self) -> list[dict[str, object]]:
        """Return, of spans, log records and metrics, the mark of each app's resource."""
        kinds: Any = (self.operational.spans, self.operational.logs, self.operational.metrics)
        return [
            {each.resource["service.name"]: each.resource.get(PROCESSED) for each in tuple(items)} for items in kinds
        ]

    def _app(self, otlp: str, name: str, folder: Path, environ: dict[str, str] | None = None) -> None:
        state, more = ("", environ) if environ is not None else STATES[name]
        directories = {f"OTEL_POSTHOG_{kind}_DIR": str(folder / name / kind) for kind in ("STATE", "SPOOL")}
        run = instrumented(
            str(SUPPORT / "unmarked.py"),
            *filter(None, [state]),
            otlp=otlp,
            posthog=self.of_apps.url,
            **{"OTEL_SERVICE_NAME": name, **directories, **more},
        )
        assert run.returncode == 0, run.out


@pytest.fixture(name="way", scope="module")
def _way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    made = Way()
    with made.of_apps, made.operational, made.of_gateway:
        made.run(tmp_path_factory.mktemp("processed"))
        yield made


def test_a_gateway_derives_of_the_app_without_the_package_only(way: Way) -> None:
    """Of its span, its log record and its exception; of the others' not one, though all of it was there."""
    events = way.of_gateway.unique_events
    assert {each.properties["service.name"] for each in events} == {"plain"}
    assert sorted(each.event for each in events) == ["$exception", "job_done", "requested"]


def test_every_exported_resource_bears_the_mark(way: Way) -> None:
    """Of spans, log records and metrics, in each state; also behind the Collector's own filters."""
    expected = {**dict.fromkeys(STATES, True), "plain": None}
    assert [{name: marked[name] for name in expected} for marked in way.marks()] == [expected] * 3
