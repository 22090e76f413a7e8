"""The demo's traffic: every customer visits the helpdesk, four at a time, each with a browser of their own.

A visit is a fixed script of requests, filled with the customer's personal data. The tally counts what must come of
them; it uses no telemetry. Runs on threads of its own.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from itertools import cycle, islice
from urllib.parse import quote, urlencode, urlsplit

from otel_posthog.apps.demo.planted import CUSTOMERS, Customer, Planted, customers

CONCURRENCY = 4
EVENT_NAMES = (
    *("user_signed_up", "user_logged_in", "ticket_created", "ticket_viewed", "ticket_replied"),
    *("search_performed", "report_exported"),
)
"""The product events that visits yield, in the order in which they come first."""

SUBJECTS = ("The printer is on fire", "Cannot log in", "Invoice looks wrong", "Export is empty", "It is very slow")
RESPONSE_TIMEOUT_S = 30.0


def drive(app_url: str, requests: int, seed: int, tally: Tally) -> None:
    """Send `requests` requests to the helpdesk at `app_url` and count in `tally` what they must yield.

    Each customer's requests come in order; which customers are served at the same time is left to the scheduler, so
    that the counts are the same on every run and the interleaving is not.
    """
    share, rest = divmod(requests, CUSTOMERS)
    with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="visitor") as visitors:
        visits = [
            visitors.submit(Visitor(customer, app_url, tally, seed + index).visit, share + (index < rest))
            for index, customer in enumerate(customers(seed))
        ]
    for visit in visits:
        visit.result()


@dataclass(frozen=True, slots=True)
class Step:
    """One request: its answer, and what that must have been.

    Attributes:
        answer: What the app answered.
        status: The status it should have answered with.
        event: The product event that it must yield, if any.
        planted: The personal values that it carried, apart from the address that all of them carry.
    """

    answer: Answer
    status: int
    event: str | None
    planted: tuple[Planted, ...]


class Visitor:
    """Plays the script; the same seed plays the same one."""

    def __init__(self, customer: Customer, app_url: str, tally: Tally, seed: int) -> None:
        self._customer = customer
        self._browser = Browser(app_url, customer.address.value)
        self._tally = tally
        self._rng = random.Random(seed)  # noqa: S311 (repeatable; guards nothing)
        self._ticket_path = ""

    def visit(self, requests: int) -> None:
        """Send `requests` requests, one after the other."""
        for step in islice(self._script(), requests):
            self._take(step)
        self._browser.close()

    def _script(self) -> Iterator[Callable[[], Step]]:
        yield from (self._sign_up, self._mistype, self._log_in)
        yield from cycle(
            (
                *(self._write, self._view, self._reply, self._view, self._search, self._page, self._export),
                *(
                    self._view,
                    self._listing,
                    self._integrate,
                    self._reply,
                    self._refund,
                    self._search_number,
                    self._report,
                ),
            )
        )

    def _take(self, take: Callable[[], Step]) -> None:
        name = take.__name__.strip("_")
        try:
            step = take()
        except (OSError, HTTPException) as error:
            self._tally.surprise(f"{name}: {error!r}")
            return
        if step.answer.status != step.status:
            self._tally.surprise(f"{name}: status {step.answer.status} instead of {step.status}")
        else:
            self._tally.add(step.event, (self._customer.address, *step.planted))

    def _sign_up(self) -> Step:
        who = self._customer
        planted = (who.number, who.email, who.phone, who.password)
        form = {"number": who.number.value, "email": who.email.value, "phone": who.phone.value}
        form |= {"password": who.password.value, "plan": self._rng.choice(("free", "team", "business"))}
        return Step(self._browser.post("/sign-up", form), 302, "user_signed_up", planted)

    def _mistype(self) -> Step:
        who = self._customer
        form = {"email": who.email.value, "password": who.password.value + "x"}
        return Step(self._browser.post("/login", form), 302, None, (who.email, who.password))

    def _log_in(self) -> Step:
        who = self._customer
        form = {"email": who.email.value, "password": who.password.value}
        return Step(self._browser.post("/login", form), 302, "user_logged_in", (who.email, who.number))

    def _write(self) -> Step:
        who = self._customer
        comment = (
            f"Please call {who.phone.value} or write to {who.email.value}. "
            f"I paid with {who.card.value}, from {who.address.value}."
        )
        form = {"subject": self._rng.choice(SUBJECTS), "comment": comment}
        form |= {
            "priority": self._rng.choice(("low", "normal", "high")),
            "channel": self._rng.choice(("web", "mail")),
        }
        answer = self._browser.post("/tickets", form)
        self._ticket_path = answer.location
        if answer.status == 302:
            self._tally.keep(TypedTicket(int(answer.location.rpartition("/")[2]), comment, who.email.value))
        return Step(answer, 302, "ticket_created", (who.phone, who.email, who.card, who.number))

    def _view(self) -> Step:
        return Step(self._browser.get(self._ticket_path), 200, "ticket_viewed", (self._customer.email,))

    def _reply(self) -> Step:
        form = {"text": f"Any news? My number is {self._customer.phone.value}."}
        answer = self._browser.post(f"{self._ticket_path}/replies", form)
        return Step(answer, 302, "ticket_replied", (self._customer.email, self._customer.phone))

    def _search(self) -> Step:
        answer = self._browser.get("/search", {"q": self._customer.email.value})
        return Step(answer, 200, "search_performed", (self._customer.email,))

    def _search_number(self) -> Step:
        # A form writes the spaces of a phone number as plus signs.
        answer = self._browser.get("/search", {"q": self._customer.phone.value})
        return Step(answer, 200, "search_performed", (self._customer.phone,))

    def _export(self) -> Step:
        answer = self._browser.get("/export.csv", token=self._customer.token.value)
        return Step(answer, 200, "report_exported", (self._customer.token, self._customer.email))

    def _page(self) -> Step:
        return Step(self._browser.get(self._page_path()), 200, None, (self._customer.email,))

    def _integrate(self) -> Step:
        who = self._customer
        answer = self._browser.post(
            f"{self._page_path()}/integration", {"api_key": who.api_key.value}, token=who.token.value
        )
        return Step(answer, 302, None, (who.api_key, who.token))

    def _refund(self) -> Step:
        answer = self._browser.post(f"{self._ticket_path}/refund", {"card": self._customer.card.value})
        return Step(answer, 500, None, (self._customer.card, self._customer.email))

    def _listing(self) -> Step:
        return Step(self._browser.get("/tickets"), 200, None, ())

    def _report(self) -> Step:
        return Step(self._browser.get("/report"), 200, None, ())

    def _page_path(self) -> str:
        return f"/customers/{quote(self._customer.email.value, safe='')}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the app.

    Attributes:
        status: The HTTP status.
        location: Where a redirect leads to, else empty.
    """

    status: int
    location: str


