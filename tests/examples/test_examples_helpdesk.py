"""The helpdesk: a web app that works with OpenTelemetry, without it, and without this package."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otel_posthog.apps.demo.traffic import Browser

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SOURCES = sorted((EXAMPLES / "helpdesk").glob("*.py"))
READY = re.compile(r"^Helpdesk is listening on (\S+)$")
FORM = {"number": "cust-1", "email": "ada@example.com", "phone": "+49 151 234 5678", "plan": "team", "password": "x y"}
ALLOWED_IMPORTS = {"flask", "werkzeug", "opentelemetry", "otel_posthog"} | sys.stdlib_module_names


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the helpdesk on plain Python and yield its address and its process."""
    command = [sys.executable, "-m", "helpdesk", "--port", "0", "--database", str(folder / "helpdesk.db")]
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES), "OTEL_SDK_DISABLED": "true"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as app:
        try:
            assert app.stdout is not None
            ready = READY.match(app.stdout.readline())
            assert ready
            yield ready[1], app
        finally:
            app.kill()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a running helpdesk with one customer."""
    with running(tmp_path_factory.mktemp("helpdesk")) as (address, _):
        assert Browser(address, "127.0.0.1").post("/sign-up", FORM).location == "/login"
        yield address


@pytest.fixture
def browser(url: str) -> Iterator[Browser]:
    """Return a browser that is logged in."""
    made = Browser(url, "127.0.0.1")
    assert made.post("/login", FORM).location == "/tickets"
    yield made
    made.close()


@pytest.fixture
def ticket(browser: Browser) -> str:
    """Return the path of a new ticket."""
    form = {"subject": "Printer", "priority": "high", "channel": "web", "comment": "It <b>burns</b>"}
    return browser.post("/tickets", form).location


def test_visitor_is_sent_to_the_login(url: str) -> None:
    """Nothing but the forms to get in is open to everyone."""
    visitor = Browser(url, "127.0.0.1")
    for path in ("/tickets", "/tickets/new", "/search", "/export.csv", "/report", "/customers/ada@example.com"):
        assert visitor.get(path).location == "/login"
    assert visitor.get("/sign-up").status == visitor.get("/login").status == visitor.get("/health").status == 200


def test_wrong_password_is_refused(url: str) -> None:
    """A wrong password leads back to the form."""
    answer = Browser(url, "127.0.0.1").post("/login", {**FORM, "password": "z"})
    assert answer.location.startswith("/login?email=")


def test_second_account_for_an_address_is_refused(url: str) -> None:
    """An e-mail address has one account."""
    assert Browser(url, "127.0.0.1").post("/sign-up", FORM).location == "/sign-up"


@pytest.mark.parametrize("path", ["/tickets", "/tickets/new", "/search", "/search?q=Printer", "/report", "/export.csv"])
def test_pages_are_shown(browser: Browser, ticket: str, path: str) -> None:
    """Every page that can be clicked answers."""
    assert browser.get(path).status == 200


def test_ticket_is_read_and_answered(browser: Browser, ticket: str) -> None:
    """A ticket has a page, takes replies, and is not confused with one that does not exist."""
    assert browser.get(ticket).status == 200
    assert browser.post(f"{ticket}/replies", {"text": "Thanks"}).location == ticket
    assert browser.get("/tickets/999").status == 404


def test_own_page_is_shown_and_no_other(browser: Browser) -> None:
    """A customer sees their own page, by an address in the path."""
    assert browser.get("/customers/ada%40example.com").status == 200
    assert browser.get("/customers/bob%40example.com").status == 403


def test_error_path_answers_500(browser: Browser, ticket: str) -> None:
    """The refund fails with an exception that nothing handles."""
    assert browser.post(f"{ticket}/refund", {"card": "1"}).status == 500


def test_log_out_ends_the_session(browser: Browser) -> None:
    """Who logs out has to log in again."""
    browser.post("/logout", {})
    assert browser.get("/tickets").location == "/login"


def test_sigterm_ends_it_in_an_orderly_way(tmp_path: Path) -> None:
    """The signal runs the exit handlers, where OpenTelemetry flushes, and at once."""
    with running(tmp_path) as (_, app):
        started_s = time.monotonic()
        app.send_signal(signal.SIGTERM)
        assert app.wait(10) == 0
        assert time.monotonic() - started_s < 5


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_source_imports_only_what_any_app_has(source: Path) -> None:
    """The example uses OpenTelemetry's API, Flask and the standard library, and `capture` in one guarded place."""
    nodes = list(ast.walk(ast.parse(source.read_text())))
    imported = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    imported += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    assert {name.partition(".")[0] for name in imported} <= ALLOWED_IMPORTS
    assert not [name for name in imported if name.startswith("opentelemetry.sdk")]
    assert ("otel_posthog" in imported) == (source.stem == "reports")


def test_pages_load_nothing_from_elsewhere() -> None:
    """The templates name no other server."""
    for template in (EXAMPLES / "helpdesk" / "templates").glob("*.html"):
        assert "http" not in template.read_text()
