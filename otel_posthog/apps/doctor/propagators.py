"""Names in `OTEL_PROPAGATORS` that nobody has: OpenTelemetry cannot be imported then, by an app nor by this command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points

from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.apps.doctor.limits import without

ABOUT = "propagators"
VARIABLE = "OTEL_PROPAGATORS"

UNKNOWN = Kind(
    "propagator_unknown", Group.PROCESS, Level.WRONG,
    "OTEL_PROPAGATORS names `{name}`, which is not installed: OpenTelemetry does not start, nor does this package",
    "correct the name (tracecontext, baggage, ...), or install what brings it, as opentelemetry-propagator-{name}",
    Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
KINDS = (UNKNOWN,)


def of_propagators(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the first name that nobody has, which is where the SDK ends."""
    for name in (each.strip() for each in environ.get(VARIABLE, "").split(",")):
        if name.lower() == "none" or not environ.get(VARIABLE):
            return
        if not list(entry_points(group="opentelemetry_propagator", name=name)):
            yield UNKNOWN.found(ABOUT, name=name)
            return


def import_without() -> None:
    """Import what reads the names, without them."""
    with without(VARIABLE):
        import opentelemetry.propagate  # noqa: F401, PLC0415
