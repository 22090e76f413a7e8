"""What had nothing to hide is not looked at twice; what had is never kept."""

from __future__ import annotations

import dataclasses
from base64 import b64encode

import pytest

from otel_posthog.harmless import MAX_CHARS, MAX_VALUES, Harmless
from otel_posthog.model import Receipt
from otel_posthog.policy import Policy
from otel_posthog.policy.defaults import DETECTORS
from otel_posthog.privacy import Filter, scan
from otel_posthog.privacy.keys import NO_FACTS
from otel_posthog.privacy.methods import HitMethods
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


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that the scanner looks at."""
    looked: list[str] = []

    def noted(text: str) -> object:
        looked.append(text)
        return features_of(text)

    features_of = vars(scan)["features_of"]
    monkeypatch.setattr(scan, "features_of", noted)
    return looked


def test_what_is_left_of_a_text_is_looked_at_once(looks: list[str]) -> None:
    """Texts that differ in what is replaced are looked at once each, and what is left of all of them once."""
    tested = Filter(Policy().privacy)
    for number in range(3):
        assert tested.properties({"note": f"mail of {number}{MAIL}"}, Receipt()) == {"note": "mail of [email]"}
    assert looks.count("mail of [email]") == 1
    assert len(looks) == 4


def test_the_head_of_tokens_is_looked_at_once(looks: list[str]) -> None:
    """What base64 hides is remembered like any text: tokens of a kind begin with the same."""
    tested, head = Filter(Policy().privacy), '{"alg":"HS256","typ":"JWT"}'
    for number in range(3):
        payload = b64encode(f'{{"sub": {number}}}'.encode()).decode()
        tested.properties({"note": f"{b64encode(head.encode()).decode()} {payload}"}, Receipt())
    assert looks.count(head) == 1


def test_a_text_is_remembered_for_the_detectors_that_looked(looks: list[str]) -> None:
    """What the scanner has seen with one detector off is looked at again with all of them."""
    scanner = scan.Scanner(DETECTORS, lambda _: NO_FACTS)
    for _ in range(2):
        assert scanner.clean(MAIL, 100, methods=HitMethods(skipped=frozenset(("email",)))) == MAIL
    assert looks.count(MAIL) == 1
    assert scanner.clean(MAIL, 100) == "[email]"
