"""One helpdesk of a round, with a PostHog of its own in the state that its condition asks for, and the visit it gets.

Every program gets the same requests in the same order, from one customer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

from benchmarks.requests.condition import API_KEY, Condition
from otel_posthog import environment_variables as env
from otel_posthog.apps.demo.app import AppError, AppProcess, app_environment, helpdesk_parent
from otel_posthog.apps.demo.model import OTLP_ENDPOINT, OTLP_PROTOCOL, Options
from otel_posthog.apps.demo.planted import customers
from otel_posthog.apps.demo.traffic import Answer, Browser
from otel_posthog.testing import FakePostHog

SAMPLER = "parentbased_traceidratio"
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
        environment = _environment(folder, otlp_url, self._server.url, condition.sampling)
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


def _environment(folder: Path, otlp_url: str, posthog_url: str, sampling: float) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "POSTHOG_"))}
    options = Options(0, SAMPLER, sampling, seed=0, keep=False, unprotected=False, environ=environ)
    environment = app_environment(options, folder, helpdesk_parent(folder))
    for name in SDK_INTERVALS:
        environment.pop(name, None)
    destinations = {env.POSTHOG_API_KEY: API_KEY, env.POSTHOG_HOST: posthog_url}
    return environment | destinations | {OTLP_ENDPOINT: otlp_url, OTLP_PROTOCOL: "http/protobuf"}


SEED = 7
SET_UP_REQUESTS = 2
"""How many requests come before the mix: sign-up and login."""

Request = tuple[Callable[[], Answer], int]
"""A request, and the status that it must be answered with."""


class Visit:
    """Sends one request after the other to one app and measures each."""

    def __init__(self, app_url: str) -> None:
        self._customer = customers(SEED)[0]
        self._browser = Browser(app_url, self._customer.address.value)
        self._ticket_path = ""
        self._requests = self._script()

    def send(self) -> float:
        """Send the next request and return its time in seconds, from connecting to the last byte of the answer.

        Raises:
            AppError: It was not answered as it must be; times of errors are not worth comparing.
        """
        request, status = next(self._requests)
        started_s = time.perf_counter()
        answer = request()
        took_s = time.perf_counter() - started_s
        if answer.status != status:
            raise AppError(f"the helpdesk answered {answer.status} instead of {status}")
        return took_s

    def close(self) -> None:
        """Close the connection."""
        self._browser.close()

    def _script(self) -> Iterator[Request]:
        yield from ((self._sign_up, 302), (self._log_in, 302))
        yield from cycle(
            (
                *((self._write, 302), (self._view, 200), (self._reply, 302), (self._view, 200)),
                *((self._search, 200), (self._list, 200), (self._export, 200), (self._report, 200)),
            )
        )

    def _sign_up(self) -> Answer:
        who = self._customer
        form = {"number": who.number.value, "email": who.email.value, "phone": who.phone.value}
        return self._browser.post("/sign-up", form | {"password": who.password.value, "plan": "team"})

    def _log_in(self) -> Answer:
        form = {"email": self._customer.email.value, "password": self._customer.password.value}
        return self._browser.post("/login", form)

    def _write(self) -> Answer:
        who = self._customer
        comment = f"Please call {who.phone.value} or write to {who.email.value}; I paid with {who.card.value}."
        form = {"subject": "The printer is on fire", "comment": comment, "priority": "high", "channel": "web"}
        answer = self._browser.post("/tickets", form)
        self._ticket_path = answer.location
        return answer

    def _view(self) -> Answer:
        return self._browser.get(self._ticket_path)

    def _reply(self) -> Answer:
        return self._browser.post(f"{self._ticket_path}/replies", {"text": f"Call {self._customer.phone.value}."})

    def _search(self) -> Answer:
        return self._browser.get("/search", {"q": self._customer.email.value})

    def _list(self) -> Answer:
        return self._browser.get("/tickets")

    def _export(self) -> Answer:
        return self._browser.get("/export.csv", token=self._customer.token.value)

    def _report(self) -> Answer:
        return self._browser.get("/report")
