"""Who acts in a real Django site, with DRF and allauth, that knows nothing of us."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django_site
import pytest
from django.conf import settings
from django.contrib import auth
from django.db import connection, transaction
from django.test import AsyncClient, Client, override_settings
from django.test.utils import CaptureQueriesContext
from django_site import PASSWORD, user_named
from opentelemetry.instrumentation.django import DjangoInstrumentor
from telemetry import NOBODY, Telemetry

from otel_posthog.actor import request_user
from otel_posthog.actor.request import requests_in_use
from otel_posthog.errors import Guard
from otel_posthog.health import FAULT
from otel_posthog_instrumentation.django import PostHogDjangoInstrumentor

ENGINES = ("db", "cached_db", "cache", "file", "signed_cookies")


@pytest.fixture(scope="module", autouse=True)
def _site() -> None:
    django_site.set_up()


@pytest.fixture(params=["contrib after", "contrib before", "no contrib"])
def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """An app's telemetry, with our instrumentor, and contrib's in either order, or without it."""
    with hooked(request.param, monkeypatch) as made:
        yield made


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """An app's telemetry, with our instrumentor and contrib's."""
    with hooked("contrib before", monkeypatch) as made:
        yield made


@contextmanager
def hooked(order: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """Hook into Django, and be out of it at the end."""
    ours, contrib, has_spans = PostHogDjangoInstrumentor(), DjangoInstrumentor(), order != "no contrib"
    with Telemetry() as made:
        made.use_for_capture(monkeypatch).use_for_requests(monkeypatch)
        if order == "contrib after":
            ours.instrument()
        if has_spans:
            contrib.instrument(tracer_provider=made.tracer_provider)
        ours.instrument()
        try:
            yield made
        finally:
            ours.uninstrument()
            if has_spans:
                contrib.uninstrument()
    assert list(settings.MIDDLEWARE) == django_site.MIDDLEWARE


def browser(name: str | None = None, **options: Any) -> Client:
    """Return the browser of somebody."""
    made = Client(raise_request_exception=False, **options)
    if name is not None:
        made.force_login(user_named(name))
    return made


def id_of(name: str) -> str:
    """Return the id of somebody."""
    return str(user_named(name).pk)


def test_an_event_has_the_user_whom_django_knows(app: Telemetry) -> None:
    """In a view that has not looked, has looked, fails, runs in a loop, is of DRF."""
    nobody, ada = browser(), browser("ada")
    for path, event in {
        "/shop": "bought",
        "/profile": "looked",
        "/fails": "tried",
        "/later": "later",
        "/later_looked": "later_looked",
        "/api": "called",
    }.items():
        assert ada.get(path).status_code == (500 if path == "/fails" else 200)
        assert app.who() == {event: id_of("ada")}
        nobody.get(path)
        assert app.who() == {event: NOBODY}


@pytest.mark.parametrize("engine", ENGINES)
def test_whatever_keeps_the_session_an_event_has_the_user(engine: str, traced: Telemetry) -> None:
    """A database, with a cache before it, a cache, files, the cookie itself."""
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}"):
        browser("ada").get("/shop")
    assert traced.who() == {"bought": id_of("ada")}


def test_of_a_log_in_and_a_log_out_each_event_has_who_acted(app: Telemetry) -> None:
    """Nobody before the log-in, the user until the log-out, nobody afterwards."""
    user_named("ada")
    made = browser()
    made.get("/login", {"name": "ada", "password": PASSWORD})
    assert app.who() == {"before": NOBODY, "after": id_of("ada")}
    made.get("/logout")
    assert app.who() == {"before": id_of("ada"), "after": NOBODY}
    made.get("/login", {"name": "ada", "password": "wrong"})
    assert app.who() == {"before": NOBODY, "after": NOBODY}


def test_a_user_of_a_token_is_who_acts(app: Telemetry) -> None:
    """Whom DRF knows after its own look, and not the session's."""
    from rest_framework.authtoken.models import Token  # noqa: PLC0415 - a model, to which settings come first

    token = Token.objects.get_or_create(user=user_named("robot"))[0].key
    for made in (browser(), browser("ada")):
        assert made.get("/api", headers={"Authorization": f"Token {token}"}).json() == {"user": int(id_of("robot"))}
        assert app.who() == {"called": id_of("robot")}


def test_in_asgi_an_event_has_the_user_too(app: Telemetry) -> None:
    """Of a view in the loop and of one in a thread, with a look and without; nothing that blocks is called there."""
    ada, cookies = user_named("ada"), browser("ada").cookies

    async def ask() -> None:
        made = AsyncClient(raise_request_exception=False)
        made.cookies = cookies
        for path, event in {
            "/shop": "bought",
            "/later": "later",
            "/later_looked": "later_looked",
            "/fails": "tried",
        }.items():
            await made.get(path)
            assert app.who() == {event: str(ada.pk)}

    asyncio.run(ask())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("path", ["/", "/cart", "/profile", "/nowhere", "/shop", "/later"])
