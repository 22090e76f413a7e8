"""The page over everything that was run, from figures as the benchmarks make them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.page import page, plot, rows
from benchmarks.report import Result


def spread(median: float) -> dict[str, float]:
    """Return a spread around a median."""
    return {"median": median, "min": median * 0.9, "max": median * 1.2}


def turns(cpu_us: float) -> dict[str, Any]:
    """Return what one contender of `delivered` has."""
    names = ("cpu_us", "cpu_to_v1", "per_second", "per_second_to_v1", "adds_p50_us", "p99_us", "peak_mib")
    return {name: spread(cpu_us) for name in names} | {"cpu_to_v1": spread(cpu_us / 100)}


CONTENDERS = {
    "sdk": turns(20),
    "otel-posthog": turns(50),
    "posthog-python V1": turns(100),
    "posthog-otel-exporter": turns(200),
}
CONDITIONS = ("back to back", "2,000/s", "2,000/s, refused", "2,000/s, hanging")
FIGURES: dict[str, dict[str, Any]] = {
    "requests": {
        "sampling": 0.1,
        "conditions": {"without": {"ratio_to_well": spread(0.8)}, "off": {"ratio_to_well": spread(0.84)}},
    },
    "delivered": {"conditions": dict.fromkeys(CONDITIONS, CONTENDERS)},
    "span_end": {"paces": {"operational, back to back": {"otel-posthog": {"adds_us": spread(2.5)}}}},
    "privacy": {"otel-posthog": {"mean_us": 12.0, "p99_us": 90.0}},
    "gateway_load": {"events_per_s": 26_000.0, "json_events_per_s": 11_000.0},
    "faults": {"kill -9, spool": [{"lost": number % 3} for number in range(20)]},
    "growth": {"attributes": {"1": 10.0, "2": 11.0}, "rules": {"1": 10.0, "4": 10.0}},
}


def test_each_figure_has_its_goal_and_says_where_it_is_missed() -> None:
    """Ratios are ours to the peer's; what is above its goal, or below where more is better, is marked."""
    made = {row.what: row for row in rows(FIGURES)}
    request = made["a request, to one without the package, 10% of traces kept"]
    assert (request.median, request.is_met) == (1.25, False)
    assert made["the same, collection switched off"].is_met is False
    assert made["CPU of a delivered event, to posthog-python V1, back to back"].is_met
    assert made["gateway, OTLP in protobuf, events/s on one core"].is_met
    assert made["filter, us a value, p99"].cells()[-1] == "missed"
    assert made["lost in a kill -9 at 2,000/s, events, 90 % of 20 kills"].median == 2


def test_the_page_has_what_was_run_and_no_more() -> None:
    """One benchmark gives its own figures; one that is on no page gives none."""
    alone = page({"gateway_load": Result("", FIGURES["gateway_load"])})
    assert alone is not None
    assert list(alone.figures) == ["gateway, OTLP in protobuf, events/s on one core", "the same in JSON"]
    assert page({"growth": Result("", FIGURES["growth"])}) is None


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_a_picture_is_drawn_of_what_can_be_drawn(suffix: str, tmp_path: Path) -> None:
    """It names the contenders and the curves; without either there is nothing to draw."""
    picture = tmp_path / f"costs{suffix}"
    plot({name: Result("", FIGURES[name]) for name in ("delivered", "growth")}, picture)
    if suffix == ".svg":
        assert all(name in picture.read_text(encoding="utf-8") for name in ("posthog-python V1", "attributes"))
    with pytest.raises(ValueError, match="nothing to draw"):
        plot({}, picture)
