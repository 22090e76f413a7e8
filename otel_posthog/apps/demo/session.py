"""One call of `otel-posthog demo`: picks the view, runs the experiment, prints the verdict."""

from __future__ import annotations

import argparse
import os
import signal
import sys

from rich.console import Console

from otel_posthog.apps.demo.app_process import AppError
from otel_posthog.apps.demo.closing import close
from otel_posthog.apps.demo.experiment import Experiment
from otel_posthog.apps.demo.figures import Figures
from otel_posthog.apps.demo.options import OWN, Options
from otel_posthog.apps.demo.plain_view import PlainView
from otel_posthog.apps.demo.verdict import checks, passed
from otel_posthog.apps.demo.view import LiveView
from otel_posthog.apps.terminal import styled
from otel_posthog.errors import ConfigurationError

WRONG_USAGE, INTERRUPTED = 2, 130


def run_session(arguments: argparse.Namespace) -> int:
    """Run the demo as `arguments` ask and return the exit status: 0 if all that could be checked held."""
    options = _options(arguments)
    # Whoever ends the demo means the helpdesk as well.
    if options.live and not (options.own_posthog or options.own_otlp):
        print(f"otel-posthog demo: --live needs {' or '.join(OWN)}", file=sys.stderr)
        return WRONG_USAGE
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    out = styled(sys.stderr if arguments.json else sys.stdout)
    console = Console(file=out, no_color=arguments.no_color or None, highlight=False)
    try:
        figures, status = _run(options, console)
    except (AppError, ConfigurationError, FileNotFoundError) as error:
        console.print(f"otel-posthog demo: {error}", markup=False, style="red", soft_wrap=True)
        figures, status = Figures(), 1
    except KeyboardInterrupt:
        return INTERRUPTED
    if arguments.json:
        sys.stdout.write(figures.to_json() + "\n")
    return status


def _run(options: Options, console: Console) -> tuple[Figures, int]:
    can_redraw = console.is_terminal and not console.is_dumb_terminal
    with (LiveView if can_redraw else PlainView)(console, options) as view:
        experiment = Experiment(options, view.show)
        figures = experiment.run()
    if options.unused:
        console.print(f"- {' and '.join(options.unused)} not used: --live sends there", style="bright_black")
    made = checks(figures, options.requests, unprotected=options.unprotected)
    close(console, figures, made, experiment.kept_folder, unprotected=options.unprotected)
    return figures, 0 if passed(made) else 1


def _options(arguments: argparse.Namespace) -> Options:
    return Options(
        requests=arguments.requests,
        sampler=arguments.sampler,
        sampling=arguments.sampling,
        seed=arguments.seed,
        keep=arguments.keep,
        unprotected=arguments.unprotected,
        live=arguments.live,
        environ=dict(os.environ),
    )
