"""The inspector's page for every reader: dark and light, narrow, without a mouse, read aloud (axe-core)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import prefer, resize
from inspected import event, request, without_values
from inspector_feed import Feed, process, serving_feed
from inspector_page import Page
from node import installed
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

NPM = Path(__file__).with_name("npm")
WIDE, NARROW = (1280, 800), (390, 844)
RULE = {
    "policy": "derive:\n  - name: tickets_submitted\n",
    "effect": {"matched": 31, "changed": 30, "of": 1000},
    "examples": [{"seq": 1, "name": "tickets_submitted", "before": None, "after": None, "change": "becomes an event"}],
    "note": "Every request to this route would be an event.",
}


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, as npm has it."""
    return (installed(NPM, "inspector-page") / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.fixture
def page(chrome: webdriver.Chrome) -> Iterator[Page]:
    """The page over a feed in which there is something of everything."""
    with serving_feed() as feed:
        fill(feed)
        yield Page(chrome, feed.url)
        chrome.execute_script("localStorage.clear()")
        chrome.get("about:blank")
        prefer(chrome, "light")
        resize(chrome, *WIDE)


def fill(feed: Feed) -> None:
    """Push events that were sent, dropped and none, and say that some values are hidden."""
    given = {"analytics.event": "ticket_closed", "analytics.property.note": "mail jo@planted.example.org"}
    dropped = event("paid")
    sent = dropped["events"][0]["destinations"]
    sent.append({**sent[0], "destination": "vendor", "sent": False, "dropped": "consent", "event": None})
    feed.say(
        values_shown=False,
        processes=[process(), process(4712, "worker", values_shown=False, connected=False)],
        spool=[{"destination": "default", "bytes": 4096, "events": 3, "oldest_age_s": 1.5}],
    )
    feed.answer = 200, RULE
    feed.push(event(), request(**given), dropped, event("bad") | {"events": [], "dropped": ["name_invalid"]})
    feed.push(without_values(event("hidden_values")), request())


def faults(page: Page, axe: str) -> list[str]:
    """Return what axe-core finds fault with, WCAG 2.2 A and AA and its best practices."""
    page.script(axe)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found: dict[str, Any] = page.chrome.execute_async_script(
        """const [runOnly, done] = arguments;
        axe.run(document, {runOnly}).then(done, fault => done({error: String(fault)}))""",
        tags,
    )
    assert "error" not in found, found
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_by_everybody(theme: str, size: tuple[int, int], page: Page, axe: str) -> None:
    """Names, roles, order, contrast: totals, an event with everything open, the keys; both sizes, both themes."""
    prefer(page.chrome, theme)
    resize(page.chrome, *size)
    page.open()
    page.until(lambda: page.rows)
    found = faults(page, axe)
    page.open_row("ticket_closed")
    page.press("r")
    page.all(".rule-kinds button")[0].click()
    page.until(lambda: page.all(".rule-effect"))
    page.script("document.querySelectorAll('details').forEach(e => e.open = true)")
    found += faults(page, axe)
    page.press(Keys.ESCAPE)
    page.open_row("hidden_values")
    found += faults(page, axe)
    page.press("?")
    page.until(lambda: page.all("dialog[open]"))
    found += faults(page, axe)
    assert "\n".join(found) == ""


def test_the_theme_is_the_systems_until_one_is_chosen(page: Page) -> None:
    """A button goes through the three, and the choice is there at the next visit."""
    ground = "return getComputedStyle(document.body).backgroundColor"
    page.open()
    light = page.script(ground)
    prefer(page.chrome, "dark")
    dark = page.script(ground)
    assert light != dark
    page.click("#theme")
    page.until(lambda: page.text("#theme") == "Light")
    assert page.script(ground) == light
    page.open()
    assert page.script(ground) == light
    page.click("#theme")
    page.until(lambda: page.text("#theme") == "Dark")
    prefer(page.chrome, "light")
    assert page.script(ground) == dark


def test_a_narrow_screen_has_one_pane_at_a_time(page: Page) -> None:
    """Nothing is wider than the screen; an event takes it whole and goes back to the list; totals are a tab."""
    resize(page.chrome, *NARROW)
    page.open()
    page.until(lambda: page.rows)
    wide = "return document.documentElement.scrollWidth - innerWidth"
    assert page.script(wide) == 0
    assert not page.one(".pane-side").is_displayed()
    page.open_row("ticket_created")
    assert not page.one("#stream").is_displayed()
    assert page.script(wide) == 0
    page.script("document.querySelector('[role=rowheader]').scrollIntoView()")
    page.click(".event-close")
    page.until(lambda: page.one("#stream").is_displayed())
    page.all(".tabs button")[1].click()
    page.until(lambda: page.one(".overview").is_displayed())
    assert page.script(wide) == 0
    resize(page.chrome, 320, 640)
    assert page.script(wide) == 0


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(page: Page) -> None:
    """Tab goes from the skip link over the top, the filters and the list into the event; each stop can be seen."""
    page.open()
    page.open_row("ticket_closed")
    page.script("document.activeElement.blur()")
    stops: list[str] = []
    for _ in range(40):
        page.press(Keys.TAB)
        where = page.script(
            "const e = document.activeElement; const s = getComputedStyle(e);"
            "return [e.id || e.className || e.tagName, s.boxShadow !== 'none' || s.outlineStyle !== 'none']"
        )
        if where[0] == "BODY" or (stops and where[0] == stops[0]):
            break
        assert where[1], where[0]
        stops.append(where[0])
    assert stops[0] == "skip"
    wanted = ["pause", "theme", "search", "filter-event", "filter-process", "stream", "make-rule"]
    assert [each for each in stops if each in wanted] == wanted


def test_what_happens_is_said_aloud(page: Page) -> None:
    """Pausing and a lost connection are in a polite live region."""
    page.open()
    said = "document.querySelector('[role=status][aria-live=polite]').textContent"
    page.press("p")
    page.until(lambda: page.script(f"return {said}") == "Paused.")
    page.press("p")
    page.until(lambda: "Resumed." in page.script(f"return {said}"))


def test_keys_of_one_character_can_be_switched_off(page: Page) -> None:
    """Who dictates, or rests a hand on the keyboard, does not pause the stream."""
    page.open()
    page.press("?")
    page.click("dialog input[type=checkbox]")
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.all("dialog"))
    page.press("p", "j")
    assert page.text("#pause") == "Pause"
