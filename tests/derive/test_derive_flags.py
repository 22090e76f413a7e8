"""Feature flags: evaluations of the real OpenFeature SDK become the events that PostHog's libraries send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flagged import LoggingHook, client, user
from openfeature import api
from opentelemetry import trace
from opentelemetry._logs import NoOpLogger
from posthog import Posthog
from telemetry import Telemetry

from otel_posthog import derived_limits, user_context
from otel_posthog.conventions import names_of
from otel_posthog.feature_flags import READ, evaluation_in
from otel_posthog.model import Event, Source, Subject
from otel_posthog.policy import IdentityMode, Policy
from otel_posthog.policy.yaml_file import parse_policy

FLAG_CALLED = "$feature_flag_called"


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """An app's telemetry, in which calls of flags are derived."""
    with Telemetry(derive=("flags",)) as made:
        yield made


@pytest.fixture(params=["span event", "log record"])
def flags(request: pytest.FixtureRequest, telemetry: Telemetry) -> Iterator[Any]:
    """A client of OpenFeature, which tells of evaluations by either signal, inside a span."""
    is_log = request.param == "log record"
    with telemetry.tracer.start_as_current_span("work"):
        yield client(LoggingHook(telemetry.logger) if is_log else None)


def of_flags(telemetry: Telemetry) -> list[dict[str, Any]]:
    """End the span and return the properties of calls of flags that are about them."""
    trace.get_current_span().end()
    return [
        {
            key: value
            for key, value in each["properties"].items()
            if "feature" in key and not key.startswith("feature_flag")
        }
        for each in telemetry.events
        if each["event"] == FLAG_CALLED
    ]


EVALUATIONS: list[tuple[str, Any, Any]] = [
    ("new-cart", False, True),
    ("old-cart", True, False),
    ("button", "#000", "blue"),
    ("limit", 1, "low"),
    ("layout", {}, "wide"),
]


def evaluate(flags: Any, key: str, default: Any, who: str | None = "u-1") -> Any:
    """Evaluate a flag of the type that its default has."""
    kinds = {bool: "boolean", str: "string", int: "integer", dict: "object"}
    return getattr(flags, f"get_{kinds[type(default)]}_value")(key, default, user(who))


@pytest.mark.parametrize(("key", "default", "response"), EVALUATIONS)
def test_an_evaluation_is_what_posthogs_library_sends(
    key: str, default: Any, response: Any, flags: Any, telemetry: Telemetry
) -> None:
    """The flag, what it said, and `$feature/<key>`, under the same names with the same values."""
    evaluate(flags, key, default)
    (sent,) = of_flags(telemetry)
    assert sent.pop("$feature_flag_reason") == "static"
    theirs = Posthog("phc_test", sync_mode=True)
    captured: list[dict[str, Any]] = []
    vars(theirs)["capture"] = lambda *_, properties, **__: captured.append(properties)
    theirs._capture_feature_flag_called("u-1", key, response, None, False, {}, None, None, None, None)
    assert captured == [{**sent, "locally_evaluated": False}]
    assert type(sent["$feature_flag_response"]) is type(response)
    assert telemetry.events[-1]["distinct_id"] == "u-1"


def test_an_evaluation_that_failed_is_no_answer(flags: Any, telemetry: Telemetry) -> None:
    """Of a flag that is not there, or of another type: the kind of error, never its message."""
    assert evaluate(flags, "gone", True) is True
    assert evaluate(flags, "button", True) is True
    assert of_flags(telemetry) == [
        {"$feature_flag": key, "$feature_flag_reason": "error", "$feature_flag_error": error}
        for key, error in (("gone", "flag_not_found"), ("button", "type_mismatch"))
    ]
    assert "not found" not in str(telemetry.events)


def test_the_variant_of_an_evaluation_that_failed_is_no_answer_either(telemetry: Telemetry) -> None:
    """The rule names it, and it is not what the user saw."""
    told = {"key": "a", "result.variant": "on", "result.reason": "error"}
    with telemetry.tracer.start_as_current_span("work") as span:
        span.add_event("feature_flag.evaluation", {f"feature_flag.{key}": value for key, value in told.items()})
        (sent,) = of_flags(telemetry)
    assert sent == {"$feature_flag": "a", "$feature_flag_reason": "error", "$feature_flag_error": "error"}


def test_a_user_calls_a_flag_once_for_each_value(flags: Any, telemetry: Telemetry) -> None:
    """As PostHog's libraries have it: for each user, flag, value and groups; what is more is counted."""
    for who in ("u-1", "u-2", None, "u-1"):
        for key in ("new-cart", "old-cart"):
            for _ in range(3):
                evaluate(flags, key, False, who)
    assert len(of_flags(telemetry)) == 6
    assert telemetry.dropped == {"derive_once": 18}


