"""The demo in plain lines, for a log file, a pipe, or a terminal that cannot redraw."""

from __future__ import annotations

import time
from typing import final

from rich.console import Console

from otel_posthog.apps.demo.experiment import Look
from otel_posthog.apps.demo.figures import Figures
from otel_posthog.apps.demo.options import Options
from otel_posthog.apps.demo.sample import Pair, Sample

INTERVAL_S = 1.0


@final
class PlainView:
    """Writes one line a second and whenever the phase changes; the sample once, at the end."""

    def __init__(self, console: Console, options: Options) -> None:
        self._console = console
        self._options = options
        self._phase = ""
        self._last_s = 0.0
        self._sample = Sample()

    def __enter__(self) -> PlainView:
        """Say what begins."""
        self._line(f"{self._options.title}: {self._options.requests:,} requests, {self._options.sampler_shown}")
        return self

    def __exit__(self, *_: object) -> None:
        """Write the sample."""
        self._pair("typed      ", "PostHog has", self._sample.comment)
        self._pair("logged     ", "OTLP has   ", self._sample.log)

    def show(self, look: Look) -> None:
        """Write a line about `look` if it is time for one."""
        self._sample = look.sample
        now_s = time.monotonic()
        if look.phase == self._phase and now_s - self._last_s < INTERVAL_S:
            return
        self._phase, self._last_s = look.phase, now_s
        self._line(f"{look.figures.seconds:5.1f} s  {look.phase:<27} {_counts(look.figures)}")

    def _pair(self, before: str, after: str, pair: Pair) -> None:
        if pair.after:
            self._line(f"{before}  {pair.before}")
            self._line(f"{after}  {pair.after}")

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _counts(figures: Figures) -> str:
    return (
        f"requests {figures.requests}  PostHog {_known(figures.product_events_delivered)} events  "
        f"OTLP {_known(figures.operational_spans)} spans {_known(figures.operational_logs)} logs "
        f"{_known(figures.operational_metrics)} metrics  planted values seen "
        f"{_known(figures.planted_values_seen_by_posthog)}/{_known(figures.planted_values_seen_by_otlp)}"
    )


def _known(count: int | None) -> str:
    return "?" if count is None else str(count)
