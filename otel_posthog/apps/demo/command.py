"""`otel-posthog demo`: its help, its arguments, and the options of a run that they make."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass

from otel_posthog import environment_variables as env
from otel_posthog.text import visible

NAME = "demo"
SUMMARY = "watch one app feed PostHog and OTLP, each clean of the other"
NEEDED_MODULES = (
    *("flask", "rich", "opentelemetry.distro", "opentelemetry.proto", "opentelemetry.exporter.otlp.proto.http"),
    *("opentelemetry.instrumentation.flask", "opentelemetry.instrumentation.sqlite3"),
    "opentelemetry.instrumentation.logging",
)
DESCRIPTION = """\
Start the helpdesk, a small web app, under opentelemetry-instrument, send it
traffic full of planted personal data, and show what reaches PostHog and what
reaches OTLP. Both ends are embedded: nothing leaves this machine, whatever the
environment names, unless --live is given; no account is needed. Exit status 0
says that every product event arrived once, and that no planted value reached
either end.
"""
EPILOG = """\
examples:
  otel-posthog demo                       400 requests, one trace in ten kept
  otel-posthog demo --sampler always_off  no spans; every product event arrives
  otel-posthog demo --unprotected         without otel-posthog: what would leak
  otel-posthog demo --json 2>/dev/null    one JSON object, for scripts

environment:
  POSTHOG_API_KEY, POSTHOG_HOST  with --live: send the product events there
  OTEL_EXPORTER_OTLP_ENDPOINT    with --live: send the operational side there
                                 (with what else it needs: OTEL_EXPORTER_OTLP_*)
  OTEL_POSTHOG_POLICY, ...       see what a policy of your own does
  OTEL_TRACES_SAMPLER, _ARG      as --sampler and --sampling
  NO_COLOR                       no colors, as --no-color
"""
OTLP_ENDPOINT, OTLP_PROTOCOL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"
OWN = (env.POSTHOG_API_KEY, OTLP_ENDPOINT)
"""What names destinations of the user's own."""

_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 10: "ten", 20: "twenty", 100: "a hundred"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--requests", type=_count, default=400, metavar="N", help="requests to send (default: 400)")
    parser.add_argument(
        "--sampling",
        type=_ratio,
        default=os.environ.get("OTEL_TRACES_SAMPLER_ARG") or "0.1",
        metavar="RATIO",
        help="share of traces to keep (default: %(default)s)",
    )
    parser.add_argument(
        "--sampler",
        default=os.environ.get("OTEL_TRACES_SAMPLER") or "parentbased_traceidratio",
        metavar="NAME",
        help="OTEL_TRACES_SAMPLER (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="seed of all that is made up (default: 7)")
    parser.add_argument(
        "--unprotected", action="store_true", help="run the app without otel-posthog, to see what it does"
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="send all of it to the PostHog project and the OTLP endpoint named below",
    )
    parser.add_argument("--keep", action="store_true", help="keep the run's folder: the app's log, what was received")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line of standard output")
    parser.add_argument("--no-color", action="store_true", help="print no colors")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and return its exit status."""
    from otel_posthog.apps.demo.run import run_demo  # noqa: PLC0415 (rich, protobuf: only when asked for)

    return run_demo(arguments)


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return count


def _ratio(text: str) -> float:
    ratio = float(text)
    if not 0 <= ratio <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return ratio


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
