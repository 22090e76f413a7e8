"""An SDK that somebody else set up: by hand before or after us, by logfire, by another distribution, or not at all."""

from __future__ import annotations

import sys
from collections import Counter
from importlib.metadata import files
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from processes import PROGRAMS, command, environment, running
from product import MAIL

from otel_posthog.testing import FakePostHog, OtlpSink

sys.path.insert(0, str(PROGRAMS))

BY_HAND = str(PROGRAMS / "by_hand.py")


def once(posthog: FakePostHog) -> Counter[str]:
    """Return how many of each event came; fail where one came twice."""
    came = Counter((each.event, each.properties.get("n")) for each in posthog.events)
    assert set(came.values()) <= {1}, came
    return Counter(each.event for each in posthog.events)


def run(*words: str, posthog: FakePostHog, sink: OtlpSink, **environ: str) -> str:
    """Run a program to its end and return what it wrote."""
    with running(*words, environ=environment(otlp=sink.url, posthog=posthog.url, **environ)) as tree:
        assert tree.process.wait(60) == 0, tree.out
        tree.wait_until_alone()
        assert "done" in tree.out.splitlines(), tree.out
        assert "otel_posthog/" not in tree.out, tree.out
        return tree.out


def fits_phoenix() -> bool:
    """Return whether this OpenTelemetry's exporter has what phoenix.otel looks for in it, without us too."""
    (source,) = (file for file in files("arize-phoenix-otel") or () if str(file) == "phoenix/otel/otel.py")
    wanted = "_client" if "exporter._client" in source.read_text() else "_headers"
    return hasattr(OTLPSpanExporter(), wanted)


ALL = {"spanned": 3, "noted": 3, "emitted": 3}
HAS_TO_SAY = ("already, by configure(): configure() changes nothing",)


@pytest.mark.parametrize(
    ("case", "events", "spans", "said"),
    [
        ("before", ALL, 3, ()),
        ("after", ALL, 3, ("no OpenTelemetry SDK provider for spans and log-based events and capture()",)),
        ("early", ALL, 0, ()),
        ("early-after", ALL, 0, ("no OpenTelemetry SDK provider for spans and log-based events and capture()",)),
        ("twice", ALL, 3, HAS_TO_SAY),
        ("no-sdk", {}, 0, ("no OpenTelemetry SDK provider for spans and log-based events and capture()",)),
        ("no-logger", {"spanned": 3, "noted": 3}, 3, ("no OpenTelemetry SDK provider for log-based events",)),
        ("logfire-before", ALL, 3, ()),
        ("logfire-after", ALL, 3, ("no OpenTelemetry SDK provider for spans and log-based events and capture()",)),
        ("logfire-again", ALL, 3, ()),
        ("phoenix-before", ALL, 3, ()),
        ("phoenix-after", ALL, 3, ("no OpenTelemetry SDK provider for spans and log-based events and capture()",)),
    ],
)
def test_events_arrive_once_and_the_operational_side_is_clean(  # noqa: PLR0917 - two of them are servers
    case: str, events: dict[str, int], spans: int, said: tuple[str, ...], fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """Whoever made the providers and whenever: each event exactly once, stripped spans, one line where one is due."""
    if case.startswith("phoenix") and not fits_phoenix():
        pytest.skip("this phoenix.otel looks for what OpenTelemetry's exporter has in other versions only")
    out = run(sys.executable, BY_HAND, case, posthog=fake_posthog, sink=otlp_sink)
    assert once(fake_posthog) == events
    assert Counter(each.name for each in otlp_sink.spans) == ({"work": spans} if spans else {})
    assert b"analytics." not in otlp_sink.raw_bytes
    assert MAIL.encode() not in otlp_sink.raw_bytes
    lines = [line for line in out.splitlines() if "otel-posthog" in line or "no OpenTelemetry SDK" in line]
    assert len(lines) == len(said), out
    assert [part for part, line in zip(said, lines, strict=True) if part not in line] == []
    if spans and not case.startswith(("no", "phoenix")):
        assert [value for each in otlp_sink.metrics if each.name == "orders" for _, value in each.points] == [1]


def test_another_distribution_may_own_the_providers(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """One that loads instrumentors in a way of its own, and hides the providers behind proxies of its own."""
    info = tmp_path / "other_distro-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-distro\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[opentelemetry_distro]\nother = other_distro:OtherDistro\n"
        "[opentelemetry_configurator]\nother = other_distro:OtherConfigurator\n"
    )
    variables = {"OTEL_PYTHON_DISTRO": "other", "OTEL_PYTHON_CONFIGURATOR": "other"}
    path = {"PYTHONPATH": f"{tmp_path}:{PROGRAMS}"}
    program = (command("opentelemetry-instrument"), sys.executable, str(PROGRAMS / "three_times.py"))
    out = run(*program, posthog=fake_posthog, sink=otlp_sink, **variables, **path)
    assert "other distribution" in out
    assert once(fake_posthog) == ALL
    assert Counter(each.name for each in otlp_sink.spans) == {"work": 3}
    assert b"analytics." not in otlp_sink.raw_bytes
    assert MAIL.encode() not in otlp_sink.raw_bytes


def test_a_disabled_sdk_is_a_disabled_package(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """`OTEL_SDK_DISABLED=true` does not keep the providers from being made; nothing is sent to either side by us."""
    program = (command("opentelemetry-instrument"), sys.executable, str(PROGRAMS / "three_times.py"))
    run(*program, posthog=fake_posthog, sink=otlp_sink, OTEL_SDK_DISABLED="true")
    assert fake_posthog.requests == []
    assert b"analytics." not in otlp_sink.raw_bytes


def test_without_any_sdk_the_zero_code_way_is_one_line(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """With no configurator nobody makes providers: the program runs, and one line says what is missing."""
    program = (command("opentelemetry-instrument"), sys.executable, str(PROGRAMS / "three_times.py"))
    nobody = {"OTEL_PYTHON_CONFIGURATOR": "nobody", "OTEL_PYTHON_DISTRO": "nobody"}
    out = run(*program, posthog=fake_posthog, sink=otlp_sink, **nobody)
    assert fake_posthog.requests == []
    assert len([line for line in out.splitlines() if "no OpenTelemetry SDK provider for spans" in line]) == 1
