"""A process that is not set up, and is not afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import otel_posthog
from otel_posthog.emit.record import take_unheard
from otel_posthog.policy import Policy, activate
from otel_posthog.setup import configure


@pytest.fixture
def not_set_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a test set the package up; what it started is stopped."""
    monkeypatch.setattr(configure, "_running", None)
    monkeypatch.setattr(configure, "_is_attached", False)
    # What tests before it emitted where nobody could hear is not this one's to answer for in `flush()`.
    take_unheard(is_set_up=True)
    yield
    otel_posthog.shutdown(5)
    # A worker may be reading a watched policy again; after that it finds nothing that it could replace.
    with configure._lock:
        configure._running = None
    activate(Policy())
