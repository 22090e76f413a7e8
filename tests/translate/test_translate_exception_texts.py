"""Exceptions never carry what they say and where they were raised."""

from __future__ import annotations

from typing import Any

import pytest
from translated import only, signal

from otel_posthog.model import Source

PLANTED = "no ticket for ada.lovelace@example.org"


@pytest.mark.parametrize("source", list(Source))
def test_message_and_stack_are_left_out_whatever_the_policy_allows(source: Source) -> None:
    """They do not even become telemetry that an allow-list could let through; the type does."""
    attributes = {
        "exception.type": "KeyError",
        "exception.message": PLANTED,
        "exception.stacktrace": PLANTED,
        "exception.escaped": "False",
    }
    parent = {**attributes, "http.route": "/t"} if source is Source.SPAN_EVENT else {}
    event = only(signal(attributes, name="exception", source=source, parent=parent, resource=attributes))
    assert PLANTED not in str(event)
    assert event.telemetry["exception.type"] == "KeyError"


@pytest.mark.parametrize(
    ("name", "attributes", "kept"),
    [
        ("failed", {"analytics.property.exception.message": PLANTED, "analytics.n": 1}, {"n": 1}),
        (
            "failed",
            {"analytics.exception.stacktrace": PLANTED, "analytics.exception.type": "E"},
            {"exception.type": "E"},
        ),
        ("failed", {"analytics.message": "kept: this event is no exception"}, None),
        ("$exception", {"analytics.message": PLANTED, "analytics.level": "e"}, {"level": "e"}),
        ("exception", {"analytics.message": PLANTED, "analytics.stack": PLANTED, "analytics.traceback": PLANTED}, {}),
        ("exception", {"analytics.exception": {"type": "E", "message": PLANTED}}, {"exception": {"type": "E"}}),
        ("failed", {"analytics.exception": {"stacktrace": PLANTED}}, {"exception": {}}),
        ("failed", {"analytics.exception": {"type": "E"}}, {"exception": {"type": "E"}}),
    ],
)
def test_declared_properties_cannot_carry_them_either(
    name: str, attributes: dict[str, Any], kept: dict[str, Any] | None
) -> None:
    """Under the names of OpenTelemetry and PostHog, and in an event that is an exception under any usual one."""
    notes: list[str] = []
    properties = only(signal(attributes, name=name), notes).properties
    if kept is not None:
        assert properties == kept
        assert PLANTED not in str(properties)
    assert ("exception_text" in notes) is (PLANTED in str(attributes))
