"""What is said while a destination takes nothing: once for each kind of failure, and again in the next outage."""

from __future__ import annotations

import pytest

from otel_posthog.deliver.outage import ON_DISK, PASSING_S, OutageLog
from otel_posthog.posthog.responses import NOT_POSTHOG, TLS, Action, Verdict

AWAY = Verdict(Action.RETRY, "network_NewConnectionError")
WRONG_KEY = Verdict(Action.PAUSE, "http_401")


@pytest.fixture
def now() -> list[float]:
    """The clock."""
    return [1000.0]


@pytest.fixture
def outage(now: list[float]) -> OutageLog:
    """Of the destination `default`, by that clock."""
    return OutageLog("default", lambda: now[0])


def test_a_failure_that_lasts_is_told_once(
    outage: OutageLog, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """Not in the first minute, not twice, and anew once the server had been there in between."""
    for seconds in (0.0, PASSING_S - 1):
        now[0] = 1000.0 + seconds
        outage.log_lasting(AWAY, ON_DISK)
    assert caplog.messages == []
    for _ in range(3):
        now[0] += PASSING_S
        outage.log_lasting(AWAY, ON_DISK)
    (line,) = caplog.messages
    assert line.startswith("destination default has taken nothing for a minute (NewConnectionError)")
    outage.end()
    outage.log_lasting(AWAY, ON_DISK)
    assert len(caplog.messages) == 1
    now[0] += PASSING_S
    outage.log_lasting(Verdict(Action.RETRY, "http_503"), ON_DISK)
    assert "(HTTP 503)" in caplog.messages[1]


def test_a_setting_that_is_wrong_is_told_at_once_beside_an_outage(
    outage: OutageLog, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """Each kind has its line, with what to check; none is told twice."""
    outage.log_lasting(AWAY, ON_DISK)
    now[0] += PASSING_S
    outage.log_lasting(AWAY, ON_DISK)
    for _ in range(2):
        outage.log_refused(WRONG_KEY, ON_DISK)
        outage.log_refused(Verdict(Action.PAUSE, NOT_POSTHOG), ON_DISK)
        outage.log_refused(Verdict(Action.PAUSE, TLS, detail="wrong version number"), ON_DISK)
    assert [line.partition(":")[0] for line in caplog.messages] == [
        "destination default has taken nothing for a minute (NewConnectionError)",
        "PostHog does not take events for destination default (HTTP 401)",
        "what answers for destination default is not PostHog",
        "no TLS connection for destination default (wrong version number)",
    ]
    assert all(line.endswith("events wait on disk until then") for line in caplog.messages)
