"""What a run of the demo is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from otel_posthog import environment_variables as env
from otel_posthog.text import visible

OTLP_ENDPOINT, OTLP_PROTOCOL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"

OWN = (env.POSTHOG_API_KEY, OTLP_ENDPOINT)
"""What names destinations of the user's own."""

_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 10: "ten", 20: "twenty", 100: "a hundred"}


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
        live: Whether what the environment names gets the made-up telemetry; else nothing leaves this machine.
    """

    requests: int
    sampler: str
    sampling: float
    seed: int
    keep: bool
    unprotected: bool
    environ: Mapping[str, str]
    live: bool = False

    @property
    def title(self) -> str:
        """What is run, in a few words."""
        return "otel-posthog demo, without otel-posthog" if self.unprotected else "otel-posthog demo"

    @property
    def sampler_shown(self) -> str:
        """What the sampler does, in words; the name of one that is not the SDK's own."""
        name = self.sampler.removeprefix("parentbased_")
        share = {"always_on": 1.0, "always_off": 0.0, "traceidratio": self.sampling}.get(name)
        return visible(self.sampler) if share is None else _kept_in_words(share)

    @property
    def own_posthog(self) -> bool:
        """Whether events go to a PostHog project of the user's."""
        return self.live and bool(self.environ.get(env.POSTHOG_API_KEY))

    @property
    def own_otlp(self) -> bool:
        """Whether operational telemetry goes to an OTLP endpoint of the user's."""
        return self.live and bool(self.environ.get(OTLP_ENDPOINT))

    @property
    def unused(self) -> tuple[str, ...]:
        """The variables of the user's own destinations that are not used."""
        return () if self.live else tuple(name for name in OWN if self.environ.get(name))


def _kept_in_words(share: float) -> str:
    if share in {0.0, 1.0}:
        return "every trace kept" if share else "no trace kept"
    number = round(1 / share)
    if abs(share * number - 1) > 1e-6:
        return f"{share:.2%} of the traces kept".replace(".00%", "%")
    return f"one trace in {_WORDS.get(number, f'{number:,}')} kept"
