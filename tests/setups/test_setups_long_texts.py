"""Texts that are made to be looked at for long, in a program that ends."""

from __future__ import annotations

import re
import sys

import pytest
from processes import PROGRAMS, environment, running

from otel_posthog.testing import FakePostHog, OtlpSink

pytestmark = pytest.mark.alone

EXIT_S = 5.0


@pytest.mark.parametrize(
    "part", ['password=\\"', "social security ", "030-1234 ", "SSN is (", "1234567(((", "id number 1"]
)
def test_a_long_attribute_does_not_delay_the_exit(part: str, fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """One attribute of 128,000 characters, of the texts that took longest, leaves an app its exit in time."""
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url, OTEL_BSP_SCHEDULE_DELAY="60000")
    with running(sys.executable, str(PROGRAMS / "long_texts.py"), part, environ=variables) as tree:
        assert tree.process.wait(60) == 0, tree.out
        took = re.search(r"exit took ([0-9.]+)", tree.out)
    assert took is not None, tree.out
    assert float(took[1]) < EXIT_S
    assert [each.name for each in otlp_sink.spans] == ["work"]
