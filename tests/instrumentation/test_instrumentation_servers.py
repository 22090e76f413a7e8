"""Apps that nobody wrote any analytics of, under the real `opentelemetry-instrument` and gunicorn with two workers."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from processes import PROGRAMS, command, environment, running

from otel_posthog.testing import FakePostHog, OtlpSink

USERS = [f"person-{number}" for number in range(987_654_000, 987_654_100)]
GUNICORN = (
    *(command("opentelemetry-instrument"), command("gunicorn"), "--workers", "2", "--threads", "8"),
    *("--bind", "127.0.0.1:0", "--timeout", "120"),
)


class Browser:
    """A browser that keeps a cookie."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._to, self._cookie = (str(parts.hostname), int(parts.port or 0)), ""

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[str, list[tuple[str, str]]]:
        """Return the body and the headers of an answer."""
        connection = http.client.HTTPConnection(*self._to, timeout=120)
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request("POST" if form else "GET", path, urlencode(form) if form else None, headers)
            response = connection.getresponse()
            body = response.read().decode()
        finally:
            connection.close()
        for each in response.headers.get_all("Set-Cookie") or []:
            self._cookie = each.partition(";")[0]
        return body, response.getheaders()


@pytest.fixture(params=["login_flask", "login_django"])
def program(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A program, whose database is made."""
    monkeypatch.setenv("LOGIN_DATABASE", str(tmp_path / "db.sqlite3"))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "login_django_settings")
    if request.param == "login_django":
        subprocess.run([sys.executable, str(PROGRAMS / "login_django.py"), *USERS], check=True, timeout=120)
    return str(request.param)


def test_one_hundred_users_of_an_unchanged_app_are_who_acts(
    program: str, fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """Each event has the right person, from the log-in on, also in a view that looks at nobody; no id is in OTLP."""
    variables = environment(
        otlp=otlp_sink.url,
        posthog=fake_posthog.url,
        OTEL_POSTHOG_IDENTITY="identified",
        OTEL_POSTHOG_DERIVE="web,accounts",
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="asgi,celery,fastapi,pymongo,requests,urllib3,httpx,starlette",
    )

    def act(name: str) -> None:
        browser = Browser(url)
        assert browser.ask("/login", {"name": name})[0] == "in"
        # Each as often as the last digit of the name says.
        for _ in range(int(name[-1]) % 4):
            assert browser.ask("/tickets")[0] == "tickets"
            assert browser.ask("/news")[0] == "news"

    with running(*GUNICORN, f"{program}:app", environ=variables) as tree:
        url = tree.wait_for(r"Listening at: (http://\S+)")[0]
        Browser(url).ask("/news")
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(act, USERS))
        tree.end(15)
        tree.wait_until_alone()
        assert "otel_posthog" not in tree.out, tree.out
    known_as = {name: name if program == "login_flask" else name.rpartition("-")[2] for name in USERS}
    viewed = {known_as[name]: 2 * (int(name[-1]) % 4) + 1 for name in USERS}
    found = Counter(each.distinct_id for each in fake_posthog.events if each.event == "page_viewed")
    assert {who: n for who, n in found.items() if "installation" not in who} == viewed
    assert sum(n for who, n in found.items() if "installation" in who) == 1
    logged_in = Counter(each.distinct_id for each in fake_posthog.events if each.event == "user_logged_in")
    assert logged_in == dict.fromkeys(known_as.values(), 1)
    assert b"987654" not in otlp_sink.raw_bytes
