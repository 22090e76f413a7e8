"""Each benchmark runs, in a size in which its times say nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import instructions

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 180


def benchmarks(*arguments: str) -> str:
    """Return what `python -m benchmarks` prints, and require that it ends well."""
    command = [sys.executable, "-m", "benchmarks", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def figures(*arguments: str) -> dict[str, Any]:
    """Return the JSON object that `python -m benchmarks --json` prints."""
    read: dict[str, Any] = json.loads(benchmarks("--json", *arguments))
    return read


def test_help_teaches_how_to_read_the_numbers() -> None:
    """The help says what is measured, how to call it, and that ratios are what counts."""
    text = benchmarks("--help")
    assert all(word in text for word in ("requests", "span_end", "examples:", "compare ratios"))


def test_requests_compares_the_helpdesk_with_itself() -> None:
    """Without a condition, the control and the run without the package remain, and product events arrived."""
    made = figures("--only", "requests", "--condition", "none", "--rounds", "1", "--requests", "8")["requests"]
    assert set(made["conditions"]) == {"well", "again", "without"}
    assert made["noise_ratio"] >= 1
    assert made["conditions"]["well"]["delivered_events"] == made["conditions"]["again"]["delivered_events"] > 0
    assert made["conditions"]["without"]["delivered_events"] == 0
    keys = {"request_ms", "ratio_to_well", "ratio_to_again", "exit_s", "exit_more_s", "is_within_noise"}
    assert keys < set(made["conditions"]["well"])


def test_requests_says_a_verdict_for_each_condition() -> None:
    """The table has a row and the verdict a line for what is compared."""
    text = benchmarks("--only", "requests", "--condition", "off", "--rounds", "1", "--requests", "8")
    assert "PostHog is" in text
    assert [line for line in text.splitlines() if line.startswith("off:")]
    assert "hanging" not in text


def test_span_end_has_every_contender() -> None:
    """Product spans are compared with capture() as well; operational spans have no such peer."""
    paces = figures("--only", "span_end", "--rounds", "1")["span_end"]["paces"]
    assert {"otel-posthog", "posthog capture()", "sdk", "sdk again"} < set(paces["product, back to back"])
    assert "posthog capture()" not in paces["operational, back to back"]
    assert all(
        set(each) == {"p50_us", "p99_us", "ratio_to_sdk", "adds_us"} for each in paces["product, 1 ms apart"].values()
    )


def test_derive_compares_every_kind_of_span() -> None:
    """Without rules, with all that come with the package, and with many more."""
    spans = figures("--only", "derive", "--rounds", "1")["derive"]["spans"]
    assert {"internal", "health check", "fast query, new"} < set(spans)
    assert all(set(each) == {"without_us", "more_us", "and_rare_us"} for each in spans.values())


def test_privacy_scores_a_corpus_of_the_users_own(tmp_path: Path) -> None:
    """Rows in the documented form are scored on both sides; caught, altered and kept are told apart."""
    rows = [
        {"key": "note", "value": "mail jo@example.org now", "pii": ["jo@example.org"], "tier": "core"},
        {"key": "note", "value": "nothing here", "pii": []},
        {"key": "first_name", "value": "Jo", "pii": ["Jo"], "tier": "context"},
        {"key": "map", "value": {"a": [1, "jo@example.org"]}, "pii": ["jo@example.org"], "tier": "core"},
        {"key": "text", "value": "Jo from next door", "pii": ["Jo"], "tier": "context"},
    ]
    corpus = tmp_path / "values.jsonl"
    corpus.write_text("\n".join(map(json.dumps, rows)))
    made = figures("--only", "privacy", "--no-peers", "--corpus", str(corpus))["privacy"]
    for side in ("otel-posthog", "otel-posthog, through OTLP"):
        shares = {name: made[side][name] for name in ("core", "context", "altered", "kept")}
        assert shares == {"core": 1.0, "context": 0.5, "altered": 0.0, "kept": 1.0}


def test_fuzzing_finds_nothing_in_a_moment() -> None:
    """A short run of made-up texts breaks none of the filter's promises."""
    # A count, not a time: on every machine the same inputs.
    made = figures("--only", "fuzz_privacy", "--inputs", "1500", "--seconds", "120", "--seed", "7")["fuzz_privacy"]
    assert made["inputs"] == 1500
    assert made["findings"] == 0


