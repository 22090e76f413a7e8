"""The helpers an app calls itself: consent, collection, sanitizing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otel_posthog.model import Subject
from otel_posthog.policy import Destination, FrozenMap, Policy, PrivacyPolicy, activate, active
from otel_posthog.privacy import consent_given, sanitize_properties, sanitize_properties_with_receipt, should_collect
from otel_posthog.privacy.scoring import redact


@pytest.fixture(autouse=True)
def _policy_restored() -> Iterator[None]:
    before = active()
    yield
    activate(before)


@pytest.mark.parametrize(
    ("consent", "required", "given"),
    [
        (True, True, True),
        (True, False, True),
        (False, True, False),
        (False, False, False),
        (None, False, True),
        (None, True, False),
    ],
)
def test_consent_is_taken_as_given_only_where_it_may_be(consent: bool | None, required: bool, given: bool) -> None:
    """Denied is denied; unknown counts as given unless the policy requires to know."""
    assert consent_given(Subject(consent=consent), required=required) is given


def test_collection_follows_policy_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key switches it on, any off switch wins."""
    for name in ("OTEL_POSTHOG_ENABLED", "USAGE_STATS", "DO_NOT_TRACK", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    activate(Policy())
    assert not should_collect()
    activate(Policy(destinations=(Destination(api_key="phc_x"),)))
    assert should_collect()
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    assert not should_collect()


def test_sanitizing_uses_the_policy_given_or_the_one_in_force() -> None:
    """Both ways give the same kinds of answers, and the receipt tells what was done."""
    quiet = Policy(privacy=PrivacyPolicy(detectors=FrozenMap(), sensitive_keys=frozenset()))
    given = {"mail": "x", "t": "jo@example.org"}
    assert sanitize_properties(given) == {"t": "[email]"}
    assert sanitize_properties(given, quiet) == given
    activate(quiet)
    assert sanitize_properties(given) == given
    out, receipt = sanitize_properties_with_receipt(given, Policy())
    assert out == {"t": "[email]"}
    assert receipt.entries == [("mail", "sensitive_key", "removed"), ("t", "email", "replaced")]


def test_the_scoring_hook_answers_value_or_none() -> None:
    """Scoring tools get what is left, or None for a removed property."""
    assert redact("note", "jo@example.org") == "[email]"
    assert redact("password", "x") is None
    assert redact("n", 5) == 5
