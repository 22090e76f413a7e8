"""The switches: off wins, and the answer names the switch."""

from __future__ import annotations

import pytest

from otel_posthog.policy import Collection, CollectionPolicy, Policy, decide

POLICY = Policy(collection=CollectionPolicy(off_switches=("ALGA_USAGE_STATS",))).with_credentials("phc_x", None)


def test_a_key_alone_switches_collection_on() -> None:
    """With a key and no switch, events are collected."""
    assert decide(POLICY, {}).enabled


def test_no_key_is_off() -> None:
    """Without a key there is nowhere to send to, and the line says which variable is missing."""
    decision = decide(Policy(), {})
    assert not decision.enabled
    assert "POSTHOG_API_KEY" in decision.reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_POSTHOG_ENABLED", "false"),
        ("USAGE_STATS", "0"),
        ("USAGE_STATS", "No"),
        ("ALGA_USAGE_STATS", "false"),
        ("DO_NOT_TRACK", "1"),
        ("DO_NOT_TRACK", "true"),
        ("OTEL_SDK_DISABLED", "true"),
    ],
)
def test_each_switch_switches_off_and_is_named(name: str, value: str) -> None:
    """Any one switch ends collection, whatever the others say."""
    decision = decide(POLICY, {"OTEL_POSTHOG_ENABLED": "true", "USAGE_STATS": "yes", name: value})
    assert not decision.enabled
    assert decision.reason == f"{name}={value}"


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_POSTHOG_ENABLED", "true"), ("USAGE_STATS", ""), ("DO_NOT_TRACK", "0"), ("OTEL_SDK_DISABLED", "false")],
)
def test_a_switch_that_says_on_or_nothing_leaves_it_on(name: str, value: str) -> None:
    """Only an off switches off."""
    assert decide(POLICY, {name: value}).enabled


def test_an_unclear_word_fails_closed_and_is_not_repeated() -> None:
    """A word that is neither yes nor no switches off; it could be a misplaced secret, so the line does not echo it."""
    decision = decide(POLICY, {"USAGE_STATS": "hunter2"})
    assert not decision.enabled
    assert "hunter2" not in decision.reason


def test_preview_does_all_but_send_and_any_off_switch_still_wins() -> None:
    """It needs no key, in whatever case it is written."""
    for word in ("preview", " Preview "):
        assert decide(Policy(), {"OTEL_POSTHOG_ENABLED": word}) == Collection(True, is_preview=True)
    for word in ("console", " CONSOLE"):
        assert decide(Policy(), {"OTEL_POSTHOG_ENABLED": word}) == Collection(True, is_preview=True, is_shown=True)
    for word in ("preview", "console"):
        off = decide(POLICY, {"OTEL_POSTHOG_ENABLED": word, "DO_NOT_TRACK": "1"})
        assert off == Collection(False, "DO_NOT_TRACK=1")
    assert not decide(POLICY, {"USAGE_STATS": "preview"}).enabled
