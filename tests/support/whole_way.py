"""The whole way: help desk, Collector, gateway, PostHog; Prometheus, Jaeger and a file of logs on the other side."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from backends import Jaeger, get, jaeger, prometheus
from collector import STACK, collector
from gateway import gateway
from processes import command, running

from otel_posthog.apps.demo.traffic import Tally, drive
from otel_posthog.testing import FakePostHog

EXAMPLES = Path(__file__).parents[2] / "examples"
REQUESTS, SEED = 80, 11
_LOGS = """
receivers: {otlp: {protocols: {http: {endpoint: "${env:OTLP_HTTP_ENDPOINT}"}}}}
exporters: {file: {path: "${env:LOGS_FILE}"}}
extensions: {health_check: {endpoint: "${env:HEALTH_ENDPOINT}"}}
service: {extensions: [health_check], pipelines: {logs: {receivers: [otlp], exporters: [file]}}}
"""
NOT_OURS = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "posthog"}


@dataclass(frozen=True)
class Ends:
    """The far ends, and what the traffic must yield."""

    posthog: FakePostHog
    prometheus_url: str
    jaeger: Jaeger
    logs_file: Path
    tally: Tally

    @property
    def operational_bytes(self) -> bytes:
        """All that can be asked of the operational side."""
        series = get(f"{self.prometheus_url}/api/v1/series", **{"match[]": '{__name__=~".+"}'})
        return self.logs_file.read_bytes() + str(series).encode() + str(self.traces()).encode()

    def metric(self, query: str) -> list[object]:
        """Return what Prometheus has of `query`."""
        return list(get(f"{self.prometheus_url}/api/v1/query", query=query)["data"]["result"])

    def traces(self) -> list[object]:
        """Return the traces that Jaeger has of the help desk."""
        return self.jaeger.traces("helpdesk")


@contextmanager
def whole_way(folder: Path, **environ: str) -> Iterator[Ends]:
    """Run all of it with traffic to the help desk, and yield the ends once everything has been sent.

    Args:
        folder: For all that is kept.
        environ: Of the help desk.
    """
    (folder / "logs.yaml").write_text(_LOGS)
    logs_file, tally = folder / "logs.json", Tally()
    with ExitStack() as all_of_it:
        enter = all_of_it.enter_context
        posthog, prometheus_url = enter(FakePostHog()), enter(prometheus(folder))
        traces = enter(jaeger(folder))
        logs = enter(collector(folder / "logs.yaml", environ={"LOGS_FILE": str(logs_file)}))
        receiver = enter(gateway(posthog=posthog.url, directory=folder / "gateway"))
        between = enter(
            collector(
                *STACK,
                "yaml:connectors::span_metrics::metrics_flush_interval: 1s",
                environ={
                    "TEMPO_ENDPOINT": traces.otlp_url,
                    "PROMETHEUS_ENDPOINT": f"{prometheus_url}/api/v1/otlp",
                    "LOKI_ENDPOINT": logs.url,
                    "OTEL_POSTHOG_GATEWAY_ENDPOINT": receiver.url,
                    "KEPT_TRACES_PERCENT": "100",
                    "SAMPLING_DECISION_WAIT": "1s",
                },
            )
        )
        _serve(folder, between.url, tally, environ)
        if NOT_OURS.items() <= environ.items():
            posthog.wait_for(tally.expected_events, 60)
        time.sleep(4)  # what comes twice comes now; and the batches of the operational side
        yield Ends(posthog, prometheus_url, traces, logs_file, tally)


def _serve(folder: Path, endpoint: str, tally: Tally, environ: dict[str, str]) -> None:
    """Run the help desk under `opentelemetry-instrument`, send requests to it, and end it."""
    variables = {
        **os.environ,
        "PYTHONPATH": str(EXAMPLES),
        "PYTHONUNBUFFERED": "1",
        "OTEL_SERVICE_NAME": "helpdesk",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        # A rate needs two points: quicker than the requests are over.
        "OTEL_METRIC_EXPORT_INTERVAL": "200",
        "OTEL_POSTHOG_STATE_DIR": str(folder / "app"),
        **environ,
    }
    words = [command("opentelemetry-instrument"), sys.executable, "-m", "helpdesk", "--port", "0"]
    with running(*words, "--database", str(folder / "helpdesk.db"), environ=variables, cwd=folder) as tree:
        (url,) = tree.wait_for(r"Helpdesk is listening on (http://\S+)")
        drive(url, REQUESTS, SEED, tally)
        assert not tally.surprises
        assert tree.end() == 0, tree.out
