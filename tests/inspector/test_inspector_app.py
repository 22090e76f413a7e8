"""What an app does that lets an inspector look on: its socket, what it shows, and when there is nothing of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from inspecting import enter, inspecting
from looked_at import SERVICE, Inspected, items, messages, until_there

from otel_posthog.errors import ConfigurationError
from otel_posthog.inspection.door import Door, asked_for, connect, names_in
from otel_posthog.private_files import ForeignError

MAIL = "jo@planted.example.org"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspected]:
    """An app that is looked at."""
    with Inspected(tmp_path_factory.mktemp("app")) as app:
        yield app


def test_the_socket_is_this_users_alone(app: Inspected) -> None:
    """Its file has the mode 0600, its directory 0700, and both are this user's."""
    path = app.socket()
    for each, mode in ((path, 0o600), (path.parent, 0o700)):
        status = each.stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (mode, os.geteuid())
    assert stat.S_ISSOCK(path.stat().st_mode)


CONNECT = """\
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except OSError as error:
    print(type(error).__name__)
else:
    print("connected")
"""


def test_another_user_cannot_connect(app: Inspected) -> None:
    """Another user of the machine is refused by the directory; where that is opened up, by the socket itself."""
    if os.geteuid():
        pytest.skip("only root can be somebody else")
    path = app.socket()
    above = [each for each in path.parents if stat.S_IMODE(each.stat().st_mode) & 0o001 == 0]

    def tried() -> str:
        ran = subprocess.run([sys.executable, "-c", CONNECT, str(path)], capture_output=True, text=True, check=True)
        return ran.stdout.strip()

    assert tried() == "PermissionError"
    modes = {each: stat.S_IMODE(each.stat().st_mode) for each in above}
    try:
        for each in above:
            each.chmod(modes[each] | 0o055)
        assert tried() == "PermissionError"
    finally:
        for each, mode in modes.items():
            each.chmod(mode)


def test_an_item_shows_both_sides(app: Inspected) -> None:
    """A span that is an event comes once, with what PostHog gets, which rule took out what, and its other side."""
    app.do("span", "GET /u", {"http.route": "/u", "http.request.method": "GET", "analytics.event": "seen",
                              "analytics.note": f"by {MAIL}", "url.full": f"http://x/?{MAIL}"})  # fmt: skip
    item = items(app.socket(), 1)[-1]
    sent = item["events"][0]["destinations"][0]
    assert (item["kind"], item["side"], item["span"]["kind"]) == ("span", "product", "SERVER")
    assert sent["event"]["properties"]["note"] == "by [email]"
    assert {"key": "note", "rule": "email", "action": "replaced"} in sent["changes"]
    assert {"key": "url.full", "rule": "allow_list", "action": "removed"} in sent["changes"]
    assert {"analytics.event", "analytics.note"} <= set(item["operational"]["removed"])
    assert "url.full" in item["operational"]["redacted"]
    assert {"key": "http.route", "value": "/u"} in item["operational"]["values"]


def test_what_is_operational_only_is_shown_too(app: Inspected) -> None:
    """A span and a log record that are no events are items, with why they are none."""
    before = sum(1 for _ in items(app.socket(), 1))
    app.do("span", "SELECT", {"db.system.name": "sqlite"})
    app.do("log", "", {"lane": "left"}, body="a line")
    found = items(app.socket(), before + 2)[before:]
    assert [(each["kind"], each["side"]) for each in found] == [("span", "operational"), ("log", "operational")]
    assert all("no rule of the policy fits" in each["reason"] for each in found)


@pytest.mark.parametrize("of", ["user.id", "enduser.id", "session.id"])
def test_a_key_that_repeats_an_id_is_not_shown(of: str, tmp_path: Path) -> None:
    """Of a span or a log record that is no event neither: the id is in its own attributes."""
    with Inspected(tmp_path) as app:
        app.do("span", "GET /u", {of: "jdoe", "x_jdoe": "1", "http.route": "/u"})
        app.do("log", "", {of: "jdoe", "x_jdoe": "1"}, body="a line")
        found = items(app.socket(), 2)
    assert "jdoe" not in json.dumps(found)
    assert all("[key]" in each["operational"]["kept"] for each in found)


def test_the_page_shows_the_app(app: Inspected) -> None:
    """`inspect` finds the app by itself, and says of it what a page needs."""
    app.do("capture", "paid", {"note": MAIL}, times=4)
    with inspecting(environ=app.environ) as url:
        found = []
        for each in enter(url).stream():
            found.append(each)
            if each["type"] == "state" and each["delivery"]["previewed"] and len(found) > 4:
                break
    state = found[-1]
    assert not state["values_shown"]
    assert state["source"]["kind"] == "live"
    (process,) = state["processes"]
    assert (process["service"], process["connected"], process["skipped"]) == (SERVICE, True, 0)
    assert process["pid"] == app.process.pid
    shown = [each for each in found if each["type"] == "item"]
    names = [event["destinations"][0]["name"] for each in shown for event in each["events"]]
    assert "paid" in names
    assert MAIL not in json.dumps(found)


