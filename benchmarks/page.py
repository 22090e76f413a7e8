"""One page over everything that was run: the figures that people ask for first, us and the peers side by side.

A figure of something that was not run is left out. The goals are the project's own; a figure above its goal is marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.report import Result, table

Figures = Mapping[str, Any]
OURS, V1, EXPORTER = "otel-posthog", "posthog-python V1", "posthog-otel-exporter"


class Row(NamedTuple):
    """One figure.

    Attributes:
        what: It, with its unit.
        value: Median, least and greatest, or one number.
        goal: The most that it may be, or the least where `is_least`.
        is_least: Whether more is better.
    """

    what: str
    value: Mapping[str, float] | float
    goal: float
    is_least: bool = False

    @property
    def median(self) -> float:
        """The number that is compared with the goal."""
        return self.value if isinstance(self.value, (int, float)) else self.value["median"]

    @property
    def is_met(self) -> bool:
        """Whether the goal is met."""
        return self.median >= self.goal if self.is_least else self.median <= self.goal

    def cells(self) -> tuple[str, str, str, str]:
        """Return what stands in the table."""
        digits = 0 if self.median >= 1000 else 1 if self.median >= 20 else 2
        shown = f"{self.median:,.{digits}f}"
        if not isinstance(self.value, (int, float)):
            shown += f" ({self.value['min']:,.{digits}f}-{self.value['max']:,.{digits}f})"
        sign = "at least" if self.is_least else "at most"
        return self.what, shown, f"{sign} {self.goal:,g}", "" if self.is_met else "missed"


def page(results: Mapping[str, Result]) -> Result | None:
    """Return the page; None where nothing that was run is on it."""
    found = rows({name: each.figures for name, each in results.items()})
    if not found:
        return None
    text = table([("the figures", "median (least-greatest)", "goal", ""), *(each.cells() for each in found)])
    figures = {each.what: {"value": each.value, "goal": each.goal, "is_met": each.is_met} for each in found}
    return Result(text, figures)


def rows(figures: Mapping[str, Figures]) -> list[Row]:
    """Return the figures of everything that was run."""
    makers = {
        "requests": _requests,
        "delivered": _delivered,
        "span_end": _span_end,
        "privacy": _privacy,
        "gateway_load": _gateway,
        "faults": _faults,
        "start": _start,
    }
    return [row for name, made in makers.items() if name in figures for row in made(figures[name])]


def _requests(figures: Figures) -> Iterator[Row]:
    conditions, kept = figures["conditions"], f"{figures['sampling']:.0%} of traces kept"
    if "without" in conditions:
        without = conditions["without"]["ratio_to_well"]
        goal = 1.12 if figures["sampling"] < 1 else 1.10
        yield Row(f"a request, to one without the package, {kept}", _inverse(without), goal)
        if "off" in conditions:
            off, alone = conditions["off"]["ratio_to_well"]["median"], without["median"]
            yield Row("the same, collection switched off", off / alone, 1.03)


def _inverse(spread: Mapping[str, float]) -> dict[str, float]:
    return {"median": 1 / spread["median"], "min": 1 / spread["max"], "max": 1 / spread["min"]}


def _delivered(figures: Figures) -> Iterator[Row]:
    conditions = figures["conditions"]
    if "back to back" in conditions:
        at_once = conditions["back to back"]
        yield Row(f"CPU of a delivered event, to {V1}, back to back", at_once[OURS]["cpu_to_v1"], 0.55)
        if "2,000/s" in conditions:
            yield Row("the same, at 2,000/s", conditions["2,000/s"][OURS]["cpu_to_v1"], 0.75)
        yield Row(f"delivered a second, to {V1}", at_once[OURS]["per_second_to_v1"], 1.6, is_least=True)
        if EXPORTER in at_once:
            more = at_once[OURS]["per_second"]["median"] / at_once[EXPORTER]["per_second"]["median"]
            yield Row(f"delivered a second, to {EXPORTER}", more, 3, is_least=True)
        yield Row("added to the app's thread, us, back to back", at_once[OURS]["adds_p50_us"], 4)
    for name, server in (("2,000/s", "works"), ("2,000/s, refused", "refuses"), ("2,000/s, hanging", "hangs")):
        if name in conditions:
            each = conditions[name]
            yield Row(f"added to the app's thread, us, at 2,000/s, server {server}", each[OURS]["adds_p50_us"], 12)
            adds = each[OURS]["p99_us"]["median"] - each["sdk"]["p99_us"]["median"]
            yield Row("the same, p99", adds, 30)


def _span_end(figures: Figures) -> Iterator[Row]:
    adds = figures["paces"]["operational, back to back"][OURS]["adds_us"]
    yield Row("added to a span that is no product event, us", adds, 1)


def _privacy(figures: Figures) -> Iterator[Row]:
    ours = figures.get(OURS, {})
    if ours.get("mean_us") is not None:
        yield Row("filter, us a value, mean", ours["mean_us"], 15)
        yield Row("filter, us a value, p99", ours["p99_us"], 80)


def _gateway(figures: Figures) -> Iterator[Row]:
    yield Row("gateway, OTLP in protobuf, events/s on one core", figures["events_per_s"], 25_000, is_least=True)
    yield Row("the same in JSON", figures["json_events_per_s"], 12_000, is_least=True)


def _faults(figures: Figures) -> Iterator[Row]:
    lost = sorted(each["lost"] for each in figures.get("kill -9, spool", ()))
    if lost:
        spread = {"median": lost[int(len(lost) * 0.9)], "min": lost[0], "max": lost[-1]}
        yield Row(f"lost in a kill -9 at 2,000/s, events, 90 % of {len(lost)} kills", spread, 2)


def _start(figures: Figures) -> Iterator[Row]:
    yield Row("import and configure(), over the SDK with OTLP, ms of CPU", figures["cpu_ms"], 60)
    yield Row("the same, MB", figures["memory_mb"], 8)


def plot(results: Mapping[str, Result], path: Path) -> None:
    """Draw what an event costs, next to the peers, and how that grows.

    Args:
        results: Of `delivered`, `growth` or both.
        path: The picture, whose suffix says of which kind (.svg, .png).

    Raises:
        ValueError: Neither was run.
    """
    from matplotlib import pyplot as plt  # noqa: PLC0415 - heavy, and for pictures only

    known = [name for name in ("delivered", "growth") if name in results]
    if not known:
        raise ValueError("there is nothing to draw: run `delivered` or `growth`")
    # Text stays text: it can be searched, and is read to those who do not see the picture.
    plt.rcParams.update({"svg.fonttype": "none", "font.family": "sans-serif", "svg.hashsalt": "otel-posthog"})
    figure, axes = plt.subplots(len(known), 1, figsize=(9, 3.6 * len(known)), layout="constrained", squeeze=False)
    for name, (axis,) in zip(known, axes, strict=True):
        {"delivered": _draw_delivered, "growth": _draw_growth}[name](results[name].figures, axis)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _draw_delivered(figures: Figures, axis: Any) -> None:
    conditions = {
        name: figures["conditions"][name] for name in ("back to back", "2,000/s") if name in figures["conditions"]
    }
    names = list(next(iter(conditions.values())))
    height = 0.8 / len(conditions)
    for place, (condition, turns) in enumerate(conditions.items()):
        spreads = [turns[name]["cpu_us"] for name in names]
        least = [each["median"] - each["min"] for each in spreads]
        most = [each["max"] - each["median"] for each in spreads]
        at = [number + place * height for number in range(len(names))]
        axis.barh(at, [each["median"] for each in spreads], height, xerr=(least, most), label=condition, capsize=2)
    axis.set_yticks([number + 0.4 - height / 2 for number in range(len(names))], names)
    axis.invert_yaxis()
    axis.set_xlabel("CPU of one delivered event, us; the line is from the least to the greatest round")
    axis.legend(frameon=False)
    axis.spines[["top", "right"]].set_visible(False)


def _draw_growth(figures: Figures, axis: Any) -> None:
    for name, curve in figures.items():
        sizes = [float(size) for size in curve]
        axis.plot([size / sizes[0] for size in sizes], list(curve.values()), marker="o", markersize=3, label=name)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_ylim(bottom=1)
    for each in (axis.xaxis, axis.yaxis):
        each.set_major_formatter("{x:g}")
    axis.set_xlabel("times as much as at the first point")
    axis.set_ylabel("CPU of one event, us")
    axis.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    axis.spines[["top", "right"]].set_visible(False)
