"""Values of telemetry on the inspector's page: shown as text, whatever they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from chromium import complaints, requested
from inspected import event, live
from inspector_feed import Feed, process
from inspector_page import Page
from selenium import webdriver

IMAGE = '<img src="http://planted.example/x.png" onerror="window.hacked = 1">'
SCRIPT = "</pre></script><script>window.hacked = 1</script>"
HOSTILE = [
    IMAGE,
    SCRIPT,
    "javascript:window.hacked=1",
    "{{window.hacked=1}}",
    "${window.hacked=1}",
    "&lt;b&gt;",
    "a\0b",
]
NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "innerHTML", "style", "key", "ref", "class", ""]


@pytest.fixture
def page(chrome: webdriver.Chrome, feed: Feed) -> Iterator[Page]:
    """The page; whatever a value is, nothing of it runs, is loaded or becomes an element."""
    requested(chrome), complaints(chrome)
    made = Page(chrome, feed.url)
    yield made
    assert made.script("return window.hacked") is None
    assert made.all("img, iframe, a[href^=javascript]") == []
    assert [each for each in requested(chrome) if not each.startswith((feed.url, "data:,", "about:"))] == []
    assert complaints(chrome) == []
    chrome.get("about:blank")


def test_markup_is_text(page: Page, feed: Feed) -> None:
    """In values, nested values, names, services, destinations, reasons and words: shown as it is, letter by letter."""
    feed.say(processes=[process(at, value) for at, value in enumerate(HOSTILE)])
    feed.say(source={"kind": "live", "name": IMAGE, "problem": SCRIPT})
    feed.push(*(marked_up(f"seen {at}", value) for at, value in enumerate(HOSTILE)))
    page.open(feed)
    for at, value in enumerate(HOSTILE):
        text = value.replace("\0", "U+0000")
        assert text in page.text(".processes") or page.all("#event-title")
        page.open_row(f"seen {at}")
        assert page.pairs()["plain"][0] == text
        page.all(".segments button")[1].click()
        page.until(lambda: "PostHog gets nothing" in page.text(".event"))
        assert page.text(".event").count(text) > 4


def marked_up(name: str, value: str) -> dict[str, Any]:
    """Return an item that has `value` in every place that holds a text."""
    item = event(name, {"plain": value, "nested": {"inner": [{"deep": value}]}})
    sent = item["events"][0]["destinations"][0]
    sent["changes"].append({"key": "plain", "rule": value, "action": value})
    others = [{**sent, "destination": value}, {**sent, "sent": False, "dropped": value}]
    item["events"][0] |= {"reason": value, "notes": [value], "destinations": others}
    return item | {"name": value, "process": {"pid": 1, "service": value}}


def test_no_key_is_special(page: Page, feed: Feed) -> None:
    """Also one that every object in JavaScript has; as a rule's or a reason's name as well."""
    feed.push(*(with_key(f"seen {at}", name) for at, name in enumerate(NAMES)))
    page.open(feed)
    for at, name in enumerate(NAMES):
        page.open_row(f"seen {at}")
        parts = "[...document.querySelector('.pair.depth-1').children].map(e => e.innerText.trim())"
        key, before, after = page.script(f"return {parts}")
        assert (key, before, after.split("\n")[0]) == (name, "was", "is")
        assert "native code" not in after
        assert page.pairs()[name] == ("was", "removed", "removed")


def with_key(event_name: str, name: str) -> dict[str, Any]:
    """Return an item that has `name` as a key, a key of a key, and a rule."""
    item = event(event_name, {"plain": "x"})
    made = item["events"][0]
    made["before"]["properties"] = {name: {name: "was"}, "outer": {name: "was", "kept": 1}}
    sent = made["destinations"][0]
    sent["event"]["properties"] |= {name: {name: "is"}, "outer": {"kept": 1}}
    sent["changes"] = [{"key": f"{name}.{name}", "rule": name or "email", "action": "replaced"}]
    return item


def test_characters_that_turn_or_hide_text_are_shown_as_codes(page: Page, feed: Feed) -> None:
    """Bidirectional controls, spaces of no width, controls; letters of any script and pictures stay."""
    text = "abc\u202etxt.exe\u2066x\u200by\ufeff\u0007 \u05e9\u05dc\u05d5\u05dd e\u0301 \U0001f600 \t\n."
    feed.push(event("seen", {"plain": text, "key\u202eyek": "x"}))
    page.open(feed)
    page.open_row("seen")
    shown = page.script("return document.querySelector('.pair-before .value').textContent")
    before = page.pairs()
    assert "U+202E" in before["plain"][0]
    assert not {*"\u202e\u2066\u200b\ufeff\u0007"} & {*page.text("#app")}
    assert "\u05e9\u05dc\u05d5\u05dd" in before["plain"][0]
    assert "\U0001f600" in before["plain"][0]
    assert shown
    assert any("U+202E" in key for key in before)


def test_long_texts_are_cut_until_asked_for(page: Page, feed: Feed) -> None:
    """100 kB and a key of 5,000 letters leave the page as wide as it is; a button shows all of the text."""
    item = event("seen", {"plain": "x"})
    made = item["events"][0]
    made["before"]["properties"] = {"plain": "word " * 20_000, "k" * 5000: "v" * 5000}
    feed.push(item)
    page.open(feed)
    page.open_row("seen")
    assert len(page.pairs()["plain"][0]) < 800
    wide = "return document.documentElement.scrollWidth - innerWidth"
    assert page.script(wide) == 0
    page.click(".pair-before .link")
    page.until(lambda: len(page.pairs()["plain"][0]) > 90_000)
    assert page.script(wide) == 0
    assert page.script("return document.querySelector('.value.is-whole').clientHeight") <= 420


def test_deep_and_wide_values_do_not_stop_the_page(page: Page, feed: Feed) -> None:
    """400 levels, 3,000 properties, an item that is none: what can be shown is, and the next event comes."""
    deep: Any = "bottom"
    for _ in range(400):
        deep = {"in": [deep]}
    item = event("seen", {"plain": "x"})
    item["events"][0]["before"]["properties"] = {"deep": deep, **{f"p{number}": number for number in range(3000)}}
    feed.push(item, {"type": "item", "events": [None]}, live({"kind": "log", "events": []}), event("next"))
    page.open(feed)
    page.open_row("seen")
    assert "more properties not shown" in page.text(".event")
    assert page.script("return document.querySelectorAll('.pair').length") < 700
    page.until(lambda: page.rows[0] == "next")
    complaints(page.chrome)
