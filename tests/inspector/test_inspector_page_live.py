"""The help desk under `opentelemetry-instrument`, looked at while it runs: what is removed from its events is seen.

With `OTEL_POSTHOG_SCREENSHOTS` set, the pictures of the documents are taken here (`make screenshots`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from chromium import browser, complaints, prefer, requested, resize
from inspecting import inspecting
from inspector_page import Page
from png import smaller
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from otel_posthog import environment_variables as env
from otel_posthog.apps.demo.app import AppProcess, app_environment, helpdesk_parent
from otel_posthog.apps.demo.model import Options
from otel_posthog.apps.demo.receivers import Receivers
from otel_posthog.apps.demo.traffic import Tally, drive

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDE, NARROW = (1280, 800), (390, 844)
TAKES_PICTURES = bool(os.environ.get("OTEL_POSTHOG_SCREENSHOTS"))
REQUESTS, SEED = 400 if TAKES_PICTURES else 40, 7
MAX_PICTURE_BYTES, MAX_PICTURES_BYTES = 150_000, 600_000


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Run the help desk and its inspector, and send it traffic full of made-up personal data."""
    options = Options(REQUESTS, "always_on", 1.0, SEED, keep=False, unprotected=False, environ=os.environ)
    with tempfile.TemporaryDirectory(prefix="inspect-") as name, Receivers(options) as receivers:
        folder = Path(name)
        environment = app_environment(options, folder, helpdesk_parent(folder)) | receivers.environment()
        environment |= {env.OTEL_POSTHOG_INSPECT: f"{folder}/look", env.OTEL_POSTHOG_INSPECT_VALUES: "1"}
        with AppProcess(folder, environment) as app, inspecting("--socket", f"{folder}/look") as url:
            drive(app.url, REQUESTS, SEED, Tally())
            yield url
            app.stop()


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    """The page, opened once: its address works once."""
    with browser(width=WIDE[0], height=WIDE[1]) as chrome:
        made = Page(chrome, address)
        chrome.get(address)
        made.until(lambda: made.text(".connection") == "Live")
        made.until(lambda: "ticket_created" in made.text("[aria-labelledby=totals-events]"))
        yield made


def test_an_address_is_seen_as_it_is_removed(page: Page) -> None:
    """Left what the app wrote, right what PostHog has, the rule beside it; nothing else was asked of anybody."""
    page.one("#filter-event option[value=ticket_created]").click()
    page.open_row("ticket_created")
    pairs = page.pairs()
    before, after, mark = pairs["customer_email"]
    assert "@" in before
    assert after.startswith("removed\nthe key is a sensitive one")
    assert mark == "removed"
    comment = pairs["comment"]
    assert comment[0] != comment[1]
    assert "@" not in comment[1]
    assert "e-mail address" in comment[1]
    assert pairs["user id"][0] not in pairs["user id"][1]
    assert "parts taken off" in page.text("[aria-label='Operational copy']")
    asked = [each for each in requested(page.chrome) if not each.startswith(("data:", "about:"))]
    assert {urlsplit(each).hostname for each in asked} == {"127.0.0.1"}
    assert [each for each in complaints(page.chrome) if "favicon.ico" not in each] == []


def test_delivery_and_the_app_are_on_the_page(page: Page) -> None:
    """What waits and what has arrived, from the app itself."""
    page.press(Keys.ESCAPE, Keys.ESCAPE)
    page.until(lambda: "helpdesk" in page.text(".processes"))
    page.until(lambda: "Delivered" in page.text(".strip"))
    strip = page.text(".strip").split("\n")
    assert int(dict(zip(strip[::2], strip[1::2], strict=True))["Delivered"].replace(",", "")) > 0


def test_the_pictures_of_the_documents_are_small() -> None:
    """Each below 150 kB, all of the inspector's together below 600 kB."""
    sizes = [each.stat().st_size for each in IMAGES.glob("inspector-*.png")]
    assert len(sizes) >= 4
    assert max(sizes) < MAX_PICTURE_BYTES
    assert sum(sizes) < MAX_PICTURES_BYTES


@pytest.mark.skipif(not TAKES_PICTURES, reason="make screenshots takes the pictures")
def test_the_pictures_are_taken(page: Page) -> None:
    """An event in both themes, the totals, a rule that is tried, a narrow screen."""
    IMAGES.mkdir(exist_ok=True)
    chrome = page.chrome
    page.press(Keys.ESCAPE, Keys.ESCAPE)
    page.until(lambda: page.all(".overview"))
    take(chrome, "totals")
    page.one("#filter-event option[value=ticket_created]").click()
    page.open_row("ticket_created")
    page.click("#clear")
    take(chrome, "event")
    prefer(chrome, "dark")
    take(chrome, "event-dark")
    page.click("#make-rule")
    page.all(".rule-kinds button")[2].click()
    page.until(lambda: page.all(".rule-effect"))
    take(chrome, "rule-dark")
    page.press(Keys.ESCAPE)
    resize(chrome, *NARROW)
    take(chrome, "narrow-dark")
    prefer(chrome, "light")
    page.press(Keys.ESCAPE)
    take(chrome, "narrow")


def take(chrome: webdriver.Chrome, name: str) -> None:
    """Take a picture for the documents."""
    chrome.execute_script("document.activeElement.blur()")
    (IMAGES / f"inspector-{name}.png").write_bytes(smaller(chrome.get_screenshot_as_png()))
