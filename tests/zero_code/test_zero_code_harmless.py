"""PostHog fails in every way, and the app does not notice: no error, the same telemetry, an exit in time."""

from __future__ import annotations

import pytest
from instrumented import EVENTS_PER_ORDER, SPANS_PER_ORDER, shop

from otel_posthog.testing import FakePostHog, Fault, OtlpSink

# What the package may add to an exit: the policy's shutdown_timeout_s, and a second. A busy machine may take twice as
# long for the program itself the second time; a request that is waited for would take 15 s.
MAX_EXIT_S = 6.0


def refusing(server: FakePostHog) -> None:
    """Nobody listens."""
    server.pause()


def hanging(server: FakePostHog) -> None:
    """Requests are read and never answered."""
    server.fault(Fault(hang_s=60, times=None))


def failing(server: FakePostHog) -> None:
    """Every answer is a 500."""
    server.fault(Fault(status=500, times=None))


def wrong_key(server: FakePostHog) -> None:
    """The key is not known."""
    server.api_key = "phc_other"


@pytest.mark.alone
@pytest.mark.parametrize("state", [refusing, hanging, failing, wrong_key], ids=lambda each: each.__name__)
def test_a_posthog_that_fails_costs_the_app_nothing_but_a_bounded_exit(
    state: object, fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """The program runs to its end, its operational telemetry is complete, and it exits at most 5 s later."""
    with OtlpSink() as without:
        plain = shop(3, otlp=without.url, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="posthog")
    assert callable(state)
    state(fake_posthog)
    run = shop(3, otlp=otlp_sink.url, posthog=fake_posthog.url)
    assert not run.has_traceback_of_ours
    assert "phc_" not in run.out
    assert run.seconds < 2 * plain.seconds + MAX_EXIT_S
    assert len(otlp_sink.spans) == 3 * SPANS_PER_ORDER
    assert b"analytics." not in otlp_sink.raw_bytes


def test_exit_delivers_what_is_waiting_and_does_not_dawdle(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """With PostHog well, an exit delivers everything at once, not after the flush interval."""
    fake_posthog.fault(Fault(delay_s=0.5))
    run = shop(50, otlp=otlp_sink.url, posthog=fake_posthog.url)
    assert len(fake_posthog.unique_events) == 50 * EVENTS_PER_ORDER
    assert fake_posthog.duplicates == 0
    assert run.seconds < 30


def test_an_otlp_side_that_fails_loses_no_product_event(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """The two sides do not depend on each other."""
    otlp_sink.status = 400
    shop(2, otlp=otlp_sink.url, posthog=fake_posthog.url)
    assert len(fake_posthog.unique_events) == 2 * EVENTS_PER_ORDER