class Browser:
    """Sends requests to one app, from one address, and keeps its cookies; redirects are not followed."""

    def __init__(self, app_url: str, address: str) -> None:
        url = urlsplit(app_url)
        self._connection = HTTPConnection(url.hostname or "", url.port, timeout=RESPONSE_TIMEOUT_S)
        self._address = address
        self._cookies: SimpleCookie = SimpleCookie()

    def get(self, path: str, query: Mapping[str, str] | None = None, token: str = "") -> Answer:
        """Send a GET request."""
        return self._send("GET", f"{path}?{urlencode(query)}" if query else path, None, token)

    def post(self, path: str, form: Mapping[str, str], token: str = "") -> Answer:
        """Send a form."""
        return self._send("POST", path, urlencode(form), token)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _send(self, method: str, target: str, body: str | None, token: str) -> Answer:
        self._connection.request(method, target, body, self._headers(token))
        with self._connection.getresponse() as response:
            response.read()
            for cookie in response.headers.get_all("Set-Cookie", ()):
                self._cookies.load(cookie)
            return Answer(response.status, response.headers.get("Location", ""))

    def _headers(self, token: str) -> dict[str, str]:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "otel-posthog-demo",
            "X-Forwarded-For": self._address,
        }
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={cookie.value}" for name, cookie in self._cookies.items())
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return headers


@dataclass(frozen=True, slots=True)
class TypedTicket:
    """What a customer typed into the form of one ticket.

    Attributes:
        ticket_id: The ticket's number, which finds its event and its lines in the log.
        comment: The text.
        email: The customer's address, which the app adds to the event by itself.
    """

    ticket_id: int
    comment: str
    email: str


@dataclass(slots=True)
class Tally:
    """Counts of what was done; every visitor adds to the same one.

    Attributes:
        requests: Requests that were answered.
        events: Product events that the answered requests must yield, by name.
        planted: Personal values that those requests carried.
        surprises: Answers other than those the script expects, in words.
        ticket: The first ticket, as it was typed.
    """

    requests: int = 0
    events: Counter[str] = field(default_factory=Counter)
    planted: set[Planted] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)
    ticket: TypedTicket | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, event: str | None, planted: tuple[Planted, ...]) -> None:
        """Note one request, the event it must yield, and the values that went with it."""
        with self._lock:
            self.requests += 1
            self.planted.update(planted)
            if event:
                self.events[event] += 1

    def surprise(self, what: str) -> None:
        """Note a request that was not answered as expected."""
        with self._lock:
            self.requests += 1
            self.surprises.append(what)

    def keep(self, ticket: TypedTicket) -> None:
        """Keep `ticket` as the sample to show, if it is the first."""
        with self._lock:
            self.ticket = self.ticket or ticket

    @property
    def expected_events(self) -> int:
        """How many product events must arrive."""
        return self.events.total()