def event(user_id: str, key: str = "a", response: Any = True, **groups: str) -> Event:
    """Return a call of a flag, as translated."""
    told = {"$feature_flag": key, "$feature_flag_response": response}
    subject = Subject(user_id=user_id, groups=groups)
    uuid = str(hash((user_id, key, response, *groups.items())))
    return Event(FLAG_CALLED, uuid, 1, told, {}, subject, None, None, Source.LOG)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten for a new one."""
    monkeypatch.setattr(derived_limits, "MAX_FLAG_CALLS", 3)
    limits = derived_limits.Limits(Policy(derive=("flags",)))
    calls = [event("u"), event("u", response=False), event("u", "b"), event("u", company="x"), event("v")]
    for each in calls:
        limits.admit("feature_flag_called", each)
    assert len(limits._rules["feature_flag_called"].sent) == 3
    limits.admit("feature_flag_called", event("u")._replace(uuid="again"))
    with pytest.raises(Exception, match="derive_once"):
        limits.admit("feature_flag_called", event("v")._replace(uuid="again"))


def test_the_example_of_the_page_runs(telemetry: Telemetry) -> None:
    """OpenTelemetry's hook, for every client."""
    page = (Path(__file__).parents[2] / "docs" / "derive.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(example)
    try:
        with telemetry.tracer.start_as_current_span("work"):
            evaluate(client(LoggingHook(NoOpLogger("none"))), "button", "")
            assert [each["$feature/button"] for each in of_flags(telemetry)] == ["blue"]
    finally:
        api.clear_hooks()


def test_nothing_is_derived_of_flags_until_a_policy_says_so() -> None:
    """Without the word evaluations are telemetry and no more."""
    with Telemetry() as telemetry, telemetry.tracer.start_as_current_span("work"):
        evaluate(client(), "new-cart", False)
        assert of_flags(telemetry) == []
        assert telemetry.events == []


@pytest.mark.parametrize("mode", list(IdentityMode))
def test_the_targeting_key_is_a_users_id_and_sent_as_one(mode: IdentityMode) -> None:
    """As the mode has it; never on the operational side, where the rest of the evaluation stays."""
    key = "ada-4711-lovelace"
    with Telemetry(mode, derive=("flags",)) as telemetry:
        with telemetry.tracer.start_as_current_span("work"):
            evaluate(client(), "new-cart", False, key)
        assert (key in str(telemetry.events)) is (mode is IdentityMode.IDENTIFIED)
        (span,) = telemetry.spans.get_finished_spans()
        assert [each.name for each in span.events] == ["feature_flag.evaluation"]
        assert key not in span.to_json()
        assert "new-cart" in span.to_json()


PLAIN = """
identity: identified
derive:
  - name: mine
    event: $feature_flag_called
    when: {signal: span_event, event_name: [feature_flag.evaluation]}
"""


def test_a_plain_rule_does_the_same_and_decides_who_it_is() -> None:
    """The targeting key is the event's person where the rule says so, else whoever acts is."""
    rules = parse_policy(PLAIN, source="policy.yaml").derive
    with Telemetry(derive=rules) as telemetry:
        with user_context("u-1"), telemetry.tracer.start_as_current_span("work"):
            for _ in range(5):
                evaluate(client(), "button", "", "t-9999-nine")
        assert [each["distinct_id"] for each in telemetry.events] == ["u-1"] * 5
        assert [each["properties"]["$feature/button"] for each in telemetry.events] == ["blue"] * 5
        assert "t-9999-nine" not in str(telemetry.events)


def test_an_apps_own_call_of_a_flag_stays_as_it_is(telemetry: Telemetry) -> None:
    """What an app captures itself has its own properties."""
    own: dict[str, Any] = {"$feature_flag": "a", "$feature_flag_response": "b", "x": 1}
    telemetry.logger.emit(
        event_name=f"analytics.{FLAG_CALLED}", attributes={f"analytics.property.{k}": v for k, v in own.items()}
    )
    assert {key: telemetry.only["properties"].get(key) for key in (*own, "$feature/a")} == {**own, "$feature/a": None}


VALUES: list[tuple[dict[str, Any], Any]] = [
    ({"result.value": "true"}, True),
    ({"result.value": False}, False),
    ({"result.value": '"blue"'}, "blue"),
    ({"result.value": "blue"}, "blue"),
    ({"result.value": 3}, "3"),
    ({"result.value": "3.5"}, "3.5"),
    ({"result.value": '{"a": 1}'}, None),
    ({"result.value": "[" * 150}, "[" * 150),
    ({"result.value": "x" * 201}, None),
    ({"result.value": '"blue"', "result.variant": "b"}, "b"),
    ({"result.value": "true", "result.variant": "on"}, True),
    ({"result.variant": "on"}, "on"),
    ({"variant": "on"}, "on"),
    ({"result.variant": ""}, None),
    ({}, None),
    ({"result.value": b"x"}, None),
    ({"result.value": "true", "result.reason": "ERROR"}, None),
]


@pytest.mark.parametrize(("told", "response"), VALUES)
def test_a_value_of_any_kind_has_its_response(told: dict[str, Any], response: Any) -> None:
    """What is on or off is a truth value, all else its variant, or its text where that is short."""
    found = evaluation_in({"feature_flag.key": "a", **{f"feature_flag.{key}": value for key, value in told.items()}})
    assert found is not None
    assert found.response == response
    assert type(found.response) is type(response)


@pytest.mark.parametrize("values", [{}, {"feature_flag.result.reason": "error"}, {"feature_flag.result.value": 1}])
def test_nothing_is_read_but_what_is_said_to_be(values: dict[str, Any]) -> None:
    """Whatever hands an evaluation on, as a Collector does, goes by that list."""

    class Noting(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            asked.add(key)
            return super().get(key, default)

    asked: set[str] = set()
    evaluation_in(Noting({"feature_flag.key": "a", **values}))
    assert asked <= {name for key in READ for name in names_of(key)}


@pytest.mark.parametrize("key", [None, "", 7, "x" * 201])
def test_what_names_no_flag_is_none(key: Any) -> None:
    """A key is a text of at most 200 characters."""
    assert evaluation_in({"feature_flag.key": key, "feature_flag.result.variant": "on"}) is None
