"""An app that knows posthog-python only, started as it is and under the real `opentelemetry-instrument`."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from bridged import told
from instrumented import SUPPORT, instrumented

from otel_posthog.policy.defaults import ALLOWED_TELEMETRY_KEYS
from otel_posthog.testing import FakePostHog, OtlpSink
from otel_posthog.testing.fake_posthog import CapturedEvent

READY = Path(__file__).resolve().parents[2] / "examples" / "otel-config.yaml"
APP = str(SUPPORT / "moving_app.py")


@pytest.fixture(scope="module")
def plain() -> list[CapturedEvent]:
    """What PostHog has of the app without this package."""
    with FakePostHog() as server:
        subprocess.run([sys.executable, APP], env={**os.environ, "APP_HOST": server.url}, check=True, timeout=60)
        return list(server.events)


def said(events: list[CapturedEvent]) -> dict[str, object]:
    """Return what events say, by uuid; without what telemetry adds, and whom a group's update has at random."""
    found: dict[str, object] = {}
    for each in events:
        one = told(each)
        one["properties"] = {
            key: value for key, value in one["properties"].items() if key not in ALLOWED_TELEMETRY_KEYS
        }
        found[each.uuid] = {**one, **({"distinct_id": ""} if each.event == "$groupidentify" else {})}
    return found


def test_the_same_app_sends_the_same_by_one_setting(
    plain: list[CapturedEvent], fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """Names, ids, groups and times, one by one; nothing past this package, and nobody on the operational side."""
    with FakePostHog() as past:
        done = instrumented(
            APP,
            otlp=otlp_sink.url,
            posthog=fake_posthog.url,
            OTEL_POSTHOG_BRIDGE="true",
            OTEL_POSTHOG_IDENTITY="identified",
            APP_HOST=past.url,
        )
        assert done.returncode == 0, done.out
        assert past.requests == []
    assert len(plain) == 6
    assert said(fake_posthog.events) == said(plain)
    assert b"user-31" not in otlp_sink.raw_bytes
    assert b"visitor-8" not in otlp_sink.raw_bytes


def test_only_what_the_filters_took_off_is_missing(
    plain: list[CapturedEvent], fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """By the built-in policy: an address in a property, and as whom it is sent."""
    with FakePostHog() as past:
        instrumented(
            APP,
            otlp=otlp_sink.url,
            posthog=fake_posthog.url,
            OTEL_POSTHOG_BRIDGE="true",
            APP_HOST=past.url,
            NOTE="jo@example.org",
        )
        assert past.requests == []
    # Changes of persons and groups are none of an installation's.
    assert sorted(each.event for each in fake_posthog.events) == ["paid", "saved", "signed_up"]
    (paid,) = fake_posthog.named("paid")
    assert (paid.properties["note"], paid.properties["app"]) == ("[email]", "shop")
    assert "user-31" not in str(fake_posthog.events)


def test_without_the_setting_it_is_as_if_this_package_were_not_there(
    plain: list[CapturedEvent], fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """posthog-python sends by itself, and only that."""
    with FakePostHog() as past:
        instrumented(APP, otlp=otlp_sink.url, posthog=fake_posthog.url, APP_HOST=past.url)
        assert said(past.events) == said(plain)
    assert fake_posthog.requests == []


def test_the_standard_variable_disables_it(
    plain: list[CapturedEvent], fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """By its own name."""
    with FakePostHog() as past:
        instrumented(
            APP,
            otlp=otlp_sink.url,
            posthog=fake_posthog.url,
            OTEL_POSTHOG_BRIDGE="true",
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="posthog_python",
            APP_HOST=past.url,
        )
        assert said(past.events) == said(plain)
    assert fake_posthog.requests == []


@pytest.mark.skipif(
    find_spec("opentelemetry.configuration") is None, reason="this SDK reads no configuration file: 1.42 is the first"
)
@pytest.mark.parametrize(("disabled", "is_on"), [("", True), ("posthog", False)])
def test_the_configuration_file_of_the_sdk_may_ask_for_it(  # noqa: PLR0917 - fixtures
    disabled: str,
    is_on: bool,
    plain: list[CapturedEvent],
    fake_posthog: FakePostHog,
    otlp_sink: OtlpSink,
    tmp_path: Path,
) -> None:
    """As an option of its instrumentor; disabling the package disables that too."""
    path = tmp_path / "otel.yaml"
    ready = READY.read_text(encoding="utf-8").rstrip()
    path.write_text(f"{ready}\n    posthog_python:\n      bridge: true\n", encoding="utf-8")
    with FakePostHog() as past:
        instrumented(
            APP,
            otlp=otlp_sink.url,
            posthog=fake_posthog.url,
            OTEL_CONFIG_FILE=str(path),
            OTEL_POSTHOG_IDENTITY="identified",
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=disabled,
            APP_HOST=past.url,
        )
        arrived = (said(fake_posthog.events), said(past.events))
    assert arrived == ((said(plain), {}) if is_on else ({}, said(plain)))
