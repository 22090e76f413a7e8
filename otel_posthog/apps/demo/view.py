"""The demo on a terminal: a picture that is redrawn, or plain lines where none can be, and the verdict."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from otel_posthog.apps.demo.model import Check, Figures, Options, Pair, Sample, Snapshot, changes, passed
from otel_posthog.apps.demo.traffic import EVENT_NAMES

PRODUCT, OPERATIONAL, GOOD, BAD, SOFT = "magenta", "cyan", "green", "red", "bright_black"
REFRESHES_PER_S = 8
ELSEWHERE = "sent to yours"
LINE_INTERVAL_S = 1.0
MARKS = {True: ("✓", "bold green"), False: ("✗", "bold red"), None: ("-", "bright_black")}
LEAKS_SHOWN = 8


@final
class LiveView:
    """Redraws one picture in place; the last one stays on the screen."""

    def __init__(self, console: Console, options: Options) -> None:
        self._options = options
        self._live = Live(console=console, refresh_per_second=REFRESHES_PER_S)

    def __enter__(self) -> LiveView:
        """Start drawing."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing; the last picture stays."""
        self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Draw `snapshot`."""
        self._live.update(draw(snapshot, self._options))


def draw(snapshot: Snapshot, options: Options) -> RenderableType:
    """Return the picture of one snapshot."""
    sides = Table.grid(expand=True)
    sides.add_column(ratio=1)
    sides.add_column(ratio=1)
    sides.add_row(_product_panel(snapshot.figures), _operational_panel(snapshot.figures))
    # The sample comes last: it is what a low terminal may cut off.
    return Group(_head(snapshot, options), sides, _planted(snapshot.figures), _sample_panel(snapshot.sample))


def _head(snapshot: Snapshot, options: Options) -> RenderableType:
    row = Table.grid(expand=True, padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(ratio=1)
    row.add_column(no_wrap=True, justify="right")
    requests = Text(f"{snapshot.figures.requests:,}/{options.requests:,} requests")
    row.add_row(Text(snapshot.phase, "bold"), ProgressBar(options.requests, snapshot.figures.requests), requests)
    return Group(_title(options), row)


def _title(options: Options) -> RenderableType:
    row = Table.grid(expand=True)
    row.add_column(ratio=1, no_wrap=True)
    row.add_column(justify="right", no_wrap=True)
    row.add_row(Text(options.title, f"bold {BAD if options.unprotected else ''}"), Text(options.sampler_shown, SOFT))
    return row


def _product_panel(figures: Figures) -> RenderableType:
    table = _counts()
    all_delivered = figures.product_events_delivered
    for name in EVENT_NAMES:
        delivered = None if all_delivered is None else figures.delivered_by_name.get(name, 0)
        table.add_row(name, _of(delivered, figures.expected_by_name.get(name, 0)))
    table.add_row(Text("all events", "bold"), _of(all_delivered, figures.product_events_expected))
    table.add_row("arrived twice", _zero(figures.duplicates))
    return Panel(table, title="PostHog (product)", title_align="left", border_style=PRODUCT, box=box.ROUNDED)


def _operational_panel(figures: Figures) -> RenderableType:
    table = _counts()
    table.add_row("spans", _number(figures.operational_spans))
    if figures.spans_of_all_requests and figures.operational_spans is not None:
        # The SDK's count lags behind the spans until the app has ended, so the share is more than it will be.
        share = figures.operational_spans / figures.spans_of_all_requests
        table.add_row(Text("  of all that the app made", SOFT), Text(f"{figures.spans_of_all_requests:,}", SOFT))
        table.add_row(Text("  sampled", SOFT), Text(f"{share:.0%}", SOFT))
    table.add_row("logs", _number(figures.operational_logs))
    table.add_row("metrics", _number(figures.operational_metrics))
    table.add_row("with product attributes", _zero(figures.operational_items_with_product_attributes))
    padding = len(EVENT_NAMES) + 2 - table.row_count
    body = Group(table, *[Text("")] * padding)
    return Panel(body, title="OTLP (operational)", title_align="left", border_style=OPERATIONAL, box=box.ROUNDED)


def _sample_panel(sample: Sample) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style=SOFT, no_wrap=True)
    table.add_column()
    _add_pair(table, "typed", "PostHog has", sample.comment)
    if sample.kept:
        table.add_row("and", ", ".join(f"{key}={value}" for key, value in sample.kept.items()))
    if sample.removed:
        table.add_row("not sent", Text(", ".join((*sample.removed, "user id")), "red strike"))
    _add_pair(table, "logged", "OTLP has", sample.log)
    if not table.row_count:
        table.add_row("nothing yet")
    return Panel(table, title="One of them, before and after", title_align="left", border_style=SOFT, box=box.ROUNDED)


def _add_pair(table: Table, before: str, after: str, pair: Pair) -> None:
    if not pair.after:
        return
    left, right = changes(pair)
    table.add_row(before, _pieces(left, f"{BAD} strike"))
    table.add_row(after, _pieces(right, f"bold {GOOD}"))


def _pieces(pieces: Iterable[tuple[str, bool]], style: str) -> Text:
    return Text.assemble(*((text, style if changed else "") for text, changed in pieces))


def _planted(figures: Figures) -> RenderableType:
    line = Text.assemble(("Planted personal values ", "bold"), f"{figures.planted_values}")
    for side, seen in (
        ("PostHog", figures.planted_values_seen_by_posthog),
        ("OTLP", figures.planted_values_seen_by_otlp),
    ):
        line.append_text(Text.assemble(f"   seen by {side} ", _zero(seen)))
    return line


def _counts() -> Table:
    table = Table.grid(expand=True)
    table.add_column(ratio=1, no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    return table


def _of(delivered: int | None, expected: int) -> Text:
    if delivered is None:
        return Text(f"{expected:,}")
    style = GOOD if delivered == expected > 0 else ""
    return Text.assemble((f"{delivered:,}", style), (f" of {expected:,}", SOFT))


def _number(count: int | None) -> Text:
    return Text(ELSEWHERE, SOFT) if count is None else Text(f"{count:,}")


def _zero(count: int | None) -> Text:
    return Text("not known here", SOFT) if count is None else Text(f"{count:,}", f"bold {BAD if count else GOOD}")


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
        """Write the title."""
        self._line(f"{self._options.title}: {self._options.requests:,} requests, {self._options.sampler_shown}")
        return self

    def __exit__(self, *_: object) -> None:
        """Write the sample."""
        self._pair("typed      ", "PostHog has", self._sample.comment)
        self._pair("logged     ", "OTLP has   ", self._sample.log)

    def show(self, snapshot: Snapshot) -> None:
        """Write a line about `snapshot` if it is time for one."""
        self._sample = snapshot.sample
        now_s = time.monotonic()
        if snapshot.phase == self._phase and now_s - self._last_s < LINE_INTERVAL_S:
            return
        self._phase, self._last_s = snapshot.phase, now_s
        self._line(f"{snapshot.figures.seconds:5.1f} s  {snapshot.phase:<27} {_counts_line(snapshot.figures)}")

    def _pair(self, before: str, after: str, pair: Pair) -> None:
        if pair.after:
            self._line(f"{before}  {pair.before}")
            self._line(f"{after}  {pair.after}")

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _counts_line(figures: Figures) -> str:
    return (
        f"requests {figures.requests}  PostHog {_known(figures.product_events_delivered)} events  "
        f"OTLP {_known(figures.operational_spans)} spans {_known(figures.operational_logs)} logs "
        f"{_known(figures.operational_metrics)} metrics  planted values seen "
        f"{_known(figures.planted_values_seen_by_posthog)}/{_known(figures.planted_values_seen_by_otlp)}"
    )


def _known(count: int | None) -> str:
    return "?" if count is None else str(count)


def print_verdict(
    console: Console, figures: Figures, made: tuple[Check, ...], kept_folder: Path | None, *, unprotected: bool
) -> None:
    """Print every check, what leaked if anything did, and the verdict."""
    console.print()
    for check in made:
        mark, style = MARKS[check.held]
        console.print(Text.assemble((mark, style), f" {check.text}"))
    for side, leaks in (("PostHog", figures.leaks_to_posthog), ("OTLP", figures.leaks_to_otlp)):
        for leak in leaks[:LEAKS_SHOWN]:
            console.print(Text.assemble((f"  seen by {side}: ", "red"), leak), no_wrap=True, overflow="ellipsis")
        if len(leaks) > LEAKS_SHOWN:
            console.print(Text(f"  and {len(leaks) - LEAKS_SHOWN} more", "red"))
    if kept_folder is not None:
        console.print(Text(f"- the run's files are in {kept_folder}"), soft_wrap=True)
    verdict = Text("All held", "bold green") if passed(made) else Text("Not held", "bold red")
    hint = ""
    if unprotected:
        verdict.append(", and was not to: this was the app without otel-posthog")
    else:
        hint = f"   (what the filters keep back: {_again()} demo --unprotected)"
    console.print(Text.assemble("\n", verdict, f", {figures.seconds:.1f} s", (hint, "bright_black")))


def _again() -> str:
    """Return what starts this command: its name, or the path by which it was started where no shell would find it."""
    is_found = shutil.which("otel-posthog") is not None
    return "otel-posthog" if is_found or Path(sys.argv[0]).name != "otel-posthog" else sys.argv[0]
