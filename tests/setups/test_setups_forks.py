"""Forks of a program whose provider was made before it came to us: no child waits for ever, and each delivers."""

from __future__ import annotations

import re
import sys
from collections import Counter

import pytest
from opentelemetry.sdk import trace as sdk_trace
from processes import PROGRAMS, environment, running

from otel_posthog.testing import FakePostHog, OtlpSink

sys.path.insert(0, str(PROGRAMS))

from documented import ENTRANCES

CHILDREN = 4
SENDS = ("configure", "instrumentor", "components", "exporter")


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_no_fork_hangs_where_the_provider_was_made_before_us(
    entrance: str, fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """As OpenTelemetry's documentation makes a provider, whichever of our imports comes after it; also a child's child.

    A child has a process id of its own in its resource where this SDK reads one, as without us.
    """
    detectors = {"OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "process"}
    variables = environment(otlp=otlp_sink.url, posthog=fake_posthog.url, **detectors)
    with running(sys.executable, str(PROGRAMS / "documented.py"), entrance, environ=variables) as tree:
        assert tree.process.wait(30) == 0, tree.out
        tree.wait_until_alone()
        assert "done" in tree.out.splitlines(), tree.out
        told = re.findall(r"child (\d+) (\w+)", tree.out)
    assert len(told) == CHILDREN, told
    reads_anew = hasattr(sdk_trace, "_get_process_dependent_resource")
    assert [pid for pid, of_resource in told if of_resource != (pid if reads_anew else "None")] == []
    came = Counter((each.event, each.properties["n"]) for each in fake_posthog.events)
    expected = {(kind, n): 1 for kind in ("spanned", "noted") for n in range(CHILDREN)} if entrance in SENDS else {}
    assert came == expected
