"""Who may see the inspector's page."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from inspecting import COMMAND, Browser, ask, enter, inspecting

PATHS = ("", "api/stream", "api/items", "api/items/1", "api/words", "api/rule", "static/index.html")
EVENT = {"event": "paid", "properties": {"plan": "pro", "note": "mail jo@example.org"}}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An inspector of a file."""
    file = tmp_path_factory.mktemp("file") / "events.json"
    file.write_text(json.dumps(EVENT))
    with inspecting(str(file)) as url:
        yield url


@pytest.fixture(scope="module")
def browser(url: str) -> Browser:
    """Who opened its address."""
    return enter(url)


def test_the_address_works_once(url: str, browser: Browser) -> None:
    """Its token buys a cookie that scripts and other sites cannot use, and is of no more use then."""
    parts = urlsplit(url)
    assert (parts.hostname, parts.path) == ("127.0.0.1", "/")
    assert len(parts.query) > len("token=") + 40
    status, text, headers = ask(browser.port, f"/?{parts.query}")
    assert status == 403
    assert b"works once" in text
    assert "set-cookie" not in headers


def test_the_cookie_is_for_this_page_alone(tmp_path: Path) -> None:
    """It is HttpOnly and SameSite=Strict, and bound to a path that nobody can guess: other ports never see it."""
    file = tmp_path / "events.json"
    file.write_text(json.dumps(EVENT))
    with inspecting(str(file)) as url:
        parts = urlsplit(url)
        status, page, headers = ask(parts.port or 0, f"/?{parts.query}")
        assert status == 200
        path = headers["set-cookie"].partition("Path=")[2].partition(";")[0]
        assert headers["set-cookie"].endswith(f"; Path={path}; HttpOnly; SameSite=Strict")
        assert len(path) > 32
        assert f"url={path}/".encode() in page
        assert parts.query.removeprefix("token=") not in headers["set-cookie"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("cookie", [None, "otel_posthog_inspect=", "otel_posthog_inspect=x; a=b", "a=é"])
def test_nothing_without_the_cookie(path: str, cookie: str | None, browser: Browser) -> None:
    """Whoever shows no cookie, or another one, is told so on every path, and nothing else."""
    given = {} if cookie is None else {"Cookie": cookie}
    origin = {"Origin": f"http://127.0.0.1:{browser.port}"}
    for method in ("GET", "POST"):
        status, text, _ = ask(browser.port, f"{browser.base}/{path}", method, headers={**given, **origin})
        assert status == 403
        assert b"is for the browser that opened" in text


@pytest.mark.parametrize("path", PATHS)
def test_a_path_by_itself_is_not_there(path: str, browser: Browser) -> None:
    """The cookie without the path that goes with it opens nothing."""
    status, text, _ = ask(browser.port, f"/{path}", headers={"Cookie": browser.cookie})
    assert status == 403
    assert b"plan" not in text


@pytest.mark.parametrize("path", ["/", *(f"{{base}}/{path}" for path in PATHS)])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1", "127.0.0.1.evil.example:{port}", ""]
)
def test_a_name_that_leads_here_is_no_way_in(path: str, host: str, browser: Browser) -> None:
    """A page whose name resolves to 127.0.0.1 (DNS rebinding) gets nothing, with the cookie or without."""
    headers = {"Host": host.format(port=browser.port), "Cookie": browser.cookie}
    status, text, _ = ask(browser.port, path.format(base=browser.base), headers=headers)
    assert status in {400, 421}
    assert b"plan" not in text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", ["null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1:{port}"])
def test_another_page_gets_nothing(path: str, origin: str, browser: Browser) -> None:
    """A request that another page makes is refused, also of a page on another port of this machine."""
    for method in ("GET", "POST"):
        body = {"seq": 1, "kind": "derive"} if method == "POST" else None
        status, text, _ = browser.ask(path, method, body, {"Origin": origin.format(port=browser.port)})
        assert (status, text) == (403, b"another page asks for this\n")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_cannot_load_it(path: str, site: str, browser: Browser) -> None:
    """No page elsewhere takes it for a script, a picture or a frame."""
    status, text, _ = browser.ask(path, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})
    assert (status, text) == (403, b"another page asks for this\n")


