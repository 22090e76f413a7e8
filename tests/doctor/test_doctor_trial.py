"""`otel-posthog doctor --send`: one event to each destination, followed until PostHog has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctored import KEY, doctor, healthy

from otel_posthog.testing import FakePostHog
from otel_posthog.testing.fake_posthog import Fault


@pytest.fixture
def posthog(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fake_posthog: FakePostHog) -> FakePostHog:
    """A PostHog that knows the app's key."""
    monkeypatch.chdir(tmp_path)
    healthy(monkeypatch, POSTHOG_HOST=fake_posthog.url)
    fake_posthog.api_key = KEY
    return fake_posthog


def test_an_event_that_arrives_is_no_complaint(posthog: FakePostHog) -> None:
    """One event, one line."""
    found = doctor("--send")
    assert (found.status, found.complaints) == (0, [])
    assert [each.event for each in posthog.events] == ["otel_posthog_doctor"]


def test_an_event_that_does_not_is(posthog: FakePostHog) -> None:
    """With the reason."""
    posthog.fault(Fault(status=403, times=None))
    assert doctor("--send", "--timeout", "1").complaints == ["trial_failed"]