def test_a_response_is_what_it_is_without_us(path: str, engine: str, traced: Telemetry) -> None:
    """All headers and cookies; of a user, of nobody, of a session that is gone, of one with another password since.

    Queries too, where there is no product event; where there is one, a look at session and user is all.
    """
    with override_settings(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}"):
        for state in ("user", "nobody", "gone", "stale"):
            found, with_us = asked(path, state)
            PostHogDjangoInstrumentor().uninstrument()
            expected, without_us = asked(path, state)
            PostHogDjangoInstrumentor().instrument()
            assert found == expected
            if path in {"/shop", "/later"}:
                assert with_us[: len(without_us)] == without_us
                assert len(with_us) - len(without_us) <= 2
                assert all(each.startswith("SELECT") for each in with_us[len(without_us) :])
            else:
                assert with_us == without_us


def asked(path: str, state: str) -> tuple[list[list[tuple[str, str]]], list[str]]:
    """Return all headers of two requests of a browser in a state, and the queries of the first."""
    made = browser(None if state == "nobody" else "ada")
    if state == "gone":
        made.session.flush()
        made.cookies[settings.SESSION_COOKIE_NAME] = "0" * 32
    elif state == "stale":
        session = made.session
        session[auth.HASH_SESSION_KEY] = "stale"
        session.save()
    headers = list[list[tuple[str, str]]]()
    with CaptureQueriesContext(connection) as queries:
        headers.append(told(made.get(path)))
    seen = [each["sql"].partition("'")[0] for each in queries.captured_queries]
    headers.append(told(made.get("/cart")))
    return headers, seen


def told(response: Any) -> list[tuple[str, str]]:
    """Return all headers and cookies, without what is random or of the time."""
    cookies = [
        (name, each["max-age"], each["path"], bool(each.value)) for name, each in sorted(response.cookies.items())
    ]
    return [*((name, value) for name, value in response.items()), *map(str, cookies)]  # type: ignore[list-item]


