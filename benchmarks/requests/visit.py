"""The requests that every program gets: the same ones in the same order, from one customer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import cycle

from otel_posthog.apps.demo.app import AppError
from otel_posthog.apps.demo.planted import customers
from otel_posthog.apps.demo.traffic import Answer, Browser

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