def test_spool_loses_nothing_to_kills() -> None:
    """A short run: every appender is measured, all is recovered, no acknowledged event is lost or comes twice."""
    made = figures("--only", "spool", "--rounds", "2", "--kills", "3", "--spooled", "8000")["spool"]
    assert set(made["append_us"]) == {"write(2) alone", "spool", "SQLite, WAL"}
    assert made["recovery"]["found"] == made["recovery"]["events"] == 8000
    assert made["kill"]["acknowledged"] > 3 * 4000
    assert (made["kill"]["lost"], made["kill"]["repeated"]) == (0, 0)


def test_soak_holds_little_and_loses_nothing() -> None:
    """A short run, in which a slope says nothing: all arrives, and what the program holds stays below what it may."""
    made = figures("--only", "soak", "--minutes", "0.2", "--soak-rate", "300")["soak"]
    assert made["arrived"] == made["emitted"] == 0.2 * 60 * 300
    greatest = made["greatest"]
    # Its own threads and those of a sync; a directory, a segment, a connection; a few segments.
    assert greatest["threads"] <= 10
    assert greatest["handles"] <= 40
    assert greatest["disk_kib"] <= 24 * 1024


def test_fuzzing_the_gateway_finds_nothing_in_a_moment() -> None:
    """A number of malformed requests gets documented answers, and the process goes on."""
    made = figures("--only", "fuzz_gateway", "--fuzz-requests", "1500", "--fuzz-seconds", "120")["fuzz_gateway"]
    assert made["requests"] > 1400
    assert made["findings"] == 0


def test_gateway_load_compares_one_worker_with_two() -> None:
    """Every event that was acknowledged was delivered, and a figure is there for each."""
    made = figures("--only", "gateway_load", "--batches", "4", "--batch-events", "50")["gateway_load"]
    assert made.keys() == {"events_per_s", "json_events_per_s", "cpu_us", "cpu_us_of_two", "ratio"}
    assert all(value > 0 for value in made.values())


def test_operational_load_has_a_figure_for_each_signal() -> None:
    """How many items a second each way takes, and what one costs in each of its processes."""
    arguments = ("--only", "operational_load", "--requests-a-run", "2", "--request-items", "50")
    made: Any = figures(*arguments)["operational_load"]
    assert len(made) == 4
    for way in made.values():
        assert way.keys() == {"traces", "logs", "metrics"}
        for each in way.values():
            assert each["items_per_s"] > 0
            assert each["items_per_core_s"] > 0
            assert each["cpu_us"]


@pytest.mark.parametrize("condition", ["back to back", "2,000/s, hanging"])
def test_delivered_compares_with_posthog_python(condition: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both deliver all where the server works; where it hangs, nobody waits for it."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    size = ("--delivered-events", "300", "--delivered-paced-s", "0.1", "--delivered-contender", "otel-posthog")
    made = figures("--only", "delivered", "--rounds", "1", "--delivered-condition", condition, *size)
    table = made["delivered"]["conditions"][condition]
    assert list(table) == ["sdk", "otel-posthog", "posthog-python V1"]
    assert table["posthog-python V1"]["cpu_to_v1"]["median"] == 1
    assert table["otel-posthog"]["cpu_us"]["min"] > 0


def test_instructions_says_what_grew_and_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than 3 % is told; where callgrind is not installed, so is that."""
    figures_of = {"a": {"ratio": 1.031}, "b": {"ratio": 1.029}, "c": {"instructions": 5.0}}
    assert instructions.grown(figures_of) == ["a"]
    monkeypatch.setenv("PATH", "")
    assert "apt-get install valgrind" in benchmarks("--only", "instructions")


def test_growth_has_a_curve_for_each_thing_that_may_grow() -> None:
    """Each point of each curve has a time."""
    made = figures("--only", "growth", "--rounds", "1")["growth"]
    assert {"attributes", "destinations", "rules of the policy", "threads that submit", "events on disk"} < set(made)
    assert all(time_us > 0 for curve in made.values() for time_us in curve.values())
