"""One helpdesk of a round, with a PostHog of its own in the state that its condition asks for."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from benchmarks.requests.condition import API_KEY, Condition
from benchmarks.requests.visit import Visit
from otel_posthog import environment_variables as env
from otel_posthog.apps.demo.app import AppProcess, app_environment, helpdesk_parent
from otel_posthog.apps.demo.model import OTLP_ENDPOINT, OTLP_PROTOCOL, Options
from otel_posthog.testing import FakePostHog

SAMPLER, SAMPLING = "parentbased_traceidratio", 0.1
# The demo shortens these so that a watcher sees telemetry at once; an app runs with the SDK's own intervals.
SDK_INTERVALS = ("OTEL_BSP_SCHEDULE_DELAY", "OTEL_BLRP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL")


class Program:
    """A helpdesk that is made in one go and started when told to.

    Args:
        condition: The state it runs in.
        folder: Takes its files; exists.
        otlp_url: Where its operational telemetry goes.
        stack: Ends what was started.

    Attributes:
        request_times_s: The times of the requests measured so far.
        exit_s: How long it took to exit, once it has.
    """

    def __init__(self, condition: Condition, folder: Path, otlp_url: str, stack: ExitStack) -> None:
        self.condition = condition
        self.request_times_s: list[float] = []
        self._server = stack.enter_context(FakePostHog(api_key=API_KEY))
        environment = _environment(folder, otlp_url, self._server.url)
        condition.prepare(self._server, environment, folder)
        self._app = AppProcess(folder, environment)
        self._visit: Visit | None = None
        stack.push(self._app)

    @property
    def exit_s(self) -> float:
        """The time from SIGTERM to the end of the process."""
        return self._app.stop_s

    @property
    def delivered_events(self) -> int:
        """How many events its PostHog took."""
        return len(self._server.unique_events)

    def start(self) -> None:
        """Start the helpdesk and wait until it listens; raises `AppError` if it does not."""
        self._app.__enter__()
        self._visit = Visit(self._app.url)

    def take_turn(self, requests: int, *, measured: bool = True) -> None:
        """Send the next `requests` requests."""
        assert self._visit is not None
        times_s = [self._visit.send() for _ in range(requests)]
        if measured:
            self.request_times_s.extend(times_s)

    def stop(self) -> None:
        """End the helpdesk as a service manager would, and measure that."""
        if self._visit is not None:
            self._visit.close()
        self._app.stop()


def _environment(folder: Path, otlp_url: str, posthog_url: str) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "POSTHOG_"))}
    options = Options(0, SAMPLER, SAMPLING, seed=0, keep=False, unprotected=False, environ=environ)
    environment = app_environment(options, folder, helpdesk_parent(folder))
    for name in SDK_INTERVALS:
        environment.pop(name, None)
    destinations = {env.POSTHOG_API_KEY: API_KEY, env.POSTHOG_HOST: posthog_url}
    return environment | destinations | {OTLP_ENDPOINT: otlp_url, OTLP_PROTOCOL: "http/protobuf"}
