"""The page as `otel-posthog inspect` itself serves it, in Chromium, over a file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from chromium import complaints, requested
from inspected import TICKET
from inspecting import ask, inspecting
from inspector_feed import PAGE, POLICY
from inspector_page import Page
from selenium import webdriver

from otel_posthog.recogniser import NOT_DERIVED

MAIL = "jo@planted.example.org"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Product events, one of which nobody may have."""
    path = tmp_path_factory.mktemp("file") / "events.jsonl"
    events = [{"event": "ticket_created", "distinct_id": "u-4711", "properties": TICKET}] * 300
    refused = {"analytics.event": "ticket_closed", "analytics.consent": False}
    path.write_text("\n".join(json.dumps(each) for each in [*events, refused]), "utf-8")
    return path


def test_a_file_opens_with_what_was_removed_and_asks_nobody_else(file: Path, chrome: webdriver.Chrome) -> None:
    """The address that is printed leads to the page; all items are there, and every request goes to this machine."""
    with inspecting(str(file)) as url:
        page = Page(chrome, url)
        chrome.get(url)
        page.until(lambda: page.text(".connection") == "File events.jsonl")
        page.until(lambda: page.text(".shown").startswith("301 events"))
        assert page.rows[0] == "ticket_closed"
        assert page.text(".row-state") == "dropped: consent"
        page.until(lambda: page.texts("[aria-labelledby=totals-events] .bar")[:1] == ["ticket_created\n300"])
        page.open_row("ticket_created")
        assert page.pairs()["customer_email"][0] == MAIL
        assert page.pairs()["customer_email"][1].startswith("removed\nthe key is a sensitive one")
        assert page.pairs()["note"][1].startswith("mail [email]\ne-mail address")
        asked = [each for each in requested(chrome) if not each.startswith(("data:", "about:"))]
        assert len(asked) > 20
        assert {urlsplit(each).netloc for each in asked} == {urlsplit(url).netloc}
        # The browser's own wish for an icon of the page that sets the cookie.
        assert [each for each in complaints(chrome) if "favicon.ico" not in each] == []


def test_without_values_nothing_of_the_file_is_on_the_page(file: Path, chrome: webdriver.Chrome) -> None:
    """With `--no-values` the banner says so, and the address is nowhere."""
    with inspecting(str(file), "--no-values") as url:
        page = Page(chrome, url)
        chrome.get(url)
        page.until(lambda: page.text("#values-hidden").startswith("Values before filtering are not shown."))
        page.open_row("ticket_created")
        assert page.pairs()["customer_email"][0] == "not shown"
        assert MAIL not in page.script("return document.documentElement.outerHTML")


def test_tests_serve_the_page_under_the_servers_own_policy(file: Path) -> None:
    """The stand-in of the other tests allows no more than the server does."""
    with inspecting(str(file)) as url:
        parts = urlsplit(url)
        assert ask(parts.port or 0, f"/?{parts.query}")[2]["content-security-policy"] == POLICY


def test_the_page_knows_which_rules_are_the_apps_own_marks() -> None:
    """Any other rule is one of the policy's, and named in the stream."""
    text = (PAGE / "js" / "entry.js").read_text("utf-8")
    found = re.search(r"MARKS = new Set\(\[(.*?)\]\)", text)
    assert found
    assert {*re.findall(r'"(\w+)"', found[1])} == NOT_DERIVED - {""}
