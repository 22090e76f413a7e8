"""Paths that a policy lets out, beside a route that says what their parts are."""

from __future__ import annotations

import pytest

from otel_posthog.model import Receipt
from otel_posthog.policy import Method, PrivacyPolicy, Rule
from otel_posthog.privacy import Filter

ALLOW = frozenset({"http.route", "url.path"})
GIVEN = {"http.route": "/user/<username>", "url.path": "/user/ada", "http.target": "/user/ada"}


def test_a_path_that_may_leave_gets_the_routes_part_too() -> None:
    """As on the operational side; the receipt says why, and of an attribute that stays nothing."""
    receipt = Receipt()
    assert Filter(PrivacyPolicy(allow=ALLOW)).telemetry(GIVEN, receipt) == {
        "http.route": "/user/<username>",
        "url.path": "/user/<username>",
    }
    assert receipt.entries == [("url.path", "route", "replaced")]
    assert Filter(PrivacyPolicy()).telemetry(GIVEN, Receipt()) == {"http.route": "/user/<username>"}


def test_the_route_is_read_by_the_policys_words() -> None:
    """A word of the operator's, an id that a mode sends, a rule that keeps a name."""
    own = Filter(PrivacyPolicy(allow=ALLOW, sensitive_keys=frozenset({"case number"})))
    given = {"http.route": "/cases/{caseNumber}", "url.path": "/cases/4711"}
    assert own.telemetry(given, Receipt())["url.path"] == "/cases/{caseNumber}"
    assert own.telemetry(GIVEN, Receipt())["url.path"] == "/user/ada"
    keep = Rule(keys=("username",), method=Method.KEEP)
    assert Filter(PrivacyPolicy(allow=ALLOW, rules=(keep,))).telemetry(GIVEN, Receipt())["url.path"] == "/user/ada"
    ids = {"http.route": "/users/{id}", "url.path": "/users/4711"}
    assert Filter(PrivacyPolicy(allow=ALLOW)).telemetry(ids, Receipt())["url.path"] == "/users/{id}"
    without = PrivacyPolicy(allow=ALLOW, id_keys=frozenset())
    assert Filter(without).telemetry(ids, Receipt())["url.path"] == "/users/4711"


@pytest.mark.parametrize("template", ["/" + "{a}/" * 400 + "{user_id}", "/{user_id}" + "/x" * 600])
def test_a_route_that_is_too_long_to_read_hides_the_path(template: str) -> None:
    """What it names cannot be told."""
    found = Filter(PrivacyPolicy(allow=ALLOW)).telemetry({"http.route": template, "url.path": "/ada"}, Receipt())
    assert found["url.path"] == found["http.route"] == template
