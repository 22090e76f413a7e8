"""`otel-posthog tail`: what running apps send, in a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from inspecting import COMMAND, enter, inspecting
from looked_at import Inspected, items

MAIL = "jo@planted.example.org"
END_TIMEOUT_S = 60


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspected]:
    """An app that has sent some, and has been told to show values."""
    with Inspected(tmp_path_factory.mktemp("app"), OTEL_POSTHOG_INSPECT_VALUES="1") as app:
        app.do("capture", "paid", {"plan": "pro", "note": f"mail {MAIL}"})
        app.do("capture", "ticket_created", {"plan": "pro"})
        app.do("log", "analytics." + "x" * 300, {})
        app.do("span", f"GET /{MAIL}", {"http.route": "/u"})
        assert len(items(app.socket(), 4)) == 4
        yield app


@contextmanager
def tailing(
    app: Inspected, *arguments: str, stdout: int = subprocess.PIPE, **environ: str
) -> Iterator[subprocess.Popen[str]]:
    """Run `tail`, and end it whatever happens."""
    with subprocess.Popen(
        [COMMAND, "tail", *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, env={**app.environ, **environ}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def tailed(app: Inspected, *arguments: str, lines: int) -> tuple[list[str], str]:
    """Return so many lines that `tail` prints, and what it says on standard error, when it is stopped by Ctrl-C."""
    with tailing(app, "--socket", str(app.sockets), *arguments) as process:
        assert process.stdout is not None
        found = [process.stdout.readline().rstrip("\n") for _ in range(lines)]
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=END_TIMEOUT_S)
    assert (process.returncode, rest) == (0, ""), said
    return found, said


def test_a_line_says_what_became_of_an_event(app: Inspected) -> None:
    """When, which event, where to, what is sent of it, and which rule did what; and what is no event."""
    lines, said = tailed(app, lines=4)
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}  ● paid +→ default .*", lines[0])
    assert 'note="mail [email]" ' in lines[0]
    assert "[note replaced: e-mail address; " in lines[0]
    assert "✗ no event" in lines[2]
    assert "its name is not 1-200 bytes long" in lines[2]
    assert "operational only" in lines[3]
    assert MAIL not in "".join(lines[:3])
    assert f"(pid {app.process.pid}): values are shown as they were" in said
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--event", "ticket_*"], ["ticket_created"]),
        (["--event", "paid", "--event", "ticket_created"], ["paid", "ticket_created"]),
        (["--outcome", "dropped"], ["no event"]),
        (["--outcome", "operational"], ["operational only"]),
        (["--outcome", "sent", "-n", "1"], ["ticket_created"]),
    ],
)
def test_filters(arguments: list[str], wanted: list[str], app: Inspected) -> None:
    """Only what is asked for, by event and by outcome."""
    lines, _ = tailed(app, *arguments, lines=len(wanted))
    assert [name for name, line in zip(wanted, lines, strict=True) if name not in line] == []


def test_json_is_what_explain_prints(app: Inspected) -> None:
    """One item a line; with `--no-values` none is in it, though the app shows them."""
    lines, _ = tailed(app, "--json", lines=4)
    first = json.loads(lines[0])
    assert first["events"][0]["before"]["properties"]["note"] == f"mail {MAIL}"
    lines, _ = tailed(app, "--json", "--no-values", lines=4)
    assert MAIL not in "".join(lines)
    assert "pro" not in {word for line in lines for word in re.findall(r'"(\w+)"', line)}
    assert json.loads(lines[0])["events"][0]["destinations"][0]["name"] == "paid"


def test_no_values(app: Inspected) -> None:
    """Names of events, keys and rules, and nothing else."""
    lines, _ = tailed(app, "--no-values", lines=4)
    assert MAIL not in "".join(lines)
    assert "pro" not in "".join(lines).replace("no product", "").split()
    assert "[note replaced: e-mail address" in lines[0]


def test_a_stray_file_is_passed_over(tmp_path: Path) -> None:
    """What is no socket of this user among the sockets is named, and the others are shown."""
    with Inspected(tmp_path) as app:
        app.do("capture", "paid")
        assert items(app.socket(), 1)
        (app.sockets / "2-x.sock").touch()
        lines, said = tailed(app, lines=1)
        assert "paid" in lines[0]
        assert f"{app.sockets / '2-x.sock'}: passed over: it is no socket of this user" in said
        with inspecting(environ=app.environ) as url:
            state = enter(url).until("state")[-1]
        assert "2-x.sock: passed over" in state["source"]["problem"]


def test_it_waits_for_an_app(tmp_path: Path) -> None:
    """Where none listens it says so, and shows the first that comes, and its end."""
    app = Inspected(tmp_path)
    with tailing(app) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == (
            f"no app listens in {app.sockets}: start one with OTEL_POSTHOG_INSPECT=1; waiting ...\n"
        )
        with app:
            app.do("capture", "first")
            assert "first" in process.stdout.readline()
            app.end()
        assert "looking at" in process.stderr.readline()
        assert "has ended" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(END_TIMEOUT_S) == 0


@pytest.mark.parametrize(("environ", "is_colored"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colors_are_for_terminals(environ: dict[str, str], is_colored: bool, app: Inspected) -> None:
    """On a terminal what became of an event is a color too, unless the environment asks for none."""
    ours, theirs = pty.openpty()
    with tailing(app, "--socket", str(app.sockets), stdout=theirs, **environ) as process:
        os.close(theirs)
        text = ""
        while "operational only" not in text:
            text += os.read(ours, 65536).decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(END_TIMEOUT_S) == 0
    os.close(ours)
    assert ("\x1b[35m" in text) is is_colored
    assert "paid" in text


def test_what_a_burst_leaves_out_is_said(tmp_path: Path) -> None:
    """How many items were too many at once, as the page says it; PostHog got them all the same."""
    with Inspected(tmp_path) as app, tailing(app, stdout=subprocess.DEVNULL) as process:
        assert process.stderr is not None
        while "looking at" not in process.stderr.readline():
            pass
        app.do("capture", "paid", times=10_000)
        said = process.stderr.readline()
    found = re.fullmatch(r"not shown of the app with pid (\d+): ([\d,]+) items, too many at once; .*\n", said)
    assert found, said
    assert int(found[1]) == app.process.pid
    assert 0 < int(found[2].replace(",", "")) < 10_000
