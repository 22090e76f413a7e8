"""What had nothing to hide is not looked at twice; what had is never kept."""

from __future__ import annotations

import dataclasses

import pytest

from otel_posthog.harmless import MAX_CHARS, MAX_VALUES, Harmless
from otel_posthog.model import Receipt
from otel_posthog.policy import Policy
from otel_posthog.privacy import Filter
from otel_posthog.privacy.properties import Properties

ROUTE = {"http.route": "/tickets/{id}", "http.response.status_code": 200}
MAIL = "jo@" + "example.org"


def test_known_telemetry_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second event of a route costs no pass over its telemetry, and says the same."""
    tested = Filter(Policy().privacy)
    first = tested.telemetry({**ROUTE, "not.allowed": "x"}, Receipt())
    monkeypatch.setattr(Properties, "cleaned", lambda *_: pytest.fail("looked at again"))
    assert tested.telemetry({**ROUTE, "not.allowed": "y"}, Receipt()) == first == ROUTE


def test_known_names_are_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second event of a name costs no look at the name."""
    tested = Filter(Policy().privacy)
    assert tested.name("ticket_created", Receipt()) == "ticket_created"
    monkeypatch.setattr(Properties, "name", lambda *_: pytest.fail("looked at again"))
    assert tested.name("ticket_created", Receipt()) == "ticket_created"


def test_what_had_to_go_is_replaced_each_time() -> None:
    """Telemetry and names with personal data are looked at, replaced and noted every time."""
    tested = Filter(Policy().privacy)
    for _ in range(3):
        receipt = Receipt()
        assert tested.telemetry({"http.route": f"/of/{MAIL}"}, receipt) == {"http.route": "/of/[email]"}
        assert tested.name(f"mail to {MAIL}", receipt) == "mail to [email]"
        assert len(receipt.entries) == 2


def test_a_detailed_receipt_names_what_is_not_allowed_each_time() -> None:
    """Whoever asks for detail gets it for known telemetry as well."""
    tested = Filter(Policy().privacy)
    for _ in range(2):
        receipt = Receipt(is_detailed=True)
        tested.telemetry({**ROUTE, "not.allowed": "x"}, receipt)
        assert [entry[1] for entry in receipt.entries] == ["allow_list"]


def test_the_bound_on_properties_holds_for_known_ones() -> None:
    """More telemetry than an event may have is cut, however well known each of it is."""
    tested = Filter(dataclasses.replace(Policy().privacy, max_properties=1))
    for _ in range(2):
        assert tested.telemetry({"http.route": "/a"}, Receipt()) == {"http.route": "/a"}
        assert tested.telemetry({"error.type": "b"}, Receipt()) == {"error.type": "b"}
        assert len(tested.telemetry({"http.route": "/a", "error.type": "b"}, Receipt())) == 1


def test_true_is_not_one() -> None:
    """Values that Python takes for equal are told apart, since they leave as different JSON."""
    known = Harmless()
    known.remember("k", 1)
    assert known.knows("k", 1)
    assert not known.knows("k", True)
    assert not known.knows("k", 1.0)


def test_what_cannot_be_a_key_of_a_set_is_not_known() -> None:
    """Lists are looked at each time, and none is remembered."""
    known = Harmless()
    known.remember("k", ["a"])
    assert not known.knows("k", ["a"])


def test_memory_is_bounded() -> None:
    """Long texts are not remembered, and a full memory starts anew."""
    known = Harmless()
    known.remember("k", "a" * (MAX_CHARS + 1))
    assert not known.knows("k", "a" * (MAX_CHARS + 1))
    for number in range(MAX_VALUES + 1):
        known.remember("k", number)
    assert known.knows("k", MAX_VALUES)
    assert not known.knows("k", 0)
