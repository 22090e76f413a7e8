"""The catalogue: every event has its properties, every property its place in the documentation and no personal data."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import pytest
from telemetry import Telemetry

import otel_posthog.events
from otel_posthog import AnalyticsEvents, capture, create_event_properties
from otel_posthog.events.generate import CODE, CODE_MARKS, PAGE_MARKS, between, code, tables
from otel_posthog.events.usual import Duration
from otel_posthog.privacy import sanitize_properties_with_receipt

DOCS = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
# What holds a person's words, name or address, or says which one it was.
PERSONAL = {
    "query",
    "name",
    "title",
    "subject",
    "text",
    "body",
    "comment",
    "email",
    "address",
    "path",
    "url",
    "id",
    "ip",
}
EXAMPLES: dict[Any, object] = {str: "web", int: 3, bool: True, Duration: 2.5, list[str]: ["status", "due"]}


def classes() -> dict[str, Any]:
    """Return event name -> the class that declares its properties."""
    found = {}
    for info in iter_modules(otel_posthog.events.__path__):
        for each in vars(import_module(f"otel_posthog.events.{info.name}")).values():
            if isinstance(each, type) and hasattr(each, "__total__"):
                found[re.sub(r"(?<!^)(?=[A-Z])", "_", each.__name__).lower()] = each
    return found


def kinds(each: Any) -> dict[str, Any]:
    """Return property name -> its type."""
    return get_type_hints(each)


def explanations(each: Any) -> dict[str, str]:
    """Return property name -> what stands beside its type."""
    hints = get_type_hints(each, include_extras=True)
    return {
        name: next((text for text in get_args(hint)[1:] if isinstance(text, str)), "") for name, hint in hints.items()
    }


def documented() -> dict[str, list[str]]:
    """Return event name -> property names, as the documentation has them."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", DOCS, re.MULTILINE)
    return {name: re.findall(r"`(\w+)`", properties) for name, properties in rows}


def test_every_event_has_its_class_and_every_class_its_event() -> None:
    """Neither a name without properties nor properties without a name."""
    assert set(classes()) == {each.value for each in AnalyticsEvents}
    assert len(AnalyticsEvents) >= 40


def test_documentation_and_code_list_the_same() -> None:
    """Events and their properties, in both directions."""
    assert documented() == {name: list(each.__annotations__) for name, each in classes().items()}


def test_what_is_made_of_the_classes_is_what_they_say() -> None:
    """`make policy` has been run since an event changed: names, overloads and tables are those of the classes."""
    assert between(CODE_MARKS, CODE.read_text(encoding="utf-8")).strip() == code().strip(), "run `make policy`"
    assert between(PAGE_MARKS, DOCS).strip() == tables().strip(), "run `make policy`"


@pytest.mark.parametrize("name", sorted(classes()))
def test_every_property_is_explained_and_optional(name: str) -> None:
    """Each has a line beside its type, and the class's docstring begins with the event's name."""
    each = classes()[name]
    explained = [key for key, text in explanations(each).items() if text.strip()]
    assert (each.__doc__ or "").startswith(f"`{name}`: ")
    assert explained == list(each.__annotations__)
    assert each.__required_keys__ == frozenset()
    assert kinds(each)


@pytest.mark.parametrize("name", sorted(classes()))
def test_no_property_invites_personal_data_and_none_is_filtered(name: str) -> None:
    """No name asks for a text or an id, and the strictest filters let all of them through as they are."""
    declared = classes()[name].__annotations__
    assert [key for key in declared if key in PERSONAL] == []
    examples = {key: EXAMPLES[kind] for key, kind in kinds(classes()[name]).items()}
    clean, receipt = sanitize_properties_with_receipt(examples)
    assert (clean, receipt.entries) == (examples, [])


@pytest.mark.parametrize("name", sorted(classes()))
def test_durations_and_sizes_have_their_unit_in_their_name(name: str) -> None:
    """A number without a unit is a count, and says so."""
    for key, kind in kinds(classes()[name]).items():
        if kind == Duration:
            assert key.endswith(("_ms", "_s", "_minutes", "_hours", "_days")), key
        if kind is int:
            assert (
                key.endswith(("_count", "_length", "_bytes", "_days", "_number", "_minor", "_code"))
                or key == "position"
            )


def test_a_member_is_its_name_wherever_a_text_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printed, formatted, compared, as an attribute, and as the name of an event."""
    member = AnalyticsEvents.TICKET_CREATED
    assert f"{member} {member!s} {str(member)}" == "ticket_created ticket_created ticket_created"  # noqa: RUF010
    assert member == "ticket_created"
    with Telemetry() as telemetry:
        capture_with = telemetry.use_for_capture(monkeypatch)
        capture(member)
        telemetry.span(analytics__event=member)
        assert capture_with.names == ["ticket_created", "ticket_created"]


def test_properties_are_a_plain_dict_with_units() -> None:
    """None is left out, a timedelta becomes a number in the unit of its name, what is not declared goes along."""
    built = create_event_properties(
        AnalyticsEvents.TICKET_RESOLVED, resolution="fixed", duration_hours=timedelta(minutes=90), comment_count=None,
    )  # type: ignore[call-overload]  # fmt: skip
    assert built == {"resolution": "fixed", "duration_hours": 1.5}
    assert type(built) is dict
    timer = create_event_properties(AnalyticsEvents.TIMER_STOPPED, duration_s=timedelta(milliseconds=1500))
    assert timer == {"duration_s": 1.5}
    exported = create_event_properties(AnalyticsEvents.DATA_EXPORTED, duration_ms=timedelta(microseconds=1500))
    assert exported == {"duration_ms": 1.5}
    entry = create_event_properties(AnalyticsEvents.TIME_ENTRY_CREATED, duration_minutes=timedelta(hours=2))
    assert entry == {"duration_minutes": 120.0}
    project = create_event_properties(AnalyticsEvents.PROJECT_COMPLETED, duration_days=timedelta(days=3))
    assert project == {"duration_days": 3.0}


def test_a_type_checker_refuses_what_is_not_declared_and_the_program_does_not() -> None:
    """A strict mypy complains of unused ignores, so that it fails here when the overloads stop refusing."""
    built = create_event_properties(AnalyticsEvents.SEARCH_PERFORMED, query="who")  # type: ignore[call-overload]
    assert built == {"query": "who"}
    assert create_event_properties("own_event", took=timedelta(seconds=1)) == {"took_ms": 1000.0}  # type: ignore[call-overload]
    assert create_event_properties(None, a=object) == {"a": object}  # type: ignore[call-overload]


def test_the_examples_of_the_documentation_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """`capture()` and a span, with the same properties."""
    first, second = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    with Telemetry() as telemetry:
        telemetry.use_for_capture(monkeypatch)
        names: dict[str, Any] = {}
        exec(first, names)
        event = telemetry.only
        sent = {"scope": "tickets", "query_length": 15, "word_count": 2, "result_count": 3, "duration_ms": 41.0}
        assert (event["event"], event["distinct_id"]) == ("search_performed", "u-4711")
        assert {key: event["properties"].get(key) for key in sent} == sent
        attributes: dict[str, Any] = {}
        span = SimpleNamespace(set_attribute=attributes.__setitem__, set_attributes=attributes.update)
        exec(second, {**names, "span": span})
        telemetry.tracer.start_span("search", attributes=attributes).end()
        assert {key: telemetry.events[1]["properties"].get(key) for key in sent} == sent
