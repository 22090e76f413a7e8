"""The personal values that the demo plants, and the search for them."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_posthog.apps.demo.planted import Planted, customers, owner
from otel_posthog.apps.demo.receivers import OVERLAP_BYTES, LeakSearch

SEED = 7
VALUES = [value for customer in customers(SEED) for value in customer.values()] + [owner(SEED)]
REPOSITORY = Path(__file__).resolve().parents[2]


def test_values_are_many_and_different() -> None:
    """There are far more than the promised twenty, of nine kinds, and no two share what is looked for."""
    assert len({value.telltale for value in VALUES}) == len(VALUES) == 65
    assert len({value.kind for value in VALUES}) == 9
    assert all(value.telltale in value.value for value in VALUES)


def test_same_seed_makes_same_values() -> None:
    """A run can be repeated; another seed makes other values."""
    assert customers(SEED) == customers(SEED)
    assert customers(SEED) != customers(SEED + 1)


def test_values_have_the_shapes_that_detectors_must_know() -> None:
    """Cards pass the Luhn test, addresses are public, phones are in international form."""
    for customer in customers(SEED):
        digits = [int(digit) for digit in customer.card.value if digit.isdigit()]
        doubled = [digit if place % 2 else sum(divmod(digit * 2, 10)) for place, digit in enumerate(digits)]
        assert sum(doubled) % 10 == 0
        assert ipaddress.ip_address(customer.address.value).is_global
        assert customer.phone.value.startswith("+")


def test_no_value_is_written_in_the_sources() -> None:
    """Secret-shaped values are made at run time and stand nowhere in the repository."""
    folders = (REPOSITORY / "otel_posthog", REPOSITORY / "examples", REPOSITORY / "tests")
    sources = b"".join(path.read_bytes() for folder in folders for path in folder.rglob("*.py"))
    assert LeakSearch(VALUES).search(sources) == 0


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.kind)
@pytest.mark.parametrize(
    "spell",
    [
        str,
        json.dumps,
        lambda text: quote(text, safe=""),
        lambda text: re.sub("%..", lambda escape: escape[0].lower(), quote(text, safe="")),
        quote_plus,
        lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    ],
    ids=["plain", "json", "percent", "percent-lower", "plus", "all-percent"],
)
def test_value_is_found_in_every_spelling(value: Planted, spell: Callable[[str], str]) -> None:
    """However telemetry spells a value, the search sees it."""
    search = LeakSearch(VALUES)
    search.search(b"\x0a\x12" + spell(value.value).encode() + b"\x00 and more")
    assert value in search.seen


@pytest.mark.parametrize("before", ["", "mail to ", "x" * 140, "a sentence of some length before it, and more of it: "])
@pytest.mark.parametrize("field", ["body", "attribute", "name", "event"])
def test_what_is_shown_of_a_leak_is_the_text_alone(field: str, before: str) -> None:
    """Of a real OTLP request: the text around the value, without the bytes by which protobuf tells fields apart."""
    email = customers(SEED)[0].email
    text = f"{before}{email.value} and so on"
    span = Span(name=text if field == "name" else "GET", trace_id=b"\xc1" * 16, span_id=b"\xc2" * 8)
    value = AnyValue(string_value=text)
    if field in {"body", "attribute"}:
        span.attributes.append(KeyValue(key="enduser.email", value=value))
        span.attributes.append(KeyValue(key="http.route", value=AnyValue(string_value="/")))
    if field == "event":
        span.events.append(Span.Event(name=text))
    search = LeakSearch([email])
    assert search.search(b"POST /v1/traces\nhost: a\n" + span.SerializeToString()) == 1
    assert search.seen[email] in text
    assert email.telltale in search.seen[email]


def test_half_a_value_is_still_a_leak() -> None:
    """An e-mail address whose domain alone was removed counts as seen."""
    email = customers(SEED)[0].email
    assert LeakSearch([email]).search(email.value.partition("@")[0].encode()) == 1


def test_value_across_two_looks_is_found() -> None:
    """Bytes that arrive in two parts are searched as one."""
    email = customers(SEED)[0].email
    raw = b"x" * (OVERLAP_BYTES * 3) + email.value.encode()
    search = LeakSearch([email])
    assert search.search(raw[:-20]) == 0
    assert search.search(raw) == 1
    assert email.telltale in search.seen[email]


def test_clean_bytes_are_clean() -> None:
    """What carries no planted value is not accused."""
    assert LeakSearch(VALUES).search(b'{"comment": "call [phone] or write to [email]"}') == 0
