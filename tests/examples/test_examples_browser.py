"""The page: clicks in a real browser arrive as PostHog events, under the same filters."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from chromium import browser
from gateway import Gateway, gateway
from needs import needs
from node import example
from ports import free_port
from processes import running
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from otel_posthog.testing import FakePostHog

MAIL = "jo@planted.example.org"
TOKEN = "b0" * 10
EVENTS = {"page_viewed", "show_opened", "order_submitted", "confirmation_shown"}
TIMEOUT_S = 30


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bundle the page and serve it; the value is its origin."""
    node, folder = needs("node", "it bundles the page"), tmp_path_factory.mktemp("page")
    subprocess.run([node, "build.js", str(folder)], cwd=example("browser-page"), check=True, timeout=60)
    port = free_port()
    words = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(folder), str(port)]
    with running(*words, environ={"PYTHONUNBUFFERED": "1"}) as tree:
        tree.wait_for("Serving HTTP")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serving(page: str, posthog: FakePostHog, directory: Path, *, origin: str | None = None) -> Iterator[Gateway]:
    """Run a gateway that the page may send to, or one of `origin` only."""
    options = ("--cors-origin", origin or page)
    with gateway(*options, posthog=posthog.url, directory=directory, OTEL_POSTHOG_GATEWAY_TOKENS=TOKEN) as made:
        yield made


def log(chrome: webdriver.Chrome) -> list[dict[str, Any]]:
    """Return what the browser's console has had since the last call."""
    return list(cast("Any", chrome).get_log("browser"))


def order(chrome: webdriver.Chrome, page: str, made: Gateway) -> None:
    """Open the page, choose a show, order."""
    chrome.get(f"{page}/?gateway={made.url}&token={TOKEN}")
    chrome.find_element(By.CSS_SELECTOR, "button[data-show=concert]").click()
    chrome.find_element(By.ID, "mail").send_keys(MAIL)
    chrome.find_element(By.ID, "order").click()


def test_clicks_arrive_and_nothing_personal_does(page: str, tmp_path: Path) -> None:
    """Log-based events, a span and a span event, each once; the address arrives as a marker, in no byte as it is."""
    with FakePostHog() as posthog, serving(page, posthog, tmp_path) as made, browser() as chrome:
        order(chrome, page, made)
        said = chrome.find_element(By.ID, "said")
        WebDriverWait(chrome, TIMEOUT_S).until(lambda _: said.text.startswith("Ordered"))
        posthog.wait_for(len(EVENTS), TIMEOUT_S)
        assert not [each for each in log(chrome) if each["level"] == "SEVERE"]
    assert {each.event for each in posthog.unique_events} == EVENTS
    assert posthog.duplicates == 0
    assert posthog.named("order_submitted")[0].properties["note"] == "tickets for [email]"
    assert posthog.named("show_opened")[0].properties["show"] == "concert"
    assert b"planted.example" not in posthog.raw_bytes


def test_what_is_left_goes_when_the_page_is_left(page: str, tmp_path: Path) -> None:
    """An event of the last half second before the page goes arrives all the same."""
    with FakePostHog() as posthog, serving(page, posthog, tmp_path) as made, browser() as chrome:
        chrome.get(f"{page}/?gateway={made.url}&token={TOKEN}")
        chrome.find_element(By.CSS_SELECTOR, "button[data-show=theatre]").click()
        chrome.get("about:blank")
        assert posthog.wait_until(lambda: bool(posthog.named("show_opened")), TIMEOUT_S)


def test_a_page_that_is_not_on_the_list_sends_nothing(page: str, tmp_path: Path) -> None:
    """The browser's preflight is refused."""
    with FakePostHog() as posthog, serving(page, posthog, tmp_path, origin="https://x.example") as made:
        with browser() as chrome:
            order(chrome, page, made)
            refused = WebDriverWait(chrome, TIMEOUT_S).until(
                lambda _: [each for each in log(chrome) if "CORS policy" in each["message"]]
            )
        assert refused
        assert not posthog.unique_events
