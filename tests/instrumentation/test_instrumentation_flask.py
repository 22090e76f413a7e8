"""Who acts in a real Flask app with Flask-Login that knows nothing of us."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_login.signals import user_accessed
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from telemetry import NOBODY, Telemetry

from otel_posthog import capture, set_user
from otel_posthog.actor import request_user
from otel_posthog.actor.request import requests_in_use
from otel_posthog.errors import Guard
from otel_posthog.health import FAULT
from otel_posthog_instrumentation.flask import PostHogFlaskInstrumentor


class User(UserMixin):  # type: ignore[misc]
    """A user of the app's."""

    def __init__(self, name: str) -> None:
        self.id, self.uuid, self.email = name, f"uuid-{name}", f"{name}@" + "example.org"


class Site:
    """The app, a client of it for each user, and what it was asked."""

    def __init__(self) -> None:
        self.flask, self.loads = Flask("site"), list[str]()
        self.flask.config.update(SECRET_KEY="-" * 32, PROPAGATE_EXCEPTIONS=False)
        self.manager = LoginManager(self.flask)
        self.manager.user_loader(self.load)
        self.manager.request_loader(self.load_by_token)
        for path, view in VIEWS.items():
            self.flask.add_url_rule(path, path, view)
        self.responses = list[Any]()

    def load(self, name: str) -> User:
        """Load a user, as an app does from its database."""
        self.loads.append(name)
        return User(name)

    def load_by_token(self, request: Any) -> User | None:
        """Load who has sent a token."""
        token = request.headers.get("Authorization")
        return self.load(token) if token else None

    def client(self) -> Callable[..., Any]:
        """Return what asks as one browser."""
        made = self.flask.test_client()

        def ask(path: str, **headers: str) -> Any:
            return made.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

        return ask


def login(name: str) -> str:
    """Log in."""
    capture("before")
    login_user(User(name), remember=name.startswith("remembered"))
    capture("logged_in")
    return name


def logout() -> str:
    """Log out."""
    logout_user()
    capture("after")
    return "bye"


def shop() -> str:
    """Make an event, without a look at the user."""
    capture("bought")
    return "bought"


def profile() -> str:
    """Make one after a look."""
    name = str(current_user.get_id())
    capture("looked")
    return name


def both() -> str:
    """Make an event before a look."""
    capture("bought")
    return str(current_user.get_id())


def fails() -> str:
    """Make one and fail."""
    capture("tried")
    raise RuntimeError("secret")


async def later() -> str:
    """Make one in a loop."""
    capture("later")
    return "later"


def stream() -> Response:
    """Make one, and answer bit by bit."""
    capture("begun")
    return Response(iter(["a", "b"]))


def said() -> str:
    """Say who acts."""
    set_user("said")
    capture("said")
    return "said"


VIEWS: dict[str, Callable[..., Any]] = {
    "/": lambda: "plain",
    "/login/<name>": login,
    "/logout": logout,
    "/shop": shop,
    "/profile": profile,
    "/both": both,
    "/fails": fails,
    "/later": later,
    "/stream": stream,
    "/said": said,
    "/cart": lambda: str(session.setdefault("cart", 1)),
}


@pytest.fixture(params=["contrib after", "contrib before", "no contrib"])
def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """An app's telemetry, with our instrumentor, and contrib's in either order, or without it."""
    with Telemetry() as made:
        made.use_for_capture(monkeypatch).use_for_requests(monkeypatch)
        made.contrib = request.param != "no contrib"  # type: ignore[attr-defined]
        ours = PostHogFlaskInstrumentor()
        if request.param == "contrib after":
            ours.instrument()
        made.site = site = Site()  # type: ignore[attr-defined]
        if made.contrib:  # type: ignore[attr-defined]
            FlaskInstrumentor().instrument_app(site.flask, tracer_provider=made.tracer_provider)  # type: ignore[no-untyped-call]
        ours.instrument()
        try:
            yield made
        finally:
            ours.uninstrument()


def test_an_event_has_the_user_whom_flask_login_knows(app: Telemetry) -> None:
    """After the log-in: in a view that has not looked, has looked, fails, runs in a loop, streams."""
    site: Site = app.site  # type: ignore[attr-defined]
    ask = site.client()
    assert ask("/shop").data == b"bought"
    assert app.who() == {"bought": NOBODY}
    ask("/login/ada")
    assert app.who() == {"before": NOBODY, "logged_in": "ada"}
    for path, events in {
        "/shop": ["bought"],
        "/profile": ["looked"],
        "/fails": ["tried"],
        "/later": ["later"],
        "/stream": ["begun"],
    }.items():
        site.loads.clear()
        assert (response := ask(path)).status_code == (500 if path == "/fails" else 200)
        assert response.data
        assert app.who() == dict.fromkeys(events, "ada")
        assert site.loads == ["ada"]
    ask("/said")
    assert app.who() == {"said": "said"}
    ask("/logout")
    assert app.who() == {"after": NOBODY}
    ask("/shop")
    assert app.who() == {"bought": NOBODY}


