"""What people are told."""

from __future__ import annotations

from otel_posthog.identity import mismatch_line, notice_box, notice_text, start_line
from otel_posthog.policy import Collection, CollectionPolicy, IdentityMode, Policy

POLICY = Policy(collection=CollectionPolicy(off_switches=("ALGA_USAGE_STATS",))).with_credentials("phc_x", None)


def test_the_start_line_says_what_is_collected_or_what_switched_it_off() -> None:
    """The three lines that the documentation promises, word for word."""
    on = Collection(enabled=True)
    assert start_line(POLICY, on) == "Usage statistics enabled (user IDs anonymized)"
    identified = POLICY.with_identity(IdentityMode.IDENTIFIED)
    assert start_line(identified, on) == "Usage statistics enabled (user IDs preserved)"
    off = Collection(enabled=False, reason="ALGA_USAGE_STATS=false")
    assert start_line(POLICY, off) == "Usage statistics disabled by ALGA_USAGE_STATS=false"


def test_the_notice_names_the_apps_own_switch() -> None:
    """A person is told the switch that the app documents."""
    assert "set ALGA_USAGE_STATS=false" in notice_text(POLICY)
    assert "set USAGE_STATS=false" in notice_text(Policy())
    assert "no user ids" in notice_text(POLICY)
    assert "carry user ids" in notice_text(POLICY.with_identity(IdentityMode.IDENTIFIED))


def test_the_box_is_a_box() -> None:
    """Every line is as wide as the frame, and fits a terminal of 80 columns."""
    widths = {len(line) for line in notice_box(POLICY).splitlines()}
    assert widths == {76}


def test_a_browser_half_that_differs_is_reported() -> None:
    """The two variables must say the same."""
    environ = {"ANALYTICS_ANONYMIZE_USER_IDS": "true", "NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS": "false"}
    assert "differ" in (mismatch_line(environ) or "")
    assert mismatch_line({"ANALYTICS_ANONYMIZE_USER_IDS": "true"}) is None
    assert mismatch_line(dict.fromkeys(environ, "True")) is None
