"""A browser, and the page with a feed of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import browser
from inspector_feed import Feed, serving_feed
from inspector_page import Page
from selenium import webdriver


@pytest.fixture(scope="module")
def chrome() -> Iterator[webdriver.Chrome]:
    """Run one browser for all tests."""
    with browser(width=1280, height=800) as made:
        yield made


@pytest.fixture
def feed() -> Iterator[Feed]:
    """Serve the page with a feed of the test's own."""
    with serving_feed() as made:
        yield made


@pytest.fixture
def page(chrome: webdriver.Chrome, feed: Feed) -> Iterator[Page]:
    """The page, left again after the test."""
    yield Page(chrome, feed.url)
    chrome.get("about:blank")
