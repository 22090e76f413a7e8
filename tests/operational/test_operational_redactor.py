"""What the operational side may see of attributes, texts, resources and scopes."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from stand_in import FindsSecret, redactor

from otel_posthog.errors import Guard
from otel_posthog.health import FAULT, Health
from otel_posthog.operational import Redactor
from otel_posthog.policy import OperationalPolicy


def test_nothing_found_is_the_same_object() -> None:
    """The usual case copies nothing."""
    attributes = {"http.route": "/t", "n": 1, "flag": True, "none": None}
    assert redactor().attributes(attributes) is attributes
    text = "GET /t"
    assert redactor().text(text) is text


def test_product_attributes_and_user_ids_are_removed() -> None:
    """`analytics.*`, `user.*`, `enduser.*` and PostHog's own id attributes go, by key."""
    given = {
        "analytics.event": "e",
        "user.id": "u1",
        "user.email": "x",
        "enduser.id": "u1",
        "posthogDistinctId": "u1",
        "session.id": "s",
        "user_agent.original": "curl",
    }
    assert redactor().attributes(given) == {"user_agent.original": "curl"}


def test_what_the_detectors_find_is_replaced_in_values_and_keys() -> None:
    """A value keeps its key; a key that holds personal data goes whole."""
    assert redactor().attributes({"a": "is SECRET", "SECRET": 1, "b": 2}) == {"a": "is [x]", "b": 2}


def test_a_detector_that_fails_hides_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail closed: what could not be looked at is replaced whole, and counted without its value."""
    monkeypatch.setattr(Guard, "reraise", False)
    health = Health()
    assert redactor(health).attributes({"a": "BREAK"}) == {"a": "[redacted]"}
    assert redactor(health).text("BREAK") == "[redacted]"
    assert set(health.snapshot()) == {(FAULT, "redact_value:RuntimeError"), (FAULT, "redact_text:RuntimeError")}


def test_with_redaction_off_product_data_and_user_ids_still_go() -> None:
    """`operational.redact: false` switches the detectors off, not the separation."""
    off = Redactor(OperationalPolicy(redact=False), FindsSecret(), Guard(Health()))
    assert off.attributes({"a": "SECRET", "analytics.x": 1, "user.id": "u"}) == {"a": "SECRET"}
    assert off.text("SECRET") == "SECRET"


def test_the_same_resource_and_scope_get_the_same_answer() -> None:
    """Exporters group by resource and scope: equal answers must be one object."""
    made = redactor()
    resource = Resource({"service.owner": "SECRET", "service.name": "x"})
    clean = made.resource(resource)
    assert dict(clean.attributes) == {"service.owner": "[x]", "service.name": "x"}
    assert made.resource(resource) is clean
    scope = InstrumentationScope("lib", "1", attributes={"who": "SECRET"})
    assert made.scope(scope) is made.scope(scope)
    assert dict(getattr(made.scope(scope), "attributes", None) or {}) == {"who": "[x]"}
    plain = InstrumentationScope("lib", "1")
    assert made.scope(plain) is plain
    assert made.scope(None) is None


def test_what_is_remembered_is_harmless_and_bounded() -> None:
    """A value that was found harmless is not looked at again; one that was not is never kept."""
    made = redactor()
    for number in range(10_000):
        made.attributes({"key": f"value {number}", "other": f"SECRET {number}"})
    assert len(made._rules._harmless) <= 4096
    assert not any("SECRET" in value for _, value in made._rules._harmless)
    assert made.attributes({"key": "value 1", "other": "SECRET 1"}) == {"key": "value 1", "other": "[x] 1"}


@pytest.mark.parametrize("redact", [True, False])
def test_keys_of_users_hold_nothing_inside_maps_and_bodies_either(redact: bool) -> None:
    """Those of the policy, and whole namespaces, at any depth; also where the detectors do not run.

    A marker stands for a text; what is none goes with its key.
    """
    policy = OperationalPolicy(redact=redact, user_keys=frozenset({"customer.ref"}), user_key_prefixes=("person.",))
    made = Redactor(policy, FindsSecret(), Guard(Health()))
    body = {"customer.ref": 7, "n": 1, "in": ({"person.name": "Ada", "ok": True}, "x")}
    clean = {"n": 1, "in": ({"person.name": "[redacted]", "ok": True}, "x")}
    assert made.value("body", body) == clean
    assert made.attributes({"map": body}) == {"map": clean}
    harmless = {"n": (1, {"ok": None})}
    assert made.value("body", harmless) is harmless
