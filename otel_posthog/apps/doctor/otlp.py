"""Where the operational side goes, by the standard variables: one end for each signal that is exported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom

ABOUT = "operational side"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

NAMED = Kind("otlp", Group.OTLP, Level.OK, "OTLP goes to the endpoint that the environment names")
NOT_NAMED = Kind(
    "otlp_not_named", Group.OTLP, Level.NOTE, "no OTLP endpoint is named: exporters use their default on this machine",
    "set OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317", Gravity.NOTHING_ARRIVES, Symptom.OTLP,
)  # fmt: skip
KINDS = (NAMED, NOT_NAMED)


def of_otlp(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is found of the endpoints."""
    is_named = any(environ.get(name, "").strip() for name in _ENDPOINTS)
    yield (NAMED if is_named else NOT_NAMED).found(ABOUT)