@pytest.mark.parametrize("state", ["user", "nobody", "gone", "stale"])
def test_a_user_who_is_loaded_inside_the_view_leaves_no_trace_either(
    state: str, traced: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for an event that may not wait; what the app does with session and user afterwards is what it is."""
    monkeypatch.setattr(request_user, "MAX_HELD", 0)
    for path in ("/shop", "/both"):
        found, _ = asked(path, state)
        assert set(traced.who().values()) == {id_of("ada") if state == "user" else NOBODY}
        PostHogDjangoInstrumentor().uninstrument()
        expected, _ = asked(path, state)
        traced.events.clear()
        PostHogDjangoInstrumentor().instrument()
        assert found == expected


def test_to_load_a_user_writes_no_session(app: Telemetry) -> None:
    """Of one whose key has been renewed, Django makes another session; here that is the app's to do, when it looks."""
    made = browser("ada")
    key = made.session.session_key
    with override_settings(SECRET_KEY="+" * 50, SECRET_KEY_FALLBACKS=["-" * 50]):
        with CaptureQueriesContext(connection) as queries:
            made.get("/shop")
        assert app.who() == {"bought": id_of("ada")}
    assert [each["sql"][:6] for each in queries.captured_queries] == ["SELECT", "SELECT"]
    assert made.session.session_key == key


def test_a_raising_user_model_costs_the_user_only(app: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The response is what it is, and the error is counted."""
    monkeypatch.setattr(Guard, "reraise", False)
    made = browser("ada")
    monkeypatch.setattr("django.contrib.auth.backends.ModelBackend.get_user", lambda self, user_id: 1 / 0)
    assert made.get("/shop").status_code == 200
    assert app.who() == {"bought": NOBODY}
    assert app.counted(FAULT) == {"user_resolve:ZeroDivisionError": 1}


@pytest.mark.parametrize(("attribute", "known_as"), [("username", "ada"), ("get_username", "ada"), ("email", NOBODY)])
def test_the_policy_says_which_attribute_is_the_id(
    attribute: str, known_as: str, app: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An e-mail address is none, unless it says so."""
    how = requests_in_use()
    assert how is not None
    monkeypatch.setattr("otel_posthog.actor.request._requests", how._replace(user_attribute=attribute))
    for path in ("/shop", "/profile"):
        browser("ada").get(path)
        assert set(app.who().values()) == {known_as}


@pytest.mark.parametrize("headers", [{"Sec-GPC": "1"}, {"DNT": "1"}])
def test_a_browser_that_objects_is_heeded(headers: dict[str, str], app: Telemetry) -> None:
    """Though no instrumentation captures the header; nobody is looked for."""
    made = browser("ada")
    with CaptureQueriesContext(connection) as queries:
        made.get("/shop", headers=headers)
    assert (app.events, app.dropped, queries.captured_queries) == ([], {"consent": 1}, [])


def test_the_browser_says_session_and_window(app: Telemetry) -> None:
    """By the headers of posthog-js."""
    browser("ada").get("/shop", headers={"X-POSTHOG-SESSION-ID": "s-4711", "X-POSTHOG-WINDOW-ID": "w-4711"})
    assert {(each["properties"]["session_id"], each["window_id"]) for each in app.events} == {("s-4711", "w-4711")}


def test_uninstrumented_the_middleware_is_gone(app: Telemetry) -> None:
    """And again instrumented there is one; both may be called twice."""
    ours = PostHogDjangoInstrumentor()
    ours.instrument()
    browser("ada").get("/shop")
    assert [each for each in settings.MIDDLEWARE if "posthog" in each] == [
        "otel_posthog_instrumentation.django_middleware.RequestMiddleware"
    ]
    ours.uninstrument()
    ours.uninstrument()
    assert not [each for each in settings.MIDDLEWARE if "posthog" in each]
    app.events.clear()
    browser("ada").get("/shop")
    assert app.who() == {"bought": NOBODY}
    ours.instrument()
    browser("ada").get("/shop")
    assert app.who() == {"bought": id_of("ada")}


def test_one_hundred_users_at_once_over_threads(traced: Telemetry) -> None:
    """No event on another person, none without one after log-in, and no id in what is exported."""
    names = [f"person-{number:03}" for number in range(100)]
    with transaction.atomic():
        clients = {id_of(name): browser(name) for name in names}
    ids = list(clients)

    def act(mine: list[str]) -> None:
        for path in ("/shop", "/profile", "/later"):
            for each in mine:
                clients[each].get(path, headers={"X-Mine": each})
        connection.close()

    threads = [threading.Thread(target=act, args=(ids[at::10],)) for at in range(10)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    acted = [each for each in traced.events if each["event"] in {"bought", "looked", "later"}]
    assert len(acted) == 300
    assert [each for each in acted if each["distinct_id"] != each["properties"]["mine"]] == []
    assert not [span for span in traced.spans.get_finished_spans() if "987654" in span.to_json(indent=None)]


def test_one_hundred_users_at_once_in_a_loop(traced: Telemetry) -> None:
    """The same in ASGI."""
    names = [f"person-{number:03}" for number in range(100)]
    with transaction.atomic():
        cookies = {id_of(name): browser(name).cookies for name in names}

    async def act(user_id: str) -> None:
        made = AsyncClient()
        made.cookies = cookies[user_id]
        for path in ("/later", "/shop"):
            await made.get(path, headers={"X-Mine": user_id})

    async def all_act() -> None:
        await asyncio.gather(*map(act, cookies))

    asyncio.run(all_act())
    assert len(traced.events) == 200
    assert [each for each in traced.events if each["distinct_id"] != each["properties"]["mine"]] == []


def derived(app: Telemetry, monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """Have events of these words derived."""
    how = requests_in_use()
    assert how is not None
    monkeypatch.setattr("otel_posthog.actor.request._requests", how._replace(is_derived=lambda name: name in words))


ACCOUNTS = ("user_logged_in", "user_logged_out", "login_failed", "user_signed_up", "password_changed")


@pytest.mark.parametrize("is_on", [True, False])
def test_what_django_and_allauth_tell_of_accounts_are_events_where_the_policy_says_so(
    is_on: bool, app: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the user, and of a log-in that failed neither the name nor the reason; off, nothing is sent."""
    derived(app, monkeypatch, *(ACCOUNTS if is_on else ()))
    auth.get_user_model().objects.filter(username="eve").delete()
    made = browser()
    fresh = "battery-staple-9"
    made.post("/accounts/signup/", {"username": "eve", "email": "", "password1": PASSWORD, "password2": PASSWORD})
    eve = id_of("eve")
    made.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": fresh, "password2": fresh})
    made.post("/accounts/logout/")
    made.post("/accounts/login/", {"login": "eve", "password": "wrong"})
    made.post("/accounts/login/", {"login": "eve", "password": fresh})
    found = [(each["event"], each["distinct_id"]) for each in app.events]
    signed_up = [("user_signed_up", eve), ("user_logged_in", eve)]
    expected = [("password_changed", eve), ("user_logged_out", eve), ("login_failed", NOBODY), ("user_logged_in", eve)]
    assert sorted(found[:2]) == sorted(signed_up if is_on else [])
    assert found[2:] == (expected if is_on else [])
    assert not [each for each in app.events if {"eve", PASSWORD, "wrong"} & set(map(str, each["properties"].values()))]
