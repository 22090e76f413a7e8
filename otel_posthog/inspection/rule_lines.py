"""Derive rules as they are written in a policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from otel_posthog.policy import DeriveRule, ValueCondition


def rule_lines(rule: DeriveRule) -> str:
    """Return a rule as lines of the list `derive`."""
    text = yaml.safe_dump([rule_content(rule)], sort_keys=False, default_flow_style=None, width=100, allow_unicode=True)
    return "\n".join(f"  {line}" for line in str(text).splitlines())


def rule_content(rule: DeriveRule) -> dict[str, Any]:
    """Return a rule as it is written in a policy: what differs from the defaults."""
    attributes = {key: _condition(value) for key, value in _given(rule)}
    return {
        "name": rule.name,
        "event": rule.event,
        "when": {"kind": [each.value for each in rule.when.kind], "attributes": attributes},
        "properties": dict(rule.properties),
    }


def _condition(value: ValueCondition) -> dict[str, object]:
    bounds = {"min": value.min, "max": value.max, "equals": value.equals}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _given(rule: DeriveRule) -> Any:
    attributes: Mapping[str, Any] = rule.when.attributes
    return attributes.items()