def test_who_looks_before_the_first_item_is_told_whose_it_is(tmp_path: Path) -> None:
    """The service stands on every item; what came before somebody looked is not what was passed over."""
    with Inspected(tmp_path) as app:
        with inspecting(environ=app.environ) as url:
            browser = enter(url)
            while not browser.until("state")[-1]["processes"]:
                time.sleep(0.05)
            app.do("capture", "paid", times=3)
            found = [each["process"] for each in browser.until("item") if each["type"] == "item"]
            assert found == [{"pid": app.process.pid, "service": SERVICE}]
        app.do("span", "GET /u", {}, times=2500)
        time.sleep(0.5)
        with inspecting(environ=app.environ) as url:
            browser = enter(url)
            browser.until("item")
            (process,) = browser.until("state")[-1]["processes"]
            assert process["skipped"] == 0


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_POSTHOG_INSPECT": ""},
        {"OTEL_POSTHOG_INSPECT": "Off"},
        {"OTEL_POSTHOG_INSPECT": "ture"},
        {"OTEL_POSTHOG_ENABLED": "false"},
        {"DO_NOT_TRACK": "1"},
    ],
)
def test_off_is_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    """Off, where nothing is collected, or by a word that is none: no file, no socket, no thread, no code of it."""
    with Inspected(tmp_path, OTEL_POSTHOG_INSPECT_VALUES="1", **environ) as app:
        app.do("capture", "paid")
        app.do("span", "GET /u")
        assert not app.sockets.exists()
        assert "otel-posthog-inspect" not in app.do("threads")
        assert "otel_posthog.inspection.feed" not in app.do("modules")
        said = app.end()
    assert ("is neither 1 nor a path" in said) is ("ture" in environ.values())


@pytest.mark.parametrize(
    ("word", "is_on"),
    [("", False), ("0", False), ("no", False), ("FALSE", False), ("1", True), ("yes", True), ("/run/x", True)],
)
def test_a_word_or_a_path_switches_it_on(word: str, is_on: bool, tmp_path: Path) -> None:
    """A word for yes means the state directory; a path is a directory."""
    found = asked_for({"OTEL_POSTHOG_INSPECT": word, "OTEL_POSTHOG_STATE_DIR": str(tmp_path)})
    assert found == ((Path(word) if "/" in word else tmp_path / "inspect") if is_on else None)


@pytest.mark.parametrize("word", ["ture", "2", "nope", "values"])
def test_a_word_that_is_none_switches_nothing_on(word: str) -> None:
    """It is refused in one line that says what to write."""
    with pytest.raises(ConfigurationError, match="neither 1 nor a path"):
        asked_for({"OTEL_POSTHOG_INSPECT": word})


def test_an_opt_out_ends_it_and_forgets(tmp_path: Path) -> None:
    """With a user's opt-out socket, thread and items are gone; with an opt-in it begins anew, with nothing."""
    with Inspected(tmp_path) as app:
        app.do("capture", "before")
        assert items(app.socket(), 1)
        app.do("choose", "out")
        until_there(app.sockets, 0)
        app.do("span", "GET /secret", {})
        assert "otel-posthog-inspect" not in app.do("threads")
        app.do("choose", "in")
        app.do("capture", "after")
        (item,) = items(app.socket(), 1)
        assert item["events"][0]["destinations"][0]["name"] == "after"


@pytest.mark.parametrize("mode", [0o770, 0o720, 0o707, 0o702, 0o777, 0o1777])
def test_a_directory_that_others_can_write_is_refused(mode: int, tmp_path: Path) -> None:
    """Neither does an app put its socket there, nor a viewer look for one; not even where a volume is a group's."""
    tmp_path.chmod(0o770)
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(mode)
    for use in (lambda: Door(folder), lambda: names_in(folder), lambda: connect(folder, "1.sock")):
        with pytest.raises(ForeignError, match="other users can write to it"):
            use()
    assert list(folder.iterdir()) == []


def test_a_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    """No app puts its socket where somebody else may exchange it, not even root's."""
    if os.geteuid():
        pytest.skip("only root can give a directory away")
    folder = tmp_path / "theirs"
    folder.mkdir(0o700)
    os.chown(folder, 65534, 65534)
    with pytest.raises(ForeignError, match="belongs to another user"):
        Door(folder)


def test_a_link_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    """Wherever it leads."""
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ForeignError, match="symbolic link"):
        Door(tmp_path / "link")


