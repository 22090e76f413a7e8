"""The demo's figures and its judgement of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from otel_posthog.apps.demo.model import Figures, checks, passed

GOOD = Figures(
    requests=400,
    product_events_expected=3,
    product_events_delivered=3,
    duplicates=0,
    operational_spans=10,
    operational_metrics=2,
    operational_logs=5,
    operational_items_with_product_attributes=0,
    planted_values=65,
    planted_values_seen_by_posthog=0,
    planted_values_seen_by_otlp=0,
    expected_by_name={"ticket_created": 3},
    delivered_by_name={"ticket_created": 3},
)


def test_good_run_passes() -> None:
    """All delivered once, nothing seen: every check holds."""
    assert all(check.held for check in checks(GOOD, 400))


@pytest.mark.parametrize(
    "bad",
    [
        replace(GOOD, requests=399),
        replace(GOOD, surprises=("view: status 404 instead of 200",)),
        replace(GOOD, product_events_delivered=2),
        replace(GOOD, duplicates=1),
        replace(GOOD, delivered_by_name={"ticket_viewed": 3}),
        replace(GOOD, operational_items_with_product_attributes=1),
        replace(GOOD, planted_values_seen_by_posthog=1),
        replace(GOOD, planted_values_seen_by_otlp=1),
    ],
)
def test_each_failure_is_told(bad: Figures) -> None:
    """Any one figure that is not as promised fails the run, in one check."""
    made = checks(bad, 400)
    assert not passed(made)
    assert len([check for check in made if check.held is False]) == 1


def test_what_cannot_be_known_is_said_and_fails_nothing() -> None:
    """With servers of the user's own, the figures that only those know are null, and so is their check."""
    unknown = Figures(requests=400, product_events_expected=3, planted_values=65)
    made = checks(unknown, 400)
    assert [check.held for check in made] == [True, None, None, None, None]
    assert passed(made)


def test_json_begins_with_the_documented_keys() -> None:
    """Scripts find the documented keys first, in their order; more follow."""
    assert list(json.loads(GOOD.to_json()))[:12] == [
        "requests",
        "product_events_expected",
        "product_events_delivered",
        "duplicates",
        "operational_spans",
        "operational_metrics",
        "operational_logs",
        "operational_items_with_product_attributes",
        "planted_values",
        "planted_values_seen_by_posthog",
        "planted_values_seen_by_otlp",
        "seconds",
    ]
