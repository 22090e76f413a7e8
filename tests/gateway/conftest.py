"""What the tests of the gateway have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otel_posthog.testing import FakePostHog


@pytest.fixture(scope="module")
def posthog() -> Iterator[FakePostHog]:
    """A PostHog for all tests of a module."""
    with FakePostHog() as server:
        yield server
