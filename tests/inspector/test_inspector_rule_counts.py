"""What a rule says it would do is what it would do: the counts of a trial beside those of the policy with its lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from otel_posthog.apps.explain.explainer import Explainer
from otel_posthog.apps.explain.items import Item
from otel_posthog.inspection.form import Values, sent_properties
from otel_posthog.inspection.made_rules import RuleError
from otel_posthog.intake.otlp import SpanRecord
from otel_posthog.policy import Policy
from otel_posthog.policy.yaml_file import parse_policy

PLANS: list[dict[str, Any]] = [
    {"plan": "pro"},
    {"billing_plan": "pro"},
    {"user": {"plan": "pro", "id": 1}},
    {"planet": "earth"},
    {"rows": [{"plan": "a"}, {"plan": "b"}]},
    {"$set": {"plan": "pro"}, "color": "red"},
    {"plan": "pro", "billing_plan": "pro"},
    {},
]
TWO = (
    "destinations:\n  - {name: a, host: 'https://a.example', api_key_env: A}\n"
    "  - {name: b, host: 'https://b.example', api_key_env: B}\n"
)
NOW = 1767268800120000000
ROUTES = ("/tickets/{id}", "/users/jo@planted.example.org", "/a/4111111111111111")


def policy_of(lines: str = "") -> Policy:
    """Return the policy that lines are."""
    return parse_policy("version: 1\n" + lines, source="policy.yaml")


def span(attributes: Mapping[str, object], kind: str) -> SpanRecord:
    """Return a span."""
    return SpanRecord("POST /tickets", dict(attributes), 1, 2, NOW, (), "", {}, 0, NOW - 1, kind)


def sent(policy: Policy, content: Any) -> list[Mapping[str, object]]:
    """Return what PostHog gets of an item under a policy."""
    found = Explainer(policy, now_ns=lambda: NOW).explain(Item(1, content))
    return [sent_properties(each) for event in found.events for each in event.sent]


@pytest.mark.parametrize("key", ["plan", "billing_plan", "user.plan"])
@pytest.mark.parametrize("known", ["", "privacy: {also_sensitive_keys: [billing]}\n", TWO])
def test_a_sensitive_key_changes_as_many_as_explain_does(key: str, known: str) -> None:
    """By its words, at any depth, in any case, and once for an event of several destinations."""
    events = [{"event": f"e{at}", "distinct_id": "u-4711", "properties": each} for at, each in enumerate(PLANS)]
    policy, explainer = policy_of(known), Explainer(policy_of(known), now_ns=lambda: NOW)
    items = [explainer.tried(at, Item(1, each)) for at, each in enumerate(events, 1)]
    made = explainer.trial(Values.ALL).answer("sensitive_key", key, items[0], items)
    lines = str(made["policy"]).replace("[", "[billing, ") if "also" in known else known + str(made["policy"])
    expected = [at for at, each in enumerate(events, 1) if sent(policy, each) != sent(policy_of(lines), each)]
    effect = made["effect"]
    assert isinstance(effect, dict)
    assert (effect["changed"], effect["of"]) == (len(expected), len(events))
    assert effect["matched"] >= effect["changed"] >= (0 if key == "billing_plan" and "billing" in known else 1)
    examples = made["examples"]
    assert isinstance(examples, list)
    assert [each["seq"] for each in examples] == expected[-5:]
    assert all(each["key"] in each["keys"] for each in examples)
    assert "planet" not in json.dumps(examples)


@pytest.mark.parametrize("kind", ["SERVER", "CLIENT", "INTERNAL", "PRODUCER", "CONSUMER", "UNSPECIFIED"])
@pytest.mark.parametrize("status", [200, 500, None, "odd"])
@pytest.mark.parametrize("route", [*ROUTES, None])
@pytest.mark.parametrize("names", [("http.route", "http.request.method", "http.response.status_code"),
                                   ("http.route", "http.method", "http.status_code")])  # fmt: skip
def test_a_rule_matches_what_it_is_made_of(
    kind: str, status: object, route: str | None, names: tuple[str, ...]
) -> None:
    """A rule of a span is of its kind and its status, and names nothing that a filter changed; or it says why not."""
    given = dict(zip(names, (route, "POST", status), strict=True)) | {"db.system.name": "sqlite"}
    record = span({key: value for key, value in given.items() if value is not None}, kind)
    explainer = Explainer(policy_of())
    item = explainer.tried(1, Item(1, record))
    other = explainer.tried(2, Item(1, span(record.attributes, "CLIENT" if kind == "SERVER" else "SERVER")))
    try:
        made = explainer.trial(Values.LEAVING).answer("derive", "", item, [item, other])
    except RuleError:
        assert kind == "UNSPECIFIED" or (route or "").endswith(("@planted.example.org", "1111"))
        return
    assert made["effect"] == {"matched": 1, "changed": 1, "of": 2}
    assert "[email]" not in str(made["policy"])
    assert sent(policy_of(str(made["policy"])), record)
    assert not sent(policy_of(str(made["policy"])), other.record)
