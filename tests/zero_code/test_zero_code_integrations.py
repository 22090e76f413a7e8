"""Every integration in a process of its own, under the real `opentelemetry-instrument`: what `docs/setup.md` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from instrumented import SUPPORT, Run, instrumented
from two_traces import MAIL

from otel_posthog.testing import FakePostHog, OtlpSink

DOCS = Path(__file__).resolve().parents[2] / "docs" / "setup.md"
TITLE = "## Which integration gives what"
HOOK_IS_OFF = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "posthog"}
EVENTS = ("sampled_span", "sampled_span_event", "unsampled_span", "unsampled_span_event", "emitted", "logged")

# What switches an integration on, and only that one: those that the program uses itself, and the environment.
INTEGRATIONS: dict[str, tuple[list[str], dict[str, str]]] = {
    "zero-code hook": ([], {}),
    "instrumentor": (["instrumentor"], HOOK_IS_OFF),
    "`configure()`": (["configure"], HOOK_IS_OFF),
    "components": (["components"], HOOK_IS_OFF),
    "components and sampler": (["components"], {**HOOK_IS_OFF, "OTEL_TRACES_SAMPLER": "posthog"}),
    "exporters": ([], {**HOOK_IS_OFF, "OTEL_TRACES_EXPORTER": "otlp,posthog", "OTEL_LOGS_EXPORTER": "otlp,posthog"}),
}


class Outcome:
    """What came of a run.

    Args:
        run: The program.
        posthog: Where product events went.
        sink: Where operational telemetry went.
    """

    def __init__(self, run: Run, posthog: FakePostHog, sink: OtlpSink) -> None:
        self.run, self.sink, self.posthog = run, sink, posthog
        self.names = Counter(each.event for each in posthog.events)
        self.who = {each.distinct_id for each in posthog.events}
        self.span_names = Counter(each.name for each in sink.spans)

    def has(self, *names: str) -> bool:
        """Return whether each of these events came exactly once; fail where some of them came."""
        came = {self.names[name] for name in names}
        assert came in ({0}, {1}), self.names
        return came == {1}


PROOFS: dict[str, Callable[[Outcome], bool]] = {
    "product events of sampled spans, and their span events": lambda o: o.has("sampled_span", "sampled_span_event"),
    "product events of spans that the sampler drops": lambda o: o.has("unsampled_span", "unsampled_span_event"),
    "log-based events, `capture()`, marked lines of `logging`": lambda o: o.has("emitted", "logged"),
    "who acts, from `user_context()` and `set_user()`": lambda o: o.who == {"ctx-0815"},
    "product data is taken off the app's spans": lambda o: (
        not any(
            name.startswith("analytics.")
            for each in o.sink.spans
            for name in [*each.attributes, *(event for event, _ in each.events)]
        )
    ),
    "product records are kept from the app's log exporters": lambda o: (
        not any(
            each.event_name.startswith("analytics.") or "analytics.event" in each.attributes for each in o.sink.logs
        )
    ),
    "e-mail addresses and alike are redacted on the operational side": lambda o: MAIL.encode() not in o.sink.raw_bytes,
    "what became of events is counted in the app's metrics": lambda o: any(
        each.name == "otel_posthog.events" for each in o.sink.metrics
    ),
}


def table() -> Iterator[tuple[str, str, str]]:
    """Yield what, integration and answer of each cell of the page's table."""
    rows = DOCS.read_text(encoding="utf-8").partition(TITLE)[2].partition("\n## ")[0].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("|")]
    for what, *answers in cells[2:]:
        yield from ((what, each, answer) for each, answer in zip(cells[0][1:], answers, strict=True))


@cache
def outcome(integration: str) -> Outcome:
    """Run the program with `integration` alone; once, however many cells ask."""
    used, environ = INTEGRATIONS[integration]
    with FakePostHog() as posthog, OtlpSink() as sink:
        run = start(used, environ, posthog, sink)
        return Outcome(run, posthog, sink)


