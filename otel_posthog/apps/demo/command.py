"""`otel-posthog demo`: its help and its arguments. What runs it is imported only when it is asked for."""

from __future__ import annotations

import argparse
import os

from otel_posthog.apps.numbers import count, positive, share

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
  NO_COLOR, FORCE_COLOR          as --color never, --color always

exit status: 0 every check held, 1 one did not, 2 it could not begin
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--requests", type=positive, default=400, metavar="N", help="requests to send (default: 400)")
    parser.add_argument(
        "--sampling",
        type=share,
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
    parser.add_argument("--seed", type=count, default=7, metavar="N", help="seed of all that is made up (default: 7)")
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
    parser.add_argument(
        "--no-color",
        dest="color",
        action="store_const",
        const="never",
        default=argparse.SUPPRESS,
        help="as --color never",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and return its exit status."""
    from otel_posthog.apps.demo.run import run_demo  # noqa: PLC0415 (rich, protobuf: only when asked for)

    return run_demo(arguments)
