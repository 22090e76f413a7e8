"""`flush()` and `shutdown()` say what became of events, also where nobody was there to hear them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opentelemetry import _logs
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.util._once import Once

import otel_posthog
from otel_posthog.emit import record
from otel_posthog.testing import FakePostHog

pytestmark = pytest.mark.usefixtures("not_set_up")


@pytest.fixture(autouse=True)
def _no_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no global logger provider, and nothing emitted before."""
    monkeypatch.setattr(_logs._internal, "_LOGGER_PROVIDER", None)
    monkeypatch.setattr(_logs._internal, "_LOGGER_PROVIDER_SET_ONCE", Once())
    monkeypatch.setattr(record, "_emitted", record._Emitted())


EMITTERS: list[Callable[[], object]] = [
    lambda: otel_posthog.capture("e"),
    lambda: otel_posthog.identify("u-1"),
    lambda: otel_posthog.set("u-1", {"a": 1}),
    lambda: otel_posthog.set_once("u-1", {"a": 1}),
    lambda: otel_posthog.alias("a", "b"),
    lambda: otel_posthog.group_identify("g", "k"),
]


@pytest.mark.parametrize("emit", EMITTERS)
@pytest.mark.parametrize("ask", [otel_posthog.flush, otel_posthog.shutdown])
@pytest.mark.parametrize("is_set_up", [True, False])
def test_without_an_sdk_events_are_not_said_to_be_delivered(
    is_set_up: bool, ask: Callable[[], bool], emit: Callable[[], object], fake_posthog: FakePostHog
) -> None:
    """Whatever emitted them, set up or not: False once for each loss, and True where nothing was emitted."""
    if is_set_up:
        otel_posthog.configure(api_key="phc_test", host=fake_posthog.url)
    assert otel_posthog.flush()
    emit()
    assert not ask()
    assert ask()


def test_with_an_sdk_that_we_are_not_set_up_on_they_are_not_either() -> None:
    """The SDK takes the record, and nobody makes an event of it."""
    _logs.set_logger_provider(LoggerProvider(shutdown_on_exit=False))
    otel_posthog.capture("e")
    assert not otel_posthog.flush()


def test_with_an_sdk_they_are(fake_posthog: FakePostHog) -> None:
    """Also where the provider was set after the first event was lost."""
    otel_posthog.configure(api_key="phc_test", host=fake_posthog.url)
    otel_posthog.capture("lost")
    assert not otel_posthog.flush()
    _logs.set_logger_provider(LoggerProvider(shutdown_on_exit=False))
    otel_posthog.capture("heard")
    assert otel_posthog.flush()
    assert [each.event for each in fake_posthog.events] == ["heard"]


def test_where_collection_is_off_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """There was nothing to deliver."""
    monkeypatch.setenv("USAGE_STATS", "false")
    otel_posthog.configure(api_key="phc_test")
    otel_posthog.capture("e")
    assert otel_posthog.flush()
