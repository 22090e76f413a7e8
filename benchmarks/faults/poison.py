"""Events that no program should emit, in every way that has broken a client."""

from __future__ import annotations

import math
from typing import Any

import otel_posthog

KINDS = 5


def emit_poison(count: int) -> None:
    """Emit `count` of each kind; their neighbours are what is counted."""
    for number in range(count):
        for properties in _poisonous(number):
            otel_posthog.capture("poison", properties)


def _poisonous(number: int) -> tuple[dict[Any, Any], ...]:
    recursive: dict[Any, Any] = {"number": number}
    recursive["self"] = recursive
    return (
        {"text": f"lone {chr(0xD800)} surrogate"},
        {"value": math.nan, "other": math.inf},
        {"text": "x" * 2_000_000},
        recursive,
        {1: "one", None: "none", ("a", "b"): "tuple"},
    )
