"""What people are told."""

from __future__ import annotations

from otel_posthog.identity import mismatch_line, notice_box, notice_text, start_line
from otel_posthog.policy import Collection, CollectionPolicy, Destination, IdentityMode, Policy

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
    assert "ids that change every day" in notice_text(POLICY.with_identity(IdentityMode.DAILY))
    assert "pseudonyms in place of user ids" in notice_text(POLICY.with_identity(IdentityMode.PSEUDONYMOUS))
    vendor = Policy(destinations=(Destination(name="v"), Destination(name="o", identity=IdentityMode.IDENTIFIED)))
    assert "carry user ids" in notice_text(vendor)
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


def test_a_terminal_without_such_characters_gets_a_plain_frame() -> None:
    """The text is the same, and can be written."""
    fancy, plain = notice_box(POLICY), notice_box(POLICY, encoding="ascii")
    plain.encode("ascii")
    assert plain.splitlines()[0] == f"+{'-' * 74}+"
    assert [line.strip("│ ") for line in fancy.splitlines()[1:-1]] == [
        line.strip("| ") for line in plain.splitlines()[1:-1]
    ]
    assert notice_box(POLICY, encoding="no-such-encoding") == plain
