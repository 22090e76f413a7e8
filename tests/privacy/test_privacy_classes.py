"""Every class of value, made from its standard: nothing of it survives; what looks alike stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from urllib.parse import quote, unquote

import pytest
from planted_values import LOOK_ALIKES, MAKERS, in_text, national_phone

from otel_posthog.model import Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter

FILTER = Filter(PrivacyPolicy())
SAMPLES = 120

PLACES: dict[str, Callable[[str], object]] = {
    "bare": lambda value: value,
    "sentence": lambda value: f"please look at {value} again",
    "list": lambda value: ["x", {"deep": [value]}],
    "json": lambda value: json.dumps({"id": 7, "v": value}),
    "bytes": lambda value: f"seen {value} there".encode(),
    "query": lambda value: "/search?q=" + quote(value, safe="") + "&page=2",
    "query_twice": lambda value: "/go?to=" + quote("/s?q=" + quote(value, safe=""), safe=""),
    "key": lambda value: {value: 1},
}


def _seen(out: object) -> str:
    shown = json.dumps(out, ensure_ascii=False, default=lambda raw: raw.decode("latin-1"))
    for _ in range(3):
        shown = unquote(shown)
    return shown.replace("\\", "")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", MAKERS)
def test_no_value_of_a_class_survives_anywhere(name: str, place: str) -> None:
    """Whatever a value of a detector's class stands in, it reaches neither side."""
    dice = Random(f"{name} {place}")
    for _ in range(SAMPLES):
        value = MAKERS[name](dice)
        whole = PLACES[place](in_text(name, value))
        for out in (FILTER.properties({"k": whole}, Receipt()), FILTER.scrub_value("k", whole)):
            assert value not in _seen(out), (value, whole, out)


@pytest.mark.parametrize("place", ["bare", "sentence", "json", "query"])
def test_no_national_phone_number_survives(place: str) -> None:
    """A number without its country's code is told by its groups or by the word before it."""
    dice = Random(f"national {place}")
    for _ in range(3 * SAMPLES):
        written, number = national_phone(dice)
        assert number not in _seen(FILTER.properties({"k": PLACES[place](written)}, Receipt())), written


@pytest.mark.parametrize("name", MAKERS)
def test_filtering_again_finds_nothing_more(name: str) -> None:
    """What came out of the filter goes through it unchanged."""
    dice = Random(name)
    for _ in range(SAMPLES):
        value = in_text(name, MAKERS[name](dice))
        once = FILTER.properties({"k": f"{value} and {value}", "l": value}, Receipt())
        receipt = Receipt()
        assert FILTER.properties(once, receipt) == once
        assert receipt.entries == []


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_what_looks_alike_is_left_alone(name: str) -> None:
    """Of harmless values at most one in a hundred is altered: a check digit is right by chance now and then."""
    dice = Random(name)
    values = [LOOK_ALIKES[name](dice) for _ in range(500)]
    altered = [value for value in values if FILTER.scrub_value("k", value) is not value]
    assert len(altered) <= 5, altered
