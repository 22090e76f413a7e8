"""A program that tells of a journey in plain OpenTelemetry: it runs without the package's set-up."""

from __future__ import annotations

from otel_posthog import journey

STEPS = ["read", "store"]

with journey("import", steps=STEPS, distinct_id="ada-4711-lovelace") as begun, begun.step("read"):
    kept = begun.pause()
with journey("import", steps=STEPS, distinct_id="ada-4711-lovelace", resume=kept) as way, way.step("store"):
    pass
print("kept", kept)  # noqa: T201
