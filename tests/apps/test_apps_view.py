"""What the demo draws."""

from __future__ import annotations

import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from rich.console import Console

from otel_posthog.apps.demo.model import Figures, Options, Pair, Sample, Snapshot, changes, checks
from otel_posthog.apps.demo.receivers import SPANS_STARTED, _spans_started
from otel_posthog.apps.demo.view import PlainView, draw, print_verdict
from otel_posthog.testing import OtlpSink, SinkMetric

BIN = str(Path(sys.executable).parent)
OPTIONS = Options(400, "parentbased_traceidratio", 0.1, seed=7, keep=False, unprotected=False, environ={})
FIGURES = Figures(
    requests=400,
    product_events_expected=1272,
    product_events_delivered=1271,
    duplicates=0,
    operational_spans=140,
    operational_metrics=20,
    operational_logs=264,
    operational_items_with_product_attributes=0,
    planted_values=65,
    planted_values_seen_by_posthog=0,
    planted_values_seen_by_otlp=1,
    seconds=6.5,
    spans_of_all_requests=1400,
    expected_by_name={"search_performed": 1272},
    delivered_by_name={"search_performed": 1271},
    leaks_to_otlp=("e-mail: " + "long " * 40,),
)
SAMPLE = Sample(
    Pair("write to me@x.example, please", "write to [email], please"),
    Pair("card 1 declined", "card [card] declined"),
    {"plan": "free"},
    ("customer_email",),
)


def shown(width: int, snapshot: Snapshot) -> str:
    """Return `snapshot` as drawn on a terminal of `width` columns."""
    console = Console(file=StringIO(), width=width, height=50, no_color=True)
    with console.capture() as capture:
        console.print(draw(snapshot, OPTIONS))
    return capture.get()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_picture_fits_its_terminal(width: int) -> None:
    """No line is wider than the terminal, and both sides are there with their figures."""
    picture = shown(width, Snapshot("driving traffic", FIGURES, SAMPLE))
    assert max(map(len, picture.splitlines())) <= width
    for text in ("PostHog (product)", "OTLP (operational)", "1,271 of 1,272", "140", "10%", "write to [email], please"):
        assert text in picture


def test_unknown_figures_are_said_to_be_elsewhere() -> None:
    """With servers of the user's own, no figure is invented."""
    unknown = replace(FIGURES, product_events_delivered=None, duplicates=None, operational_spans=None)
    picture = shown(80, Snapshot("done", unknown, Sample()))
    assert "not known here" in picture
    assert "sent to yours" in picture


@pytest.mark.parametrize(
    ("sampler", "argument", "words"),
    [
        ("parentbased_traceidratio", 0.1, "one trace in ten kept"),
        ("traceidratio", 0.05, "one trace in twenty kept"),
        ("traceidratio", 1 / 3, "one trace in three kept"),
        ("traceidratio", 0.001, "one trace in 1,000 kept"),
        ("traceidratio", 0.4, "40% of the traces kept"),
        ("traceidratio", 0.125, "one trace in 8 kept"),
        ("traceidratio", 0.333, "33.30% of the traces kept"),
        ("parentbased_traceidratio", 1.0, "every trace kept"),
        ("parentbased_traceidratio", 0.0, "no trace kept"),
        ("always_on", 0.1, "every trace kept"),
        ("parentbased_always_off", 0.1, "no trace kept"),
        ("jaeger_remote", 0.1, "jaeger_remote"),
    ],
)
def test_a_sampler_is_told_in_words(sampler: str, argument: float, words: str) -> None:
    """What it does, for a person; a name that is not the SDK's own stays."""
    assert replace(OPTIONS, sampler=sampler, sampling=argument).sampler_shown == words


def test_more_spans_than_the_app_made_are_never_shown() -> None:
    """The SDK's count is told now and then: until it has caught up there is no share."""
    sink = SimpleNamespace(metrics=[SinkMetric(SPANS_STARTED, "{span}", [({}, 7.0)], "sdk", {})])
    assert [_spans_started(cast("OtlpSink", sink), spans) for spans in (0, 5, 7, 8, 23)] == [7, 7, 7, None, None]
    picture = shown(80, Snapshot("driving traffic", replace(FIGURES, spans_of_all_requests=None), SAMPLE))
    assert "140" in picture
    assert "sampled" not in picture


def test_changes_mark_what_each_side_lacks() -> None:
    """Only the words that were replaced are marked."""
    left, right = changes(Pair("call +1 now", "call [phone] now"))
    assert [text for text, changed in left if changed] == ["+1"]
    assert [text for text, changed in right if changed] == ["[phone]"]


def test_plain_view_is_plain_lines() -> None:
    """Without a terminal there are lines without escapes, one for each phase, and the sample at the end."""
    out = StringIO()
    with PlainView(Console(file=out, width=80), OPTIONS) as view:
        view.show(Snapshot("driving traffic", FIGURES, SAMPLE))
        view.show(Snapshot("driving traffic", FIGURES, SAMPLE))
        view.show(Snapshot("done", FIGURES, SAMPLE))
    lines = out.getvalue().splitlines()
    assert "\x1b" not in out.getvalue()
    assert len([line for line in lines if " s  " in line]) == 2
    assert lines[-1] == "OTLP has     card [card] declined"


def test_closing_names_what_leaked() -> None:
    """A failed run ends with every check, what was seen where, and the verdict."""
    out = StringIO()
    print_verdict(Console(file=out, width=80), FIGURES, checks(FIGURES, 400), None, unprotected=False)
    text = out.getvalue()
    assert "✗ 1 of 65 planted personal values reached OTLP" in text
    assert "seen by OTLP: e-mail: long" in text
    assert text.splitlines()[-1].startswith("Not held, 6.5 s")
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("started", "path", "again"),
    [
        (".venv/bin/otel-posthog", "/nowhere", ".venv/bin/otel-posthog"),
        (".venv/bin/otel-posthog", BIN, "otel-posthog"),
        ("/lib/otel_posthog/__main__.py", "/nowhere", "otel-posthog"),
    ],
)
def test_what_the_closing_advises_can_be_typed(
    started: str, path: str, again: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a clone `make demo` has started it by a path, and no shell knows it by its name."""
    monkeypatch.setattr("sys.argv", [started])
    monkeypatch.setenv("PATH", path)
    out = StringIO()
    print_verdict(Console(file=out, width=120), FIGURES, checks(FIGURES, 400), None, unprotected=False)
    assert f"keep back: {again} demo --unprotected)" in out.getvalue()
