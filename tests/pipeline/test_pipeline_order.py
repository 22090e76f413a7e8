"""The order in which an event is cleaned: for each two neighbours, what would come out if they were swapped.

Consent, catalog, key rules, typed detectors, structure, free text, identity, size limits.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from otel_posthog.clean import Cleaner
from otel_posthog.errors import DropEvent
from otel_posthog.health import Health
from otel_posthog.model import Event, Receipt, Source, Subject
from otel_posthog.policy import (
    Catalog,
    CatalogMode,
    Destination,
    EventSpec,
    FrozenMap,
    HitMethod,
    Method,
    Policy,
    PrivacyPolicy,
    PropertySpec,
    Rule,
)

MAIL = "ada.lovelace@example.org"
DESTINATION = Destination(api_key="phc_x")


def event(subject: Subject | None = None, **properties: Any) -> Event:
    """Return an event."""
    return Event("e", "0" * 32, 10**18, properties, {}, subject or Subject(), None, None, Source.LOG)


def cleaned(given: Event, policy: Policy | None = None) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """Return the properties that leave, and the receipt."""
    receipt = Receipt()
    made = replace(policy or Policy(), destinations=(DESTINATION,))
    event_ = Cleaner(made, installation_id="i", health=Health()).clean(given, DESTINATION, receipt)
    properties = json.loads(event_.body)["properties"]
    return {key: value for key, value in properties.items() if not key.startswith("$")}, receipt.entries


def catalog(**specs: PropertySpec) -> Catalog:
    """Return an enforced catalog of the event `e`."""
    return Catalog(CatalogMode.ENFORCE, events=FrozenMap({"e": EventSpec(properties=FrozenMap(specs))}))


def test_consent_comes_before_the_catalog() -> None:
    """An event that is denied is not looked at further: the reason is the denial, and no rule has fired."""
    receipt = Receipt()
    policy = Policy(catalog=Catalog(CatalogMode.ENFORCE), destinations=(DESTINATION,))
    cleaner = Cleaner(policy, installation_id="i", health=Health())
    with pytest.raises(DropEvent, match="consent"):
        cleaner.clean(event(Subject(consent=False), k=1), DESTINATION, receipt)
    assert receipt.entries == []


def test_the_catalog_comes_before_key_rules() -> None:
    """A declared range is held to the value that the app gave, not to what a rule made of it."""
    rule = Rule(keys=("k",), method=Method.MASK)
    policy = Policy(catalog=catalog(k=PropertySpec(pattern="[a-z]{3}")), privacy=PrivacyPolicy(rules=(rule,)))
    assert cleaned(event(k="abc"), policy)[0] == {"k": "****"}
    assert cleaned(event(k="****"), policy)[0] == {}
    assert cleaned(event(password="x"), policy)[1] == [("password", "catalog_undeclared", "removed")]


def test_key_rules_come_before_detectors() -> None:
    """A value that a rule takes whole is not searched first, and its token is that of the value as it was."""
    privacy = PrivacyPolicy(rules=(Rule("ref", ("k",), method=Method.HMAC),), hmac_secret=b"k" * 32)
    policy = Policy(privacy=privacy)
    one, entries = cleaned(event(k=MAIL), policy)
    assert entries == [("k", "ref", "replaced")]
    assert one != cleaned(event(k="[email]"), policy)[0]
    assert cleaned(event(password=MAIL))[1] == [("password", "sensitive_key", "removed")]


def test_typed_detectors_come_before_structure() -> None:
    """A number that is a card is one before its text is taken apart: in JSON as in a URL it is replaced as a card."""
    card = 4111111111111111
    assert cleaned(event(k=card)) == ({"k": "[card]"}, [("k", "card", "replaced")])
    out, entries = cleaned(event(k=f'{{"n": {card}}}', url=f"https://a.example/?n={card}"))
    assert out == {"k": '{"n": "[card]"}', "url": "https://a.example/?n=[card]"}
    assert {rule for _, rule, _ in entries} == {"card"}


def test_structure_comes_before_free_text() -> None:
    """JSON in a text is opened and judged by its keys, not searched as a sentence."""
    text = '{"password": "x y z", "note": "password=hunter2"}'
    assert cleaned(event(k=text))[0] == {"k": '{"password": "[redacted]", "note": "password=[secret]"}'}
    assert cleaned(event(k=f"see {text[:-1]}"))[0]["k"].startswith('see {"password": "[secret]"')


def test_free_text_comes_before_identity() -> None:
    """An id that is an address is found as an address; what identity takes out then is only what is left of it."""
    out, entries = cleaned(event(Subject(user_id=MAIL), k=f"by {MAIL}"))
    assert out == {"k": "by [email]"}
    assert entries == [("k", "email", "replaced")]
    off = FrozenMap({**PrivacyPolicy().detectors, "email": HitMethod.OFF})
    assert cleaned(event(Subject(user_id=MAIL), k=f"by {MAIL}"), Policy(privacy=PrivacyPolicy(detectors=off)))[0] == {
        "k": "by [user]"
    }


@pytest.mark.parametrize("limit", [40, 41, 45, 50, 60])
def test_identity_comes_before_size_limits(limit: int) -> None:
    """No cut leaves half of an id that a property repeats, wherever it stands."""
    user_id = "customer-ravenscroft"
    policy = Policy(privacy=PrivacyPolicy(max_string_chars=limit))
    for shift in range(limit):
        text = "w " * (shift // 2) + user_id + " z" * 900
        out, entries = cleaned(event(Subject(user_id=user_id), k=text, n=["x " * 5 + user_id]), policy)
        assert "custom" not in str(out)
        assert len(out["k"]) <= limit
        assert ("k", "max_string_chars", "truncated") in entries


def test_many_repetitions_do_not_draw_half_an_id_into_the_text() -> None:
    """Replacing shortens what stands before the cut; what was cut there was looked at all the same."""
    user_id = "customer-ravenscroft"
    policy = Policy(privacy=PrivacyPolicy(max_string_chars=400))
    for shift in range(22):
        out, _ = cleaned(event(Subject(user_id=user_id), k="x" * shift + f" {user_id}" * 200), policy)
        assert "c" not in str(out["k"])


def test_a_cut_for_the_sake_of_ids_costs_no_text() -> None:
    """A long text without an id keeps as many characters as the policy says."""
    policy = Policy(privacy=PrivacyPolicy(max_string_chars=50))
    for size in (49, 50, 51, 300, 700, 5000):
        out, _ = cleaned(event(Subject(user_id="customer-ravenscroft"), k="w " * size), policy)
        assert out["k"] == ("w " * size)[:50]
