"""`docs/privacy.md` is true: its examples are tried, its lists are the detectors' own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter
from otel_posthog.privacy.reference import BEGIN, END, names

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
TEXT = PAGE.read_text("utf-8")
FILTER = Filter(PrivacyPolicy())
FOUND = re.findall(r"^\| `(.+?)` \| `(.+)` \|$", TEXT, re.MULTILINE)
KEPT = re.findall(r"^\| `(.+?)` \| ([^`|].*) \|$", TEXT.partition("## Not found")[2], re.MULTILINE)


@pytest.mark.parametrize(("given", "left"), FOUND)
def test_what_the_page_says_is_caught_is(given: str, left: str) -> None:
    """Each row with its marker, as the value of an attribute that says nothing."""
    assert given != left
    assert FILTER.scrub_value("k", given) == left


@pytest.mark.parametrize("given", [given for given, _ in KEPT])
def test_what_the_page_says_is_not_caught_is_not(given: str) -> None:
    """Each row passes; one that is caught some day leaves the table."""
    assert FILTER.scrub_value("k", given) is given


def test_the_page_has_an_example_of_every_detector() -> None:
    """By its marker, in a row or in a sentence."""
    assert len(FOUND) > 35
    assert len(KEPT) > 12
    for name in PrivacyPolicy().detectors:
        assert f"[{name}]" in TEXT


def test_the_lists_of_the_page_are_the_tables_of_the_detectors() -> None:
    """Nobody has to remember them."""
    made = TEXT.partition(BEGIN)[2].partition(END)[0]
    assert made.strip() == names().strip(), "run `make policy`"
