"""pytest fixtures, loaded by pytest wherever this package is installed; nothing is imported before a test asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from otel_posthog.testing.fake_posthog import CapturedEvent, FakePostHog
    from otel_posthog.testing.otlp_sink import OtlpSink


@pytest.fixture
def fake_posthog() -> Iterator[FakePostHog]:
    """A PostHog that listens on `fake_posthog.url` and takes the key `phc_test`."""
    from otel_posthog.testing.fake_posthog import FakePostHog  # noqa: PLC0415

    with FakePostHog() as server:
        yield server


@pytest.fixture
def otlp_sink() -> Iterator[OtlpSink]:
    """An OTLP receiver that listens on `otlp_sink.url`."""
    from otel_posthog.testing.otlp_sink import OtlpSink  # noqa: PLC0415

    with OtlpSink() as server:
        yield server


@pytest.fixture
def captured_events(fake_posthog: FakePostHog) -> list[CapturedEvent]:
    """The events that `fake_posthog` has accepted: a live list."""
    return fake_posthog.events
