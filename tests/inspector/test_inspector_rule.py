"""A rule that is made of an item: its lines, and what it would do to the last items."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspecting import Browser, enter, inspecting
from looked_at import Inspected

from otel_posthog.policy.yaml_file import parse_policy

ROUTE = {"http.route": "/tickets/{id}", "http.request.method": "POST", "http.response.status_code": 201}
SECRET = "jo@planted.example.org"


@pytest.fixture(scope="module", params=[False, True], ids=["without values", "with values"])
def looked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, bool]]:
    """A browser that looks at an app with an item of each kind, and whether it is shown values."""
    environ = {"OTEL_POSTHOG_INSPECT_VALUES": "1" if request.param else "0"}
    with Inspected(tmp_path_factory.mktemp("app"), **environ) as app:
        for _ in range(3):
            app.do("span", f"POST /tickets/{SECRET}", ROUTE)
        app.do("span", "SELECT", {"db.system.name": "sqlite", "db.operation.name": "SELECT"})
        app.do("span", f"by {SECRET}", {"nothing": SECRET})
        app.do("span", "GET /u", {"analytics.event": "seen", "analytics.note": f"by {SECRET}", "tenant.tier": "gold"})
        app.do("log", "", {}, body=SECRET)
        with inspecting(environ=app.environ) as url:
            browser = enter(url)
            for each in browser.stream():
                if each["type"] == "item" and each["seq"] == 7:
                    break
            yield browser, request.param


def seq_of(browser: Browser, route: str, kind: str = "span") -> int:
    """Return the number of the last item with an attribute that leaves, or an event of a name."""
    for each in reversed(browser.json("api/items")["items"]):
        names = [event["destinations"][0]["name"] for event in each["events"]]
        if each["kind"] == kind and (route in json.dumps(each["operational"]) or route in names):
            return int(each["seq"])
    raise AssertionError(route)


def ruled(browser: Browser, seq: int, kind: str, key: str = "") -> tuple[int, dict[str, Any]]:
    """Return status and answer."""
    status, text, _ = browser.ask("api/rule", "POST", {"seq": seq, "kind": kind, "key": key})
    return status, json.loads(text)


def check_policy(lines: str) -> None:
    """Check that lines are a policy's."""
    parse_policy("version: 1\n" + lines, source="policy.yaml")


def test_a_rule_of_a_request(looked: tuple[Browser, bool]) -> None:
    """By method and route, with as many events as there were such requests; it repeats no value."""
    browser, _ = looked
    status, made = ruled(browser, seq_of(browser, "/tickets/{id}"), "derive")
    assert status == 200, made
    check_policy(made["policy"])
    assert "http.route: {equals: '/tickets/{id}'}" in made["policy"]
    assert made["effect"] == {"matched": 3, "changed": 3, "of": 7}
    assert {each["change"] for each in made["examples"]} == {"becomes an event"}
    assert all(browser.json(f"api/items/{each['seq']}")["kind"] == "span" for each in made["examples"])
    assert SECRET not in json.dumps(made)


def test_a_rule_of_a_query(looked: tuple[Browser, bool]) -> None:
    """By what few values say of it."""
    browser, _ = looked
    status, made = ruled(browser, seq_of(browser, "sqlite"), "derive")
    assert status == 200, made
    check_policy(made["policy"])
    assert made["effect"] == {"matched": 1, "changed": 1, "of": 7}


@pytest.mark.parametrize(("kind", "key"), [("derive", ""), ("allow", "[key]"), ("sensitive_key", f"a {SECRET}")])
def test_what_only_a_value_tells_apart_makes_no_rule(kind: str, key: str, looked: tuple[Browser, bool]) -> None:
    """The answer says why, without the value."""
    browser, _ = looked
    seq = next(
        each["seq"]
        for each in browser.json("api/items")["items"]
        if each["side"] == "operational" and "nothing" in each["operational"]["kept"] + each["operational"]["redacted"]
    )
    status, answer = ruled(browser, seq, kind, key)
    assert status == 409
    assert SECRET not in json.dumps(answer)


def test_a_rule_that_allows(looked: tuple[Browser, bool]) -> None:
    """An attribute of telemetry would be sent, with its value only where values are shown."""
    browser, has_values = looked
    status, made = ruled(browser, seq_of(browser, "seen"), "allow", "tenant.tier")
    assert (status, made["policy"]) == (200, "privacy:\n  also_allow: [tenant.tier]\n")
    check_policy(made["policy"])
    assert made["effect"] == {"matched": 1, "changed": 1, "of": 7}
    (example,) = made["examples"]
    assert (example["name"], example["change"]) == ("seen", "is sent")
    assert (example["before"], example["after"]) == (None, "gold" if has_values else None)


def test_a_rule_that_keeps_back(looked: tuple[Browser, bool]) -> None:
    """A property under a key of its words would be sent no more, or with a mark in its place."""
    browser, has_values = looked
    status, made = ruled(browser, seq_of(browser, "seen"), "sensitive_key", "note")
    assert (status, made["policy"]) == (200, "privacy:\n  also_sensitive_keys: [note]\n")
    check_policy(made["policy"])
    assert made["effect"] == {"matched": 1, "changed": 1, "of": 7}
    assert (made["examples"][0]["before"] is not None) is has_values
    assert SECRET not in json.dumps(made)


def test_a_rule_of_a_file(tmp_path: Path) -> None:
    """Items of a file are tried in the same way, under this environment's policy; the file and the policy stay."""
    file, policy = tmp_path / "events.jsonl", tmp_path / "policy.yaml"
    policy.write_text("version: 1\n")
    events = [{"event": "paid", "properties": {"plan": "pro", "number": at}} for at in range(10)]
    file.write_text("\n".join(map(json.dumps, events)))
    with inspecting("--policy", str(policy), str(file)) as url:
        browser = enter(url)
        browser.until("summary")
        status, made = ruled(browser, 3, "sensitive_key", "plan")
    assert status == 200, made
    assert made["effect"] == {"matched": 10, "changed": 10, "of": 10}
    assert made["examples"][-1] == {"seq": 10, "name": "paid", "change": made["examples"][0]["change"],
                                    "before": "pro", "after": made["examples"][0]["after"],
                                    "key": "plan", "keys": ["plan"]}  # fmt: skip
    assert policy.read_text() == "version: 1\n"