@pytest.mark.parametrize("site", ["none", "same-origin", "same-site", "cross-site"])
@pytest.mark.parametrize("kind", ["iframe", "frame", "object", "embed", "image", "script", "empty"])
def test_the_address_opens_as_a_page_of_its_own_only(site: str, kind: str, browser: Browser) -> None:
    """In a frame of another page, or as a part of one, it is refused, whatever else the request says."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": kind}
    status, text, _ = ask(browser.port, "/?token=x", headers=headers)
    assert (status, text) == (403, b"another page asks for this\n")


def test_to_look_at_the_address_does_not_use_it_up(tmp_path: Path) -> None:
    """A `HEAD` buys nothing; a click in a chat opens it after that."""
    file = tmp_path / "events.json"
    file.write_text(json.dumps(EVENT))
    with inspecting(str(file)) as url:
        parts = urlsplit(url)
        status, _, headers = ask(parts.port or 0, f"/?{parts.query}", "HEAD")
        assert (status, "set-cookie" in headers) == (405, False)
        click = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        status, _, headers = ask(parts.port or 0, f"/?{parts.query}", headers=click)
        assert (status, "set-cookie" in headers) == (200, True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a line of a log\n", "line 1: this is not JSON; it should begin with { or ["),
        ("", "there are no spans, log records, metrics or events in it"),
        ('{"resourceSpans": []}', "there are no spans, log records, metrics or events in it"),
        ("[1, 2]", "an event should be an object"),
    ],
)
def test_a_file_of_something_else_is_refused_at_once(text: str, why: str, tmp_path: Path) -> None:
    """No address is printed, and the status is the one of `explain`; from standard input as well."""
    file = tmp_path / "file.json"
    file.write_text(text)
    for name, given in ((str(file), ""), ("-", text)):
        command = [COMMAND, "inspect", "--no-browser", name]
        ran = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=30)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert why in ran.stderr
        assert ran.stderr.count("\n") == 1


def test_a_request_that_changes_needs_an_origin(browser: Browser) -> None:
    """A POST that does not say which page it comes from is refused."""
    status, text, _ = ask(browser.port, f"{browser.base}/api/rule", "POST", "{}", {"Cookie": browser.cookie})
    assert (status, text) == (403, b"another page asks for this\n")


@pytest.mark.parametrize("path", ["", "api/items", "api/words", "static/index.html", "static/nothing", "nothing"])
def test_every_answer_keeps_the_page_to_itself(path: str, browser: Browser) -> None:
    """No answer may be framed, cached, taken for another kind, or load anything from elsewhere."""
    _, _, headers = browser.ask(path)
    found = {name.lower(): value for name, value in headers.items()}
    assert found["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in found["content-security-policy"]
    assert "frame-ancestors 'none'" in found["content-security-policy"]
    assert found["cache-control"] == "no-store"
    assert found["x-content-type-options"] == "nosniff"
    assert found["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in found


@pytest.mark.parametrize(
    "path", ["static/../access.py", "static/%2e%2e/access.py", "static//etc/passwd", "../access.py"]
)
def test_only_files_of_the_page_are_served(path: str, browser: Browser) -> None:
    """A path that leads out of the page's folder leads nowhere."""
    status, text, _ = browser.ask(path)
    assert status in {403, 404}
    assert b"Doorkeeper" not in text


def test_it_listens_on_the_loopback_address_only(url: str, browser: Browser) -> None:
    """No other machine reaches the port."""
    text = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else ""
    listening = [line.split()[1] for line in text.splitlines()[1:] if line.split()[3] == "0A"]
    found = {each.partition(":")[0] for each in listening if int(each.partition(":")[2], 16) == browser.port}
    assert found <= {"0100007F"}


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (["nowhere.json"], 1, "otel-posthog inspect: nowhere.json: it cannot be read (No such file or directory)\n"),
        (["--port", "1", __file__], 2, "choose another --port\n"),
    ],
)
def test_what_cannot_start_says_so_in_one_line(
    arguments: list[str], status: int, line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A mistake is one line and a status of its own."""
    if "--port" in arguments and os.geteuid() == 0:
        pytest.skip("root may listen on any port")
    ran = subprocess.run([COMMAND, "inspect", "--no-browser", *arguments], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (status, "")
    assert ran.stderr.endswith(line)
    assert ran.stderr.count("\n") == 1
