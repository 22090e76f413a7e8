"""One run of the demo: pick the view, start servers and app, drive traffic, end in order, print the verdict.

The main thread takes a snapshot five times a second and shows it; a second thread drives the traffic and stops the
app.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, Literal

from rich.console import Console

from otel_posthog.apps.demo.app import (
    AppError,
    AppProcess,
    app_environment,
    helpdesk_parent,
    hide_package,
    refuse_others,
)
from otel_posthog.apps.demo.inspector import Look, is_wanted
from otel_posthog.apps.demo.model import OWN, Figures, Options, Snapshot, checks, passed
from otel_posthog.apps.demo.planted import owner
from otel_posthog.apps.demo.receivers import Observer, Receivers, take_sample
from otel_posthog.apps.demo.traffic import Tally, drive
from otel_posthog.apps.demo.view import LiveView, PlainView, print_verdict
from otel_posthog.apps.terminal import is_colored, styled
from otel_posthog.errors import ConfigurationError

WRONG_USAGE, INTERRUPTED = 2, 130
SNAPSHOT_INTERVAL_S = 0.2
SETTLE_TIMEOUT_S = 15.0


def run_demo(arguments: argparse.Namespace) -> int:
    """Run the demo as `arguments` ask and return the exit status: 0 if all that could be checked held."""
    options = _options(arguments)
    if options.live and not (options.own_posthog or options.own_otlp):
        print(f"otel-posthog demo: --live needs {' or '.join(OWN)}", file=sys.stderr)
        return WRONG_USAGE
    # What ends the demo is to end the helpdesk as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    out = styled(sys.stderr if arguments.json else sys.stdout)
    console = _console(out)
    try:
        figures, status = _run(options, console, may_look=is_wanted(options, console, is_json=arguments.json))
    except (AppError, ConfigurationError, FileNotFoundError) as error:
        console.print(f"otel-posthog demo: {error}", markup=False, style="red", soft_wrap=True)
        figures, status = Figures(), 1
    except KeyboardInterrupt:
        return INTERRUPTED
    if arguments.json:
        sys.stdout.write(figures.to_json() + "\n")
    return status


def _console(out: IO[str]) -> Console:
    has_color = is_colored(out)
    # Without a terminal rich would print none, whatever was asked for.
    system: Literal["auto", "256"] = "256" if has_color and not out.isatty() else "auto"
    return Console(file=out, no_color=not has_color, color_system=system, force_terminal=out.isatty(), highlight=False)


def _run(options: Options, console: Console, *, may_look: bool) -> tuple[Figures, int]:
    can_redraw = console.is_terminal and not console.is_dumb_terminal
    with (LiveView if can_redraw else PlainView)(console, options) as view:
        experiment = Experiment(options, view.show, may_look=may_look)
        figures = experiment.run()
    if options.unused:
        console.print(f"- {' and '.join(options.unused)} not used: --live sends there", style="bright_black")
    made = checks(figures, options.requests, unprotected=options.unprotected)
    print_verdict(console, figures, made, experiment.kept_folder, unprotected=options.unprotected)
    if experiment.look is not None:
        experiment.look.serve(console)
    return figures, 0 if passed(made) else 1


def _options(arguments: argparse.Namespace) -> Options:
    named = {each.name: getattr(arguments, each.name) for each in fields(Options) if each.name != "environ"}
    return Options(environ=dict(os.environ), **named)


class Experiment:
    """Runs once.

    Args:
        options: The run.
        show: Shows a snapshot.
        may_look: Whether the inspector is to look at the helpdesk.

    Attributes:
        kept_folder: Where the run's files are, if they are kept.
        look: The inspector.
    """

    def __init__(self, options: Options, show: Callable[[Snapshot], None], *, may_look: bool = False) -> None:
        self.kept_folder: Path | None = None
        self.look: Look | None = None
        self._may_look = may_look
        self._options = options
        self._show = show
        self._tally = Tally()
        self._phase = "starting the helpdesk"

    def run(self) -> Figures:
        """Run it and return the final figures.

        Raises:
            AppError: The helpdesk did not start, or did not end as it should.
        """
        with ExitStack() as stack:
            receivers = stack.enter_context(Receivers(self._options))
            folder = self._folder(stack)
            observer = Observer(self._tally, receivers, self._options.seed)
            self._tally.planted.add(owner(self._options.seed))
            worker = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="traffic"))
            environment = self._environment(folder, receivers)
            if self._may_look:
                self.look = stack.enter_context(Look(folder))
                environment |= self.look.environment()
            app = AppProcess(folder, environment)
            snapshot = self._snapshots(observer, receivers, app)
            self._show(snapshot())
            with app:
                work = worker.submit(self._work, app)
                while not work.done():
                    self._show(snapshot())
                    time.sleep(SNAPSHOT_INTERVAL_S)
                work.result()
            return self._settle(snapshot, folder, receivers)

    def _work(self, app: AppProcess) -> None:
        self._phase = "driving traffic"
        drive(app.url, self._options.requests, self._options.seed, self._tally)
        self._phase = "stopping the helpdesk"
        app.stop()
        self._phase = "waiting for the last events"

    def _snapshots(self, observer: Observer, receivers: Receivers, app: AppProcess) -> Callable[[], Snapshot]:
        return lambda: Snapshot(self._phase, observer.figures(), take_sample(self._tally.ticket, receivers, app))

    def _settle(self, snapshot: Callable[[], Snapshot], folder: Path, receivers: Receivers) -> Figures:
        """Wait until all has arrived, or for long enough, and return the last figures."""
        # Without the package there is nothing to wait for.
        deadline_s = time.monotonic() + (0 if self._options.unprotected else SETTLE_TIMEOUT_S)
        while (last := snapshot()).figures.is_short and time.monotonic() < deadline_s:
            self._show(last)
            time.sleep(SNAPSHOT_INTERVAL_S)
        self._phase = "done"
        last = snapshot()
        self._show(last)
        if self._options.keep:
            _dump(folder, receivers)
        return last.figures

    def _environment(self, folder: Path, receivers: Receivers) -> dict[str, str]:
        environment = app_environment(self._options, folder, helpdesk_parent(folder)) | receivers.environment()
        if receivers.posthog is not None and not self._options.unprotected:
            refuse_others(environment, receivers.posthog.url)
        if self._options.unprotected:
            hide_package(folder, environment)
        return environment

    def _folder(self, stack: ExitStack) -> Path:
        if not self._options.keep:
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="otel-posthog-demo-")))
        self.kept_folder = Path(tempfile.mkdtemp(prefix="otel-posthog-demo-"))
        return self.kept_folder


def _dump(folder: Path, receivers: Receivers) -> None:
    """Write what the embedded servers received next to the app's own files."""
    if receivers.posthog is not None:
        lines = [json.dumps(asdict(event)) for event in receivers.posthog.events]
        (folder / "posthog.jsonl").write_text("\n".join(lines))
    if receivers.otlp is not None:
        (folder / "otlp.bin").write_bytes(receivers.otlp.raw_bytes)
