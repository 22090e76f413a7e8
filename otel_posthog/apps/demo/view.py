"""The demo on a terminal: what went where, and what was removed, as it goes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from otel_posthog.apps.demo.experiment import Look
from otel_posthog.apps.demo.figures import Figures
from otel_posthog.apps.demo.options import Options
from otel_posthog.apps.demo.sample import Pair, Sample, changes
from otel_posthog.apps.demo.visitor import EVENT_NAMES

PRODUCT, OPERATIONAL, GOOD, BAD, SOFT = "magenta", "cyan", "green", "red", "bright_black"
REFRESHES_PER_S = 8
ELSEWHERE = "sent to yours"


@final
class LiveView:
    """Redraws one picture in place; the last one stays on the screen."""

    def __init__(self, console: Console, options: Options) -> None:
        self._options = options
        self._live = Live(console=console, refresh_per_second=REFRESHES_PER_S)

    def __enter__(self) -> LiveView:
        """Take the terminal."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back."""
        self._live.stop()

    def show(self, look: Look) -> None:
        """Draw `look`."""
        self._live.update(draw(look, self._options))


def draw(look: Look, options: Options) -> RenderableType:
    """Return the picture of one look."""
    sides = Table.grid(expand=True)
    sides.add_column(ratio=1)
    sides.add_column(ratio=1)
    sides.add_row(_product_panel(look.figures), _operational_panel(look.figures))
    # The sample comes last: it is what a low terminal may cut off.
    return Group(_head(look, options), sides, _planted(look.figures), _sample_panel(look.sample))


def _head(look: Look, options: Options) -> RenderableType:
    row = Table.grid(expand=True, padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(ratio=1)
    row.add_column(no_wrap=True, justify="right")
    requests = Text(f"{look.figures.requests:,}/{options.requests:,} requests")
    row.add_row(Text(look.phase, "bold"), ProgressBar(options.requests, look.figures.requests), requests)
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
