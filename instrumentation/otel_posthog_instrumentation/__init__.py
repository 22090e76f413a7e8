"""The instrumentor `posthog`: the zero-code set-up for those who load instrumentors by name.

`opentelemetry-instrument` runs the pre-instrument hook first, so that this finds everything done; a distribution that
loads instrumentors only gets the same set-up here. It names no instrumented library: one missing requirement would
disable every instrumentor of this distribution.
"""

from __future__ import annotations

from collections.abc import Collection

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]

from otel_posthog import auto_configure


class PostHogInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Sets otel-posthog up from the environment, once, whichever door was first."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return no requirement."""
        return ()

    def _instrument(self, **_: object) -> None:
        auto_configure()

    def _uninstrument(self, **_: object) -> None:
        """Leave set-up in place: taking it out would let product data through to the operational side."""
