"""What the inspector's page is sent of a file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from inspecting import COMMAND, Browser, enter, inspecting

COUNT = 1300


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of more events than are kept."""
    made = tmp_path_factory.mktemp("file") / "events.jsonl"
    events = (
        {"event": "paid", "properties": {"number": at, "note": f"mail jo{at}@example.org"}} for at in range(COUNT)
    )
    made.write_text("\n".join(map(json.dumps, events)))
    return made


@pytest.fixture(scope="module")
def browser(file: Path) -> Iterator[Browser]:
    """Who opened an inspector of it, when all is read."""
    with inspecting(str(file)) as url:
        browser = enter(url)
        browser.until("summary")
        yield browser


def test_an_item_is_what_explain_prints(browser: Browser, file: Path) -> None:
    """A page gets exactly the object of `explain --json`, and number, time, span and process with it."""
    ran = subprocess.run([COMMAND, "explain", "--json", str(file)], capture_output=True, text=True, check=True)
    explained = [json.loads(line) for line in ran.stdout.splitlines()]
    item = browser.json(f"api/items/{COUNT}")
    added = {name: item.pop(name) for name in ("seq", "time", "span", "process")}
    last = explained[-2]
    for each in (item, last):
        for sent in (sent for event in each["events"] for sent in event["destinations"]):
            # A file's event without a time is of now.
            sent["event"].pop("timestamp")
            sent["event"].pop("uuid")
    assert item == last
    assert added["seq"] == COUNT
    summary = browser.until("summary")[-1]
    summary.pop("id")
    assert summary == explained[-1]


def test_a_page_that_opens_gets_the_newest(browser: Browser) -> None:
    """First comes the state, then the newest items, oldest first, each with its number as the event's id."""
    first, *items = browser.until("state", "api/stream")[:1] + [
        each for each in browser.until("summary") if each["type"] == "item"
    ]
    assert first["type"] == "state"
    assert [each["seq"] for each in items] == list(range(COUNT - 199, COUNT + 1))
    assert all(each["id"] == str(each["seq"]) for each in items)


def test_a_page_that_comes_again_goes_on(browser: Browser) -> None:
    """It gets what came after the last item that it has, and hears of a gap where some of that is not kept any more."""
    items = [each for each in browser.until("summary", last_event_id=str(COUNT - 3)) if each["type"] == "item"]
    assert [each["seq"] for each in items] == [COUNT - 2, COUNT - 1, COUNT]
    messages = browser.until("summary", last_event_id="5")
    assert {"type": "gap", "from": 6, "to": COUNT - 1000, "id": None} in messages
    assert [each["seq"] for each in messages if each["type"] == "item"] == list(range(COUNT - 999, COUNT + 1))


def test_older_items_come_page_by_page(browser: Browser) -> None:
    """All that is kept can be had, from the newest back, and no more than that."""
    seen: list[int] = []
    before, has_more = COUNT + 1, True
    while has_more:
        page = browser.json(f"api/items?before={before}&limit=300")
        seen = [each["seq"] for each in page["items"]] + seen
        before, has_more = seen[0], page["has_more"]
    assert seen == list(range(COUNT - 999, COUNT + 1))
    assert browser.ask(f"api/items/{COUNT - 1000}")[0] == 404


def test_the_state_counts_all_that_came(browser: Browser) -> None:
    """Totals are of every item, also of those that are not kept."""
    state = next(each for each in browser.until("summary") if each["type"] == "state")
    assert state["source"]["kind"] == "file"
    assert state["source"]["complete"]
    totals = state["totals"]
    assert (totals["items"], totals["kept"], totals["last_seq"]) == (COUNT, 1000, COUNT)
    assert totals["events"] == [{"name": "paid", "sent": COUNT, "dropped": 0}]
    assert {"rule": "email", "action": "replaced", "count": COUNT} in totals["rules"]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", '{"seq":1}', '{"seq":"1","kind":"derive"}', '{"seq":1,"kind":"x"}']
)
def test_what_is_no_rule_is_refused(body: str, browser: Browser) -> None:
    """A request that makes no sense is answered with what would."""
    status, text, _ = browser.ask("api/rule", "POST", body)
    assert (status, "error" in json.loads(text)) == (400, True)


def test_no_values_means_none_from_before_the_filters(file: Path) -> None:
    """With `--no-values` a page has of a file what leaves, and not what was there before."""
    with inspecting(str(file), "--no-values") as url:
        browser = enter(url)
        messages = browser.until("summary")
        assert "@example.org" not in json.dumps(messages)
        assert "mail [email]" in json.dumps(messages)
        assert not any(each["values_shown"] for each in messages if each["type"] == "state")