def test_a_request_without_product_events_is_what_it_is_without_us(app: Telemetry) -> None:
    """No loader is called, no session is looked at: all headers are the same, `Vary` and `Set-Cookie` among them."""
    site: Site = app.site  # type: ignore[attr-defined]
    ask, plain = site.client(), Site()
    PostHogFlaskInstrumentor().uninstrument()
    ask_plain = plain.client()
    ask_plain("/login/ada")
    PostHogFlaskInstrumentor().instrument()
    ask("/login/ada")
    for path in ("/", "/cart", "/profile", "/nowhere"):
        site.loads.clear()
        plain.loads.clear()
        found = ask(path)
        PostHogFlaskInstrumentor().uninstrument()
        expected = ask_plain(path)
        PostHogFlaskInstrumentor().instrument()
        assert headers(found) == headers(expected)
        assert site.loads == plain.loads


def headers(response: Any) -> list[tuple[str, str]]:
    """Return all headers; a signed cookie bears the time of its signature, and the rest of it is compared."""
    return [
        (name, value.split(".")[0] if name == "Set-Cookie" and "." in value else value)
        for name, value in response.headers.items()
    ]


@pytest.mark.parametrize("protection", ["basic", "strong"])
@pytest.mark.parametrize("path", ["/shop", "/stream", "/cart", "/both"])
@pytest.mark.parametrize("waits", [True, False])
def test_to_load_the_user_leaves_no_trace(
    waits: bool, path: str, protection: str, app: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in headers nor in cookies, of a session, one to remember, one of another browser that is refused.

    Nor where it happens inside the view, as for an event that may not wait.
    """
    if not waits:
        monkeypatch.setattr(request_user, "MAX_HELD", 0)
    site: Site = app.site  # type: ignore[attr-defined]
    site.manager.session_protection = protection
    plain = Site()
    plain.manager.session_protection = protection
    found, expected = list[Any](), list[Any]()
    for each, seen, is_ours in ((site, found, True), (plain, expected, False)):
        if not is_ours:
            PostHogFlaskInstrumentor().uninstrument()
        for agent in ("one", "another"):
            ask = each.client()
            ask("/login/remembered", User_Agent="one")
            seen += [headers(ask(path, User_Agent=agent)), headers(ask("/cart", User_Agent=agent))]
            made = each.flask.test_client()
            made.set_cookie("remember_token", "remembered|wrong")
            seen.append(headers(made.get(path)))
            made.get("/login/remembered")
            made.delete_cookie("session")
            seen.append(headers(made.get(path)))
    assert found == expected


def test_the_browser_says_session_and_window(app: Telemetry) -> None:
    """By the headers of posthog-js."""
    sent = {"X-POSTHOG-SESSION-ID": "s-4711", "X-POSTHOG-WINDOW-ID": "w-4711"}
    app.site.client()("/shop", **sent)  # type: ignore[attr-defined]
    assert {(each["properties"]["session_id"], each["window_id"]) for each in app.events} == {("s-4711", "w-4711")}


def test_a_remembered_user_is_who_acts(app: Telemetry) -> None:
    """Whose session is gone, and whose cookie is there."""
    site: Site = app.site  # type: ignore[attr-defined]
    made = site.flask.test_client()
    made.get("/login/remembered")
    made.delete_cookie("session")
    app.events.clear()
    made.get("/shop")
    assert app.who() == {"bought": "remembered"}


def test_a_user_of_a_token_is_who_acts(app: Telemetry) -> None:
    """Whom the app's request loader knows."""
    app.site.client()("/shop", Authorization="robot")  # type: ignore[attr-defined]
    assert app.who() == {"bought": "robot"}


def test_a_raising_loader_costs_the_user_only(app: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The response is what it is, and the error is counted."""
    monkeypatch.setattr(Guard, "reraise", False)
    site: Site = app.site  # type: ignore[attr-defined]
    ask = site.client()
    ask("/login/ada")
    app.events.clear()
    monkeypatch.setattr(site.manager, "_user_callback", lambda name: 1 / 0)
    assert ask("/shop").status_code == 200
    assert app.who() == {"bought": NOBODY}
    assert app.counted(FAULT) == {"user_resolve:ZeroDivisionError": 1}


@pytest.mark.parametrize(("attribute", "known_as"), [("uuid", "uuid-ada"), ("get_id", "ada"), ("email", NOBODY)])
def test_the_policy_says_which_attribute_is_the_id(
    attribute: str, known_as: str, app: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An e-mail address is none, unless it says so."""
    how = requests_in_use()
    assert how is not None
    monkeypatch.setattr("otel_posthog.actor.request._requests", how._replace(user_attribute=attribute))
    ask = app.site.client()  # type: ignore[attr-defined]
    ask("/login/ada")
    app.events.clear()
    for path in ("/shop", "/profile"):
        ask(path)
        assert set(app.who().values()) == {known_as}


def test_a_user_of_an_expired_row_is_not_read_twice(app: Telemetry) -> None:
    """An ORM reads again what a commit has let expire: the id is asked for once for each user whom the app loads."""
    site: Site = app.site  # type: ignore[attr-defined]
    reads = []

    class Row(User):
        def get_id(self) -> str:
            reads.append(1)
            return "ada"

    def view() -> str:
        g._login_user = Row("ada")
        for _ in range(5):
            capture("one")
        return ""

    site.flask.add_url_rule("/rows", "/rows", view)
    site.client()("/rows")
    assert (app.who(), len(reads)) == ({"one": "ada"}, 1)


def test_uninstrumented_nothing_is_listened_to(app: Telemetry) -> None:
    """And again instrumented, once: both may be called twice."""
    ours = PostHogFlaskInstrumentor()
    ours.instrument()
    ask = app.site.client()  # type: ignore[attr-defined]
    ask("/login/ada")
    assert app.who()["logged_in"] == "ada"
    ours.uninstrument()
    ours.uninstrument()
    ask("/shop")
    assert app.who() == {"bought": NOBODY}
    ours.instrument()
    ask("/shop")
    assert app.who() == {"bought": "ada"}


def test_one_hundred_users_at_once_over_threads(app: Telemetry) -> None:
    """No event on another person, none without one after log-in, and no id in what is exported."""
    site: Site = app.site  # type: ignore[attr-defined]
    names = [f"person-{number:03}" for number in range(100)]
    clients = {name: site.client() for name in names}
    together = threading.Barrier(10)

    def act(mine: list[str]) -> None:
        for name in mine:
            clients[name](f"/login/{name}")
        together.wait()
        for path in ("/shop", "/profile", "/later"):
            for name in mine:
                clients[name](path, X_Mine=name)

    for path, name in {"/shop": "bought", "/profile": "looked", "/later": "later"}.items():
        site.flask.view_functions[path] = seen(name)
    threads = [threading.Thread(target=act, args=(names[at::10],)) for at in range(10)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    acted = [each for each in app.events if each["event"] in {"bought", "looked", "later"}]
    assert len(acted) == 300
    assert [each for each in acted if each["distinct_id"] != each["properties"]["mine"]] == []
    assert not [
        span for span in app.spans.get_finished_spans() if "person-" in span.to_json().replace("/login/person-", "")
    ]


def seen(name: str) -> Callable[[], Any]:
    """Return a view whose event says whose browser asked."""

    def plain() -> str:
        if name == "looked":
            current_user.get_id()
        capture(name, {"mine": request.headers["X-Mine"]})
        return name

    async def in_loop() -> str:
        return plain()

    return in_loop if name == "later" else plain


def test_flask_login_tells_nobody_else_of_a_request_without_events(app: Telemetry) -> None:
    """Its signal `user_accessed` is the app's: it is sent for the app's own looks alone."""
    site: Site = app.site  # type: ignore[attr-defined]
    ask, told = site.client(), []
    ask("/login/ada")
    with user_accessed.connected_to(lambda *_: told.append(1)):
        ask("/")
        assert told == []
        ask("/profile")
        assert told == [1]


@pytest.mark.parametrize("is_on", [True, False])
def test_what_flask_login_tells_of_accounts_are_events_where_the_policy_says_so(
    is_on: bool, app: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the user whom it names; off, nothing is sent."""
    how = requests_in_use()
    assert how is not None
    monkeypatch.setattr("otel_posthog.actor.request._requests", how._replace(is_derived=lambda _: is_on))
    ask = app.site.client()  # type: ignore[attr-defined]
    ask("/login/ada")
    ask("/logout")
    found = [(each["event"], each["distinct_id"]) for each in app.events if each["event"].startswith("user_")]
    assert found == ([("user_logged_in", "ada"), ("user_logged_out", "ada")] if is_on else [])
