"""The instrumentor `posthog`: the zero-code set-up for those who load instrumentors by name, with options if they like.

    instrumentation/development: {python: {posthog: {policy: policy.yaml}}}     a configuration file (OTEL_CONFIG_FILE)
    PostHogInstrumentor().instrument(policy="policy.yaml")                      a program

`opentelemetry-instrument` runs the pre-instrument hook first, so that this finds everything done; a configuration file
is read before that, so that its options are in force. It names no instrumented library: one missing requirement would
disable every instrumentor of this distribution.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]

from otel_posthog import auto_configure

# Of the base class, for itself.
_NOT_OURS = ("skip_dep_check", "raise_exception_on_conflict")


class PostHogInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Sets otel-posthog up, once, whichever integration was first; never raises."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return no requirement."""
        return ()

    def instrument(self, **options: Any) -> None:
        """Set the package up.

        Args:
            options: As `otel_posthog.auto_configure`: `policy`, `api_key`, `host`, `sampler`, and the three providers.
        """
        # With a configuration file it is called twice, and that is nothing to warn of.
        if self.is_instrumented_by_opentelemetry and not {*options} - {*_NOT_OURS}:
            return
        if self.is_instrumented_by_opentelemetry:
            self._instrument(**{name: value for name, value in options.items() if name not in _NOT_OURS})
        else:
            super().instrument(**options)

    def _instrument(self, **options: Any) -> None:
        auto_configure(**options)

    def _uninstrument(self, **_: object) -> None:
        """Leave set-up in place: taking it out would let product data through to the operational side."""
