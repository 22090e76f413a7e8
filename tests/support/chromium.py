"""Chromium without a window, as tests of pages use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from needs import needs
from selenium import webdriver
from selenium.webdriver.chrome.service import Service


@contextmanager
def browser(*, width: int = 900, height: int = 700) -> Iterator[webdriver.Chrome]:
    """Run Chromium.

    Args:
        width: Of the page, in pixels.
        height: Of the page.
    """
    chromium, driver = needs("chromium", "it opens the page"), needs("chromedriver", "it moves Chromium")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--force-prefers-reduced-motion"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(driver))
    try:
        resize(made, width, height)
        yield made
    finally:
        made.quit()


def resize(chrome: webdriver.Chrome, width: int, height: int) -> None:
    """Give the page a size, below what a window may have, too."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def prefer(chrome: webdriver.Chrome, theme: str) -> None:
    """Have the system prefer a theme: `light` or `dark`."""
    wish = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", wish)


def requested(chrome: webdriver.Chrome) -> list[str]:
    """Return the addresses that the page has asked for since the last call, whatever became of it."""
    lines = [json.loads(each["message"])["message"] for each in cast("Any", chrome).get_log("performance")]
    sent = ("Network.requestWillBeSent", "Network.webSocketCreated")
    return [each["params"].get("request", each["params"])["url"] for each in lines if each["method"] in sent]


def complaints(chrome: webdriver.Chrome) -> list[str]:
    """Return the errors and warnings in the browser's console since the last call."""
    lines = cast("Any", chrome).get_log("browser")
    return [each["message"] for each in lines if each["level"] in {"SEVERE", "WARNING"}]