def test_a_file_in_place_of_a_socket_is_refused(tmp_path: Path) -> None:
    """A viewer connects to sockets of its user only."""
    folder = tmp_path / "inspect"
    folder.mkdir(0o700)
    (folder / "1.sock").touch()
    with pytest.raises(ForeignError, match="no socket of this user"):
        connect(folder, "1.sock")
    if os.geteuid() == 0:
        with socket.socket(socket.AF_UNIX) as theirs:
            theirs.bind(str(folder / "2.sock"))
            os.chown(folder / "2.sock", 65534, 65534)
            with pytest.raises(ForeignError, match="no socket of this user"):
                connect(folder, "2.sock")


def test_a_long_path_is_no_hindrance(tmp_path: Path) -> None:
    """The address of a socket has 108 bytes at most; the path of its directory may be longer."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system has no names for descriptors")
    folder = tmp_path / ("x" * 120)
    door = Door(folder)
    connection = connect(folder, door.name)
    assert connection is not None
    connection.close()
    door.close()
    assert list(folder.iterdir()) == []


def test_what_cannot_listen_goes_on_without(tmp_path: Path) -> None:
    """The app says so in one line, and a viewer says why it shows nothing."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with Inspected(tmp_path, OTEL_POSTHOG_INSPECT=str(folder)) as app:
        app.do("capture", "paid")
        with inspecting("--socket", str(folder)) as url:
            state = enter(url).until("state")[-1]
        said = app.end()
    assert said.count("no inspector can look on in") == 1
    assert "other users can write to it" in said
    assert list(folder.iterdir()) == []
    assert "other users can write to it" in state["source"]["problem"]
    assert state["processes"] == []


def test_a_child_has_a_socket_of_its_own(tmp_path: Path) -> None:
    """A forked worker begins with nothing of its parent's, and both are found; what a killed one leaves is swept."""
    with Inspected(tmp_path) as app:
        app.do("capture", "parent")
        assert items(app.socket(), 1)
        pid = app.do("fork", "child")
        found = {each.name.partition("-")[0]: each for each in until_there(app.sockets, 2)}
        assert set(found) == {str(app.process.pid), str(pid)}
        names = {key: items(path, 1)[0]["events"][0]["destinations"][0]["name"] for key, path in found.items()}
        assert names == {str(app.process.pid): "parent", str(pid): "child"}
        with inspecting("--socket", str(app.sockets)) as url:
            browser, seen = enter(url), set[int]()
            for each in browser.stream():
                seen |= {each["pid"] for each in each.get("processes", ()) if each["connected"]}
                if seen == {app.process.pid, pid}:
                    break
        os.kill(pid, signal.SIGKILL)
        assert len(list(app.sockets.glob("[0-9]*.sock"))) == 2
        app.end()
    assert len(list(app.sockets.glob("[0-9]*.sock"))) == 1
    with Inspected(tmp_path) as app:
        deadline = time.monotonic() + 20
        while [each.name.partition("-")[0] for each in app.sockets.glob("[0-9]*.sock")] != [str(app.process.pid)]:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_the_last_events_are_shown(tmp_path: Path) -> None:
    """What an app emits just before it ends reaches a viewer, and its socket is gone then."""
    with Inspected(tmp_path) as app:
        stream = messages(app.socket())
        assert next(stream)["type"] == "hello"
        app.tell("capture", "last")
        app.end()
        found = [each for each in stream if each["type"] == "item"]
        assert [each["events"][0]["destinations"][0]["name"] for each in found] == ["last"]
        assert list(app.sockets.iterdir()) == []


def test_the_ring_is_bounded_and_events_stay_longest(tmp_path: Path) -> None:
    """The last thousand items are kept; spans without an event, of which there are many, leave room for events."""
    with Inspected(tmp_path) as app:
        app.do("capture", "rare", times=300)
        app.do("span", "GET /u", {}, times=3000)
        app.do("capture", "end")
        time.sleep(1.0)
        found = list[dict[str, object]]()
        for each in messages(app.socket()):
            if each["type"] == "item":
                found.append(each)
            elif each["type"] == "state" and len(found) >= 900:
                break
        assert len(found) <= 1000
        assert sum(each["side"] == "product" for each in found) == 301


def test_a_viewer_that_reads_nothing_holds_nobody_up(tmp_path: Path) -> None:
    """The app goes on at its pace, its memory stays bounded, and another viewer sees everything new."""
    with Inspected(tmp_path) as app:
        dead = socket.socket(socket.AF_UNIX)
        dead.connect(str(app.socket()))
        before = app.do("memory")
        began = time.monotonic()
        app.do("capture", "large", {"note": "x" * 20_000}, times=4000)
        assert time.monotonic() - began < 20
        time.sleep(0.5)
        app.do("capture", "small")
        names = [
            event["destinations"][0]["name"]
            for each in items(app.socket(), 300)[-1:] + items(app.socket(), 1)
            for event in each["events"]
        ]
        assert names
        # 32 MiB of items, a queue of two thousand, and what Python keeps of it: not the 80 MB that passed by.
        assert app.do("memory") - before < 160 * 1024 * 1024
        dead.close()
