"""One run of the demo: servers, app, traffic, orderly end; figures all along."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from otel_posthog.apps.demo.app_environment import app_environment, refuse_others
from otel_posthog.apps.demo.app_location import helpdesk_parent
from otel_posthog.apps.demo.app_process import AppProcess
from otel_posthog.apps.demo.figures import Figures
from otel_posthog.apps.demo.observer import Observer
from otel_posthog.apps.demo.options import Options
from otel_posthog.apps.demo.planted import owner
from otel_posthog.apps.demo.receivers import Receivers
from otel_posthog.apps.demo.sample import Sample, take_sample
from otel_posthog.apps.demo.tally import Tally
from otel_posthog.apps.demo.traffic import drive
from otel_posthog.apps.demo.unprotected import hide_package

LOOK_INTERVAL_S = 0.2
SETTLE_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Look:
    """What a view shows.

    Attributes:
        phase: What is going on, in two or three words.
        figures: The figures of this moment.
        sample: One ticket and one log line, before and after, as soon as they have arrived.
    """

    phase: str
    figures: Figures
    sample: Sample


Show = Callable[[Look], None]


class Experiment:
    """Runs once; `kept_folder` is where the run's files are, if they are kept."""

    def __init__(self, options: Options, show: Show) -> None:
        self.kept_folder: Path | None = None
        self._options = options
        self._show = show
        self._tally = Tally()
        self._phase = "starting the helpdesk"

    def run(self) -> Figures:
        """Do it all and return the final figures.

        Raises:
            AppError: The helpdesk did not start, or did not end as it should.
        """
        with ExitStack() as stack:
            receivers = stack.enter_context(Receivers(self._options))
            folder = self._folder(stack)
            observer = Observer(self._tally, receivers, self._options.seed)
            self._tally.planted.add(owner(self._options.seed))
            worker = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="traffic"))
            app = AppProcess(folder, self._environment(folder, receivers))
            look = self._looker(observer, receivers, app)
            self._show(look())
            with app:
                work = worker.submit(self._work, app)
                while not work.done():
                    self._show(look())
                    time.sleep(LOOK_INTERVAL_S)
                work.result()
            return self._settle(look, folder, receivers)

    def _work(self, app: AppProcess) -> None:
        self._phase = "driving traffic"
        drive(app.url, self._options.requests, self._options.seed, self._tally)
        self._phase = "stopping the helpdesk"
        app.stop()
        self._phase = "waiting for the last events"

    def _looker(self, observer: Observer, receivers: Receivers, app: AppProcess) -> Callable[[], Look]:
        return lambda: Look(self._phase, observer.look(), take_sample(self._tally.ticket, receivers, app))

    def _settle(self, look: Callable[[], Look], folder: Path, receivers: Receivers) -> Figures:
        """Look until all has arrived, or long enough."""
        # Without the package there is nothing to wait for.
        deadline_s = time.monotonic() + (0 if self._options.unprotected else SETTLE_TIMEOUT_S)
        while (last := look()).figures.is_short and time.monotonic() < deadline_s:
            self._show(last)
            time.sleep(LOOK_INTERVAL_S)
        self._phase = "done"
        last = look()
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
