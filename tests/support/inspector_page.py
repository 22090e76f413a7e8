"""The inspector's page as a person uses it: open, look, click, press keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from inspector_feed import Feed
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

TIMEOUT_S = 20
_T = TypeVar("_T")


class Page:
    """The page in a browser.

    Args:
        chrome: The browser.
        url: Of the page.
    """

    def __init__(self, chrome: webdriver.Chrome, url: str) -> None:
        self.chrome, self.url = chrome, url

    def open(self, feed: Feed | None = None) -> None:
        """Load it anew, and wait until it is connected and has what the feed has."""
        self.chrome.get(self.url)
        self.until(lambda: self.text(".connection") in {"Live", "Ended"})
        if feed is not None and feed.items:
            self.until(lambda: self.rows)

    def until(self, is_true: Callable[[], _T], timeout_s: float = TIMEOUT_S) -> _T:
        """Wait for something and return it.

        Args:
            is_true: Returns it, or what is false as long as it is not there.
            timeout_s: For how long.

        Raises:
            TimeoutException: It does not come.
        """
        wait = WebDriverWait(self.chrome, timeout_s, 0.03, [StaleElementReferenceException])
        return wait.until(lambda _: is_true())

    def all(self, selector: str) -> list[WebElement]:
        """Return the elements of a CSS selector."""
        return self.chrome.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """Return an element, once it is there."""
        return self.until(lambda: self.all(selector))[0]

    def text(self, selector: str) -> str:
        """Return the text of the first element; empty where there is none."""
        return str(self.script("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all elements."""
        return list(self.script("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector))

    def click(self, selector: str) -> None:
        """Click on an element, once it is there."""
        self.one(selector).click()

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.chrome, duration=0).send_keys(*keys).perform()

    def script(self, code: str, *arguments: Any) -> Any:
        """Run JavaScript in the page."""
        return self.chrome.execute_script(code, *arguments)

    @property
    def rows(self) -> list[str]:
        """The names of the lines in the document, from the top."""
        code = """return [...document.querySelectorAll('.row')]
            .sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map(e => e.querySelector('.row-name').innerText)"""
        return list(self.script(code))

    def open_row(self, name: str) -> None:
        """Click on the first line of this name."""
        self.until(lambda: name in self.rows)
        self.script(
            """[...document.querySelectorAll('.row')].sort((a, b) => a.ariaPosInSet - b.ariaPosInSet)
            .find(e => e.querySelector('.row-name').innerText === arguments[0]).click()""",
            name,
        )
        self.until(lambda: self.text("#event-title") == name)

    def pairs(self) -> dict[str, tuple[str, str, str]]:
        """What the open event shows of each property: before, after, and which mark it has."""
        found = self.script(
            """const text = (row, part) => row.querySelector(part).innerText.trim();
            return [...document.querySelectorAll('.side .pair:not(.pair-head)')].map(row => [
              text(row, '.pair-key'), text(row, '.pair-before'), text(row, '.pair-after'),
              [...row.classList].find(name => name.startsWith('is-')).slice(3)])"""
        )
        return {key: (before, after, mark) for key, before, after, mark in found}
