"""Whether what is installed is what this release needs: pip says so once, and later installations change it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom

ABOUT = "versions"
DISTRIBUTION = "otel-posthog"

UNMET = Kind(
    "requirement_unmet", Group.PROCESS, Level.WRONG, "{name} {installed} is installed, and this release needs {wanted}",
    'pip install "{name}{wanted}"', Gravity.SOME_MISSING, Symptom.NOTHING,
)  # fmt: skip
KINDS = (UNMET,)

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*((?:[<>=!~]=?[^,;\s]+,?)*)\s*$")
# Of these there is a finding that says more.
_TOLD = frozenset({"opentelemetry-sdk", "opentelemetry-api"})


def of_requirements() -> Iterator[Finding]:
    """Yield each requirement of this package, without its extras, that is not met."""
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return
    for line in lines:
        found = None if ";" in line else _REQUIREMENT.match(line)
        if found is not None and found[1] not in _TOLD:
            installed = _version(found[1])
            if not all(_is_met(installed, each) for each in found[2].split(",") if each):
                yield UNMET.found(ABOUT, name=found[1], installed=installed or "(none)", wanted=found[2])


def _is_met(installed: str, wanted: str) -> bool:
    operator, number = re.fullmatch(r"([<>=!~]=?)(.*)", wanted.strip()).groups()  # type: ignore[union-attr]
    here, there = _parts(installed), _parts(number)
    return {
        ">=": here >= there, ">": here > there, "<": here < there, "<=": here <= there, "!=": here != there,
        "==": here[: len(there)] == there, "~=": here >= there and here[: len(there) - 1] == there[:-1],
    }.get(operator, True)  # fmt: skip


def _parts(number: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with; none where it is not installed."""
    found = re.match(r"\d+(?:\.\d+)*", number)
    return tuple(map(int, found[0].split("."))) if found else ()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