def start(used: list[str], environ: dict[str, str], posthog: FakePostHog, sink: OtlpSink) -> Run:
    """Run the program with the integrations it is to use itself, as a mode that shows who acts."""
    variables = {"ANALYTICS_ANONYMIZE_USER_IDS": "false", **environ}
    program = str(SUPPORT / "two_traces.py")
    run = instrumented(program, *used, otlp=sink.url, posthog=posthog.url, **variables)
    assert run.returncode == 0, run.out
    assert "done" in run.out.splitlines(), run.out
    assert not run.has_traceback_of_ours, run.out
    return run


def test_the_page_names_every_integration_and_every_proof() -> None:
    """The table of the page and the proofs here name the same integrations and rows."""
    cells = list(table())
    assert {each for _, each, _ in cells} == set(INTEGRATIONS)
    assert {what for what, _, _ in cells} == set(PROOFS)
    assert {answer for _, _, answer in cells} == {"yes", "no"}


@pytest.mark.parametrize(("what", "integration", "answer"), list(table()))
def test_an_integration_gives_what_the_page_says(what: str, integration: str, answer: str) -> None:
    """Each cell of the table in `docs/setup.md` is true."""
    found = outcome(integration)
    assert PROOFS[what](found) is (answer == "yes"), (found.names, found.who, found.run.out)


@pytest.mark.parametrize("integration", INTEGRATIONS)
def test_no_integration_changes_the_operational_trace(integration: str) -> None:
    """The caller's sampled trace arrives whole, its unsampled one not at all, log lines and metrics as ever."""
    found = outcome(integration)
    assert found.span_names == {"GET sampled": 1, "work": 1}
    assert sum("stock is low" in str(each.body) for each in found.sink.logs) == 1
    assert [value for each in found.sink.metrics if each.name == "orders" for _, value in each.points] == [1]


def test_the_exporters_say_once_what_they_do_not_do() -> None:
    """One line says that the exporters see sampled telemetry only and do not strip what others send."""
    told = [*outcome("exporters").run.out.splitlines(), *(str(each.body) for each in outcome("exporters").sink.logs)]
    assert len([line for line in told if "sampled telemetry only" in line]) == 1, told


def test_the_usual_way_says_nothing() -> None:
    """`opentelemetry-instrument` runs hook and instrumentor, which is nothing to log."""
    out = outcome("zero-code hook").run.out.partition("\ndone\n")[0]
    assert "set up already" not in out
    assert "already instrumented" not in out


ALL_BY_NAME = {
    "OTEL_TRACES_EXPORTER": "otlp,posthog",
    "OTEL_LOGS_EXPORTER": "posthog,otlp",
    "OTEL_TRACES_SAMPLER": "posthog",
    "OTEL_TRACES_SAMPLER_ARG": "1.0",
}


@pytest.mark.parametrize(
    ("used", "environ", "lines"),
    [
        (["configure"], {}, ["by zero-code set-up: configure() changes nothing"]),
        (["configure", "configure"], HOOK_IS_OFF, ["by configure(): configure() changes nothing"]),
        (["instrumentor"], {}, ["by zero-code set-up: options of the instrumentor changes nothing"]),
        (["components", "configure"], HOOK_IS_OFF, ["by a component: configure() attaches to further providers"]),
        ([], ALL_BY_NAME, ["it has nothing to do, and nothing is sent twice"]),
        (
            ["configure", "components"],
            {**HOOK_IS_OFF, **ALL_BY_NAME},
            ["it has nothing to do, and nothing is sent twice"],
        ),
    ],
    ids=["hook+configure", "configure twice", "hook+options", "components+configure", "hook+names", "all but the hook"],
)
def test_two_integrations_at_once_send_nothing_twice_and_say_so(
    used: list[str], environ: dict[str, str], lines: list[str], fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """Every event arrives exactly once, the operational side is clean, and each further integration is one line."""
    run = start(used, environ, fake_posthog, otlp_sink)
    assert Counter(each.event for each in fake_posthog.events) == dict.fromkeys(EVENTS, 1)
    assert b"analytics." not in otlp_sink.raw_bytes
    assert Counter(each.name for each in otlp_sink.spans) == {"GET sampled": 1, "work": 1}
    told = run.out.splitlines()
    said = [line for line in told if "already, by" in line or "nothing to do" in line]
    assert len(said) == len(lines), told
    assert [part for part, line in zip(lines, said, strict=True) if part not in line] == [], said
