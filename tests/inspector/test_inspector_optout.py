"""A user's opt-out reaches whoever looks: what was shown is forgotten there too."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from inspecting import COMMAND, Browser, enter, inspecting
from looked_at import Inspected, items, messages, until_there

from otel_posthog.apps.inspector.journal import Journal

SECRET = "jo@planted.example.org"
ENVIRON = {"OTEL_POSTHOG_INSPECT_VALUES": "1"}


def test_the_app_says_so_with_its_last_message(tmp_path: Path) -> None:
    """What waits for a viewer is not sent any more; an app that merely ends says nothing of the kind."""
    with Inspected(tmp_path, **ENVIRON) as app:
        app.do("capture", "paid", {"note": SECRET})
        stream = messages(app.socket())
        assert next(stream)["type"] == "hello"
        app.do("choose", "out")
        *_, last = stream
        assert last == {"type": "forgotten", "process": {"pid": app.process.pid}}
    with Inspected(tmp_path / "other", **ENVIRON) as app:
        stream = messages(app.socket())
        assert next(stream)["type"] == "hello"
        app.end()
        assert "forgotten" not in [each["type"] for each in stream]


def test_the_last_message_is_whole_for_one_that_is_slow(tmp_path: Path) -> None:
    """It comes after a message that was begun, and not amid it."""
    with Inspected(tmp_path, **ENVIRON) as app:
        app.do("capture", "paid", {"note": "x" * 100_000}, times=30)
        stream = messages(app.socket())
        assert next(stream)["type"] == "hello"
        time.sleep(0.8)
        app.tell("choose", "out")
        found = [each["type"] for each in stream]
    assert found[-1] == "forgotten"
    assert len(found) < 30


def _beside(app: Inspected, folder: Path) -> Inspected:
    """Return an app of another state that listens beside one."""
    return Inspected(folder, OTEL_POSTHOG_INSPECT=str(app.sockets), **ENVIRON)


def paid(browser: Browser, count: int) -> None:
    """Wait until so many items are there."""
    deadline = time.monotonic() + 20
    while len(browser.json("api/items")["items"]) != count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_viewer_forgets_and_tells_the_page(tmp_path: Path) -> None:
    """List, item, an old stream and a new one have nothing of it; what another app and a new opt-in show is there."""
    with Inspected(tmp_path, **ENVIRON) as app, _beside(app, tmp_path / "other") as other:
        for each in (app, other, app):
            each.do("capture", "paid", {"note": SECRET})
        with inspecting(environ=app.environ) as url:
            browser = enter(url)
            paid(browser, 3)
            stream = browser.stream()
            seen = [next(stream) for _ in range(4)]
            app.do("choose", "out")
            told = next(each for each in stream if each["type"] == "forgotten")
            assert told["process"] == {"pid": app.process.pid}
            (kept,) = browser.json("api/items")["items"]
            assert kept["process"]["pid"] == other.process.pid
            gone = next(each for each in seen if each["type"] == "item" and each["seq"] != kept["seq"])
            assert browser.ask(f"api/items/{gone['seq']}")[0] == 404
            state = next(each for each in stream if each["type"] == "state")
            processes = {each["pid"]: each for each in state["processes"]}
            assert [processes[each.process.pid]["opted_out"] for each in (app, other)] == [True, False]
            stream = browser.stream()
            assert [next(stream)["type"], next(stream)["seq"]] == ["state", kept["seq"]]
            # One that was away meanwhile hears of it, one that comes after it does not.
            assert "forgotten" in [
                each["type"] for each, _ in zip(browser.stream(last_event_id="3"), "12", strict=False)
            ]
            app.do("choose", "in")
            app.do("capture", "again")
            until_there(app.sockets, 2)
            item = next(stream)
            while item["type"] != "item":
                assert item["type"] == "state", item
                item = next(stream)
            assert (item["seq"], item["process"]["pid"]) == (4, app.process.pid)
            assert len(browser.json("api/items")["items"]) == 2


def test_tail_says_so(tmp_path: Path) -> None:
    """It is no end of the app."""
    with Inspected(tmp_path) as app:
        app.do("capture", "paid")
        assert items(app.socket(), 1)
        command = [COMMAND, "tail", "--socket", str(app.sockets)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stderr is not None
        assert "paid" in process.stdout.readline()
        app.do("choose", "out")
        assert "looking at" in process.stderr.readline()
        assert "has opted out" in process.stderr.readline()
        process.kill()
        process.communicate()


def test_a_journal_with_holes() -> None:
    """Places are found by their number where some items are gone, and a hole is no want of room."""
    journal = Journal(max_items=6)
    for at in range(8):
        journal.add({"side": "product", "dropped": [], "events": []}, "ab"[at % 2])
    journal.drop("b", 2)
    assert [each.seq for each in journal.after(0, 10)] == [3, 5, 7]
    assert [each.seq for each in journal.after(4, 10)] == [5, 7]
    assert [each.seq for each in journal.before(7, 10)] == [3, 5]
    assert [journal.item(seq) is None for seq in (3, 4, 8)] == [False, True, True]
    assert [journal.passed(seq) for seq in (0, 1, 2, 4)] == [2, 2, 2, 4]
