"""`explain` shows of an event what the app sends of it: every name that PostHog acts on, in every identity mode."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from events import ring
from telemetry import Telemetry

from otel_posthog import capture
from otel_posthog.apps.explain.documents import Located
from otel_posthog.apps.explain.explainer import INSTALLATION, Explainer
from otel_posthog.apps.explain.items import items_of
from otel_posthog.identity import Pseudonyms
from otel_posthog.policy import Destination, IdentityMode, Policy
from otel_posthog.posthog.properties import reserved_names

UUID, TIME = "018f3c5e-7b2a-7cc0-8000-000000000001", "2025-11-24T16:00:00Z"
# As a text, an id, a map, a yes, a no and what is none of them.
VALUES: list[Any] = ["pro", "jo@example.org", 7, {"company": "acme-corp", "n": 1}, True, False, "false", None, [1], {}]
NAMES = sorted({*reserved_names(), "$lib", "$geoip_city_name", "$feature/beta", "$current_url", "$anything", "plain"})


class Both:
    """The app and `explain`, under one identity mode."""

    def __init__(self, mode: IdentityMode, app: Telemetry) -> None:
        self.app = app
        policy = Policy(destinations=(Destination(api_key="phc_test"),)).with_identity(mode)
        self._explainer = Explainer(policy, keys=ring())

    def sent(self, event: dict[str, Any]) -> list[Any]:
        """Return what PostHog gets of `event` by `capture()`."""
        self.app.events.clear()
        capture(event["event"], event["properties"], distinct_id=event.get("distinct_id"), uuid=UUID, timestamp=TIME)
        return list(self.app.events)

    def shown(self, event: dict[str, Any]) -> list[Any]:
        """Return what `explain` shows that PostHog gets of the same event in a file."""
        content = json.loads(json.dumps({**event, "uuid": UUID, "timestamp": TIME}))
        (item,) = items_of(Located(1, content))
        explanation = self._explainer.explain(item)
        return [sent.event for each in explanation.events for sent in each.sent if sent.event]


@pytest.fixture
def both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    """Both, in the mode that a test names, else `identified`."""
    mode = getattr(request, "param", IdentityMode.IDENTIFIED)
    with Telemetry(mode, pseudonyms=Pseudonyms(keys=ring())) as app:
        yield Both(mode, app.use_for_capture(monkeypatch))


def comparable(events: list[Any]) -> list[Any]:
    """Return `events` without what an app knows and a file does not: the installation, and its service."""
    made = json.loads(json.dumps(events).replace("installation-1", INSTALLATION))
    for each in made:
        each["properties"].pop("service.name", None)
    return list(made)


@pytest.mark.parametrize("both", list(IdentityMode), indirect=True)
def test_the_app_and_explain_agree_on_each_name(both: Both) -> None:
    """Whatever the value, with and without a user."""
    for name, value, who in itertools.product(NAMES, VALUES, ({}, {"distinct_id": "u-4711"})):
        event = {"event": "e", "properties": {name: value, "other": 1}, **who}
        assert comparable(both.sent(event)) == comparable(both.shown(event)), (name, value)


@pytest.mark.parametrize(
    ("number", "sent"),
    [("9.90", 9.9), ("7", 7.0), ("-0.1", -0.1), ("1E+400", None), ("NaN", None), ("sNaN", None), ("-Infinity", None)],
)
def test_a_decimal_is_a_number(number: str, sent: float | None, both: Both) -> None:
    """As posthog-python makes it, wherever it stands; what is no number that JSON has is left out."""
    value = Decimal(number)
    event = {"event": "e", "properties": {"a": value, "l": [value], "m": {"a": value}, "$set": {"a": value}}}
    (made,) = both.sent({**event, "distinct_id": "u1"})
    found = made["properties"]
    if sent is None:
        assert number.strip("-").lower() not in json.dumps(made).lower()
        assert "a" not in found
    else:
        assert (found["a"], found["l"], found["m"], found["$set"]) == (sent, [sent], {"a": sent}, {"a": sent})
        assert isinstance(found["a"], float)
