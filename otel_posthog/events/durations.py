"""How long something took, as a number whose unit is in its name."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeAlias

Duration: TypeAlias = float | timedelta
"""A number in the unit that the property's name ends in, or a `timedelta` that is written so."""

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
}
_DECIMALS = 3


def in_unit(name: str, duration: timedelta) -> tuple[str, float]:
    """Return the name of a property and its value: `duration` in the unit that `name` ends in, else in milliseconds."""
    unit = name.rpartition("_")[2]
    if unit not in _UNITS:
        name, unit = f"{name}_ms", "ms"
    return name, round(duration / _UNITS[unit], _DECIMALS)
