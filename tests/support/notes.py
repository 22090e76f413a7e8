"""The notes apps of `examples/`, which have no line of analytics, and people who use them all at once."""

from __future__ import annotations

import http.client
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from ports import free_port
from processes import Tree, command, environment, running

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PASSWORD = "open sesame 42"
TIMEOUT_S = 120

_GUNICORN = ("gunicorn", "--workers", "2", "--threads", "8", "--bind", "127.0.0.1:{port}")
_UVICORN = (
    "uvicorn",
    "--workers",
    "2",
    "--timeout-worker-healthcheck",
    "60",
    "--host",
    "127.0.0.1",
    "--port",
    "{port}",
)
SERVED = {
    "flask": (*_GUNICORN, "notes_flask.app:app"),
    "django": (*_GUNICORN, "notes_django.wsgi:application"),
    "django-async": (*_UVICORN, "--lifespan", "off", "notes_django.asgi:application"),
    "fastapi": (*_UVICORN, "notes_fastapi.app:app"),
}
TABLES = {"flask": "user", "django": "notes_django_user", "django-async": "notes_django_user", "fastapi": "user"}


@dataclass(frozen=True)
class Step:
    """A request that somebody made.

    Attributes:
        name: Which one.
        email: Whose it is.
        status: Of its answer.
    """

    name: str
    email: str
    status: int


@dataclass
class Visit:
    """What one person does, over one connection, with the trace of every request in hand.

    Attributes:
        number: Of the person; part of every trace id.
        port: The app's.
        steps: Trace id -> what was done in it.
    """

    number: int
    port: int
    steps: dict[str, Step] = field(default_factory=dict)
    _cookies: dict[str, str] = field(default_factory=dict)

    @property
    def email(self) -> str:
        """The name to log in with."""
        return f"person{self.number}@planted.example.org"

    def all(self) -> dict[str, Step]:
        """Sign up, fail to log in, log in, use every screen, log out; return `steps`."""
        account = {"email": self.email, "password": PASSWORD}
        self.ask("home", "GET", "/")
        self.ask("sign up", "POST", "/sign-up", account)
        self.ask("log in wrongly", "POST", "/login", {**account, "password": "wrong"})
        self.ask("log in", "POST", "/login", account)
        self.ask("notes", "GET", "/notes")
        self.ask("write", "POST", "/notes", {"text": f"call {self.email}"})
        self.ask("note", "GET", "/notes/1000000")
        self.ask("search", "GET", "/search?" + urlencode({"q": self.email}))
        self.ask("export", "GET", "/export")
        self.ask("report", "GET", "/report")
        self.ask("api", "GET", "/api/notes")
        self.ask("broken api", "GET", "/api/broken")
        self.ask("broken", "GET", "/broken?" + urlencode({"email": self.email}))
        self.ask("log out", "POST", "/logout", {})
        self.ask("home again", "GET", "/")
        return self.steps

    def ask(self, name: str, method: str, path: str, form: Mapping[str, str] | None = None) -> int:
        """Make one request in a trace of its own and return its status."""
        trace = f"{self.number + 1:016x}{len(self.steps) + 1:016x}"
        headers = {"traceparent": f"00-{trace}-{1:016x}-01"}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{key}={value}" for key, value in self._cookies.items())
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        for each in answer.headers.get_all("Set-Cookie") or ():
            key, _, value = each.partition(";")[0].partition("=")
            self._cookies[key] = value
        self.steps[trace] = Step(name, self.email, answer.status)
        return answer.status


@contextmanager
def notes_app(name: str, folder: Path, *, otlp: str, posthog: str | None, **environ: str) -> Iterator[tuple[Tree, int]]:
    """Run an app under `opentelemetry-instrument`, with two workers.

    Args:
        name: One of `SERVED`.
        folder: Where its database is.
        otlp: The OTLP/HTTP endpoint.
        posthog: The PostHog host.
        environ: Further variables.

    Yields:
        Its processes, and its port once it answers.
    """
    port = free_port()
    program, *words = (each.format(port=port) for each in SERVED[name])
    made = environment(otlp=otlp, posthog=posthog, **environ)
    made |= {"NOTES_DATABASE": str(folder / "notes.db"), "PYTHONPATH": str(EXAMPLES)}
    if name.startswith("django"):
        made["DJANGO_SETTINGS_MODULE"] = "notes_django.settings"
        migrate = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
        subprocess.run(migrate, env=made, check=True, timeout=TIMEOUT_S)
    with sqlite3.connect(folder / "notes.db") as database:
        database.execute("PRAGMA journal_mode = wal")  # readers do not wait for those who write
    with running(command("opentelemetry-instrument"), command(program), *words, environ=made, cwd=folder) as tree:
        started = "Booting worker" if program == "gunicorn" else "startup complete|Started server process"
        tree.wait_for(started, 2)
        yield tree, port


def visits(port: int, people: int, at_once: int) -> dict[str, Step]:
    """Have `people` use the app, `at_once` of them at a time; return all their steps by trace id."""
    with ThreadPoolExecutor(at_once) as pool:
        done = list(pool.map(lambda number: Visit(number, port).all(), range(people)))
    return {trace: step for steps in done for trace, step in steps.items()}


def user_ids(name: str, folder: Path) -> dict[str, str]:
    """Return the id of each person, by e-mail address, as the app's database has it."""
    column = "username" if TABLES[name].startswith("notes_django") else "email"
    with sqlite3.connect(folder / "notes.db") as database:
        rows = database.execute(f"SELECT {column}, id FROM {TABLES[name]}").fetchall()
    return {email: _as_app_has_it(name, found) for email, found in rows}


def _as_app_has_it(name: str, found: str) -> str:
    # SQLite has no uuids: Django keeps the 32 digits, and its `pk` is written with dashes.
    if not name.startswith("django"):
        return found
    return re.sub(r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", r"\1-\2-\3-\4-\5", found)
