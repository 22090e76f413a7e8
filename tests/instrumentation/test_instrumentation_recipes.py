"""The recipes of `docs/frameworks.md` for those who set up by hand, as they stand there, in real apps."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django_site
import httpx
import pytest
from django.test import Client, override_settings
from fastapi import FastAPI
from flask import Flask
from flask_login import LoginManager, UserMixin
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from telemetry import Telemetry

from otel_posthog import capture

DOCUMENT = (Path(__file__).parents[2] / "docs" / "frameworks.md").read_text(encoding="utf-8")


def recipe(framework: str) -> str:
    """Return the recipe of a framework."""
    (found,) = re.findall(rf"```python\n# {framework}[^\n]*\n(.*?)```", DOCUMENT, re.DOTALL)
    return str(found)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Telemetry]:
    """An app's telemetry."""
    with Telemetry() as made:
        yield made.use_for_capture(monkeypatch)


def bought() -> str:
    """Make an event."""
    capture("bought")
    return "bought"


def flask_asks(app: Telemetry) -> Callable[[str], object]:
    """Return what asks a Flask app as a user, or as nobody."""
    site = Flask("site")
    site.secret_key = "-" * 32

    def load(request: Any) -> Any:
        name = request.headers.get("x-user")
        if not name:
            return None
        found = UserMixin()
        found.id = name
        return found

    LoginManager(site).request_loader(load)
    FlaskInstrumentor().instrument_app(site, tracer_provider=app.tracer_provider)  # type: ignore[no-untyped-call]
    exec(recipe("Flask"), {"app": site})
    site.add_url_rule("/shop", "shop", bought)
    return lambda name: site.test_client().get("/shop", headers={"x-user": name})


def django_asks(app: Telemetry) -> Callable[[str], object]:
    """Return what asks a Django app as a user, or as nobody."""
    django_site.set_up()
    exec(recipe("Django"), names := dict[str, Any]())
    django_site.who_acts = names["who_acts"]
    contrib = DjangoInstrumentor()

    def ask(name: str) -> None:
        with override_settings(MIDDLEWARE=[*django_site.MIDDLEWARE, "django_site.who_acts"]):
            contrib.instrument(tracer_provider=app.tracer_provider)
            try:
                made = Client()
                if name:
                    made.force_login(django_site.user_named(name))
                made.get("/shop")
            finally:
                contrib.uninstrument()

    return ask


def fastapi_asks(app: Telemetry) -> Callable[[str], object]:
    """Return what asks a FastAPI app as a user, or as nobody."""
    site = FastAPI()
    exec(recipe("FastAPI"), {"app": site})
    site.add_api_route("/shop", bought)
    FastAPIInstrumentor().instrument_app(site, tracer_provider=app.tracer_provider)

    async def ask(name: str) -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://site") as client:
            await client.get("/shop", headers={"x-user": name})

    return lambda name: asyncio.run(ask(name))


@pytest.mark.parametrize("asks", [flask_asks, django_asks, fastapi_asks])
def test_a_recipe_says_who_acts(asks: Callable[[Telemetry], Callable[[str], object]], app: Telemetry) -> None:
    """A user, another one, and nobody."""
    ask = asks(app)
    for name in ("person-001", "person-002", ""):
        ask(name)
        known_as = str(django_site.user_named(name).pk) if name and asks is django_asks else name
        assert app.only["distinct_id"] == (known_as or "installation-1")
        app.events.clear()
