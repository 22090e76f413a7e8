"""What a run of the demo is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from otel_posthog import environment_variables as env

OTLP_ENDPOINT, OTLP_PROTOCOL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"


@dataclass(frozen=True, slots=True)
class Options:
    """One run.

    Attributes:
        requests: How many requests to send.
        sampler: For the app's `OTEL_TRACES_SAMPLER`.
        sampling: For its `OTEL_TRACES_SAMPLER_ARG`, 0 to 1.
        seed: Of all that is made up.
        keep: Whether to keep the run's folder.
        unprotected: Whether to run the app as if this package were not installed.
        environ: The environment of the demo itself.
    """

    requests: int
    sampler: str
    sampling: float
    seed: int
    keep: bool
    unprotected: bool
    environ: Mapping[str, str]

    @property
    def title(self) -> str:
        """What is run, in a few words."""
        return "otel-posthog demo, without otel-posthog" if self.unprotected else "otel-posthog demo"

    @property
    def sampler_shown(self) -> str:
        """The sampler with its argument, if it takes one."""
        return f"{self.sampler} {self.sampling:g}" if "ratio" in self.sampler else self.sampler

    @property
    def own_posthog(self) -> bool:
        """Whether events go to a PostHog project of the user's."""
        return bool(self.environ.get(env.POSTHOG_API_KEY))

    @property
    def own_otlp(self) -> bool:
        """Whether operational telemetry goes to an OTLP endpoint of the user's."""
        return bool(self.environ.get(OTLP_ENDPOINT))
