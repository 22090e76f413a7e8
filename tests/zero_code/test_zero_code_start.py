"""A failure of ours at start: the app runs, with its own telemetry, stripped; and one line says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from instrumented import SUPPORT, shop
from shop import MAIL

from otel_posthog.testing import FakePostHog, OtlpSink

PROGRAMS = SUPPORT.parent / "setups" / "programs"


@pytest.fixture
def hooked(tmp_path: Path) -> dict[str, str]:
    """Variables that have a hook called before ours, which breaks what `BROKEN` names."""
    info = tmp_path / "path" / "broken_start-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-start\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[opentelemetry_pre_instrument]\nbroken = broken_start:break_it\n")
    return {"PYTHONPATH": os.pathsep.join([str(info.parent), str(PROGRAMS)])}


@pytest.mark.parametrize(
    "broken",
    [
        "otel_posthog.setup.runtime:Pipeline",
        "otel_posthog.setup.runtime:load_installation",
        "otel_posthog.setup.configure:log_start",
        "otel_posthog.setup.settings:read_settings",
    ],
)
def test_an_error_of_ours_leaves_the_apps_telemetry_stripped(
    broken: str, hooked: dict[str, str], fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """Whatever fails at start: spans, logs and metrics go on, clean; nothing is sent; a line names the error."""
    run = shop(2, otlp=otlp_sink.url, posthog=fake_posthog.url, BROKEN=broken, **hooked)
    assert fake_posthog.requests == []
    assert len(otlp_sink.spans) == 4
    assert len(otlp_sink.logs) == 4
    assert "shop.orders" in {each.name for each in otlp_sink.metrics}
    assert b"analytics." not in otlp_sink.raw_bytes
    assert MAIL.encode() not in otlp_sink.raw_bytes
    lines = [line for line in run.out.splitlines() if "could not start (MemoryError)" in line]
    assert len(lines) == 1, run.out
    assert "run `otel-posthog doctor`" in lines[0]
    assert "u-4711" not in run.out
    assert not run.has_traceback_of_ours


def test_one_provider_that_cannot_be_attached_to_leaves_the_others(
    hooked: dict[str, str], fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """A fault with logs does not keep spans from being stripped, nor their product events from being sent."""
    broken = "otel_posthog.setup.providers:attach_logging"
    run = shop(2, otlp=otlp_sink.url, posthog=fake_posthog.url, BROKEN=broken, **hooked)
    assert {each.event for each in fake_posthog.events} == {"order_placed", "coupon_used"}
    assert {name for each in otlp_sink.spans for name in each.attributes} == {"http.route", "url.full"}
    assert (
        len([line for line in run.out.splitlines() if "could not attach to the LoggerProvider (MemoryError)" in line])
        == 1
    )


def test_when_nothing_works_the_app_does(
    hooked: dict[str, str], fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """With even stripping broken, nothing is raised into the host, and the line says what is not done."""
    broken = "otel_posthog.setup.configure:Redactor"
    run = shop(2, otlp=otlp_sink.url, posthog=fake_posthog.url, BROKEN=broken, **hooked)
    assert fake_posthog.requests == []
    assert len(otlp_sink.spans) == 4
    assert len([line for line in run.out.splitlines() if "nothing is stripped" in line]) == 1


def test_a_state_directory_that_cannot_be_used_stops_nothing(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """A file stands where the directory should be: events arrive, and one line says what to set."""
    (tmp_path / "file").write_text("")
    run = shop(2, otlp=otlp_sink.url, posthog=fake_posthog.url, OTEL_POSTHOG_STATE_DIR=str(tmp_path / "file"))
    assert len(fake_posthog.unique_events) == 8
    assert b"analytics." not in otlp_sink.raw_bytes
    assert [line for line in run.out.splitlines() if "OTEL_POSTHOG_STATE_DIR" in line] != []
