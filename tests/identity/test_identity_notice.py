"""What people are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otel_posthog.identity import mismatch_line, notice_box, notice_text, start_line
from otel_posthog.policy import (
    Collection,
    CollectionPolicy,
    Destination,
    FrozenMap,
    HitMethod,
    IdentityMode,
    InstallationRotation,
    Method,
    Policy,
    PrivacyPolicy,
    Rule,
)

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


USER_IDS = "carry the ids of users"
SAYS = {
    IdentityMode.UNLINKED: ("nothing in it says which events come from the same user or the same installation",),
    IdentityMode.INSTALLATION: ("an id that stands for this installation and stays the same", "no user ids"),
    IdentityMode.DAILY: ("ids that change every day", "no user ids", "an id that stands for this installation"),
    IdentityMode.PSEUDONYMOUS: ("pseudonyms in place of the ids of users", "an id that stands for this installation"),
    IdentityMode.IDENTIFIED: (USER_IDS, "an id that stands for this installation"),
}


@pytest.mark.parametrize("mode", list(IdentityMode))
def test_the_notice_says_what_is_true_of_each_mode(mode: IdentityMode) -> None:
    """No mode but the one without any id is told as if it had none, and none is called anonymous."""
    text = notice_text(POLICY.with_identity(mode))
    assert [words for words in SAYS[mode] if words not in text] == []
    assert "anonym" not in text
    assert (USER_IDS in text) is (mode is IdentityMode.IDENTIFIED)
    assert ("stays the same" in text) is (mode is not IdentityMode.UNLINKED)


@pytest.mark.parametrize(("rotation", "says"), [("yearly", "year"), ("monthly", "month"), ("weekly", "week")])
def test_the_notice_says_how_often_the_installations_id_changes(rotation: str, says: str) -> None:
    """In every mode that sends it."""
    for mode in IdentityMode:
        policy = replace(POLICY.with_identity(mode), installation_rotation=InstallationRotation(rotation))
        assert (f"changes every {says}" in notice_text(policy)) is (mode is not IdentityMode.UNLINKED)
        assert "stays the same" not in notice_text(policy)


def test_the_notice_tells_of_destinations_that_something_is_sent_to() -> None:
    """One without a key tells nothing of anybody; where none has one, the text says that nothing is sent."""
    operator = Destination(name="o", identity=IdentityMode.IDENTIFIED)
    vendor = Policy(destinations=(Destination(name="v", api_key="phc_v"), operator))
    assert USER_IDS not in notice_text(vendor)
    assert USER_IDS in notice_text(replace(vendor, destinations=(*vendor.destinations, replace(operator, api_key="x"))))
    assert "it sends none" in notice_text(Policy())
    assert "it sends none" not in notice_text(vendor)


PROMISED = {
    "email": "e-mail",
    "phone": "phone number",
    "card": "card number",
    "iban": "bank account",
    "ip": "public IP address",
    "secret": "a key",
}


@pytest.mark.parametrize(("detector", "words"), PROMISED.items())
@pytest.mark.parametrize("how", ["off", "missing", "a rule keeps some", "at another destination", "a part stays"])
def test_the_notice_promises_no_detector_that_is_off_somewhere(detector: str, words: str, how: str) -> None:
    """Whichever way it is off, and for whichever destination; the others are still named."""
    privacy = PrivacyPolicy()
    on = {name: method for name, method in privacy.detectors.items() if name != detector}
    weaker = {
        "off": replace(privacy, detectors=FrozenMap({**on, detector: HitMethod.OFF})),
        "missing": replace(privacy, detectors=FrozenMap(on)),
        "at another destination": replace(privacy, detectors=FrozenMap(on)),
        "a rule keeps some": replace(privacy, rules=(Rule(detector=detector, method=Method.KEEP, keys=("sender",)),)),
        "a part stays": replace(privacy, detectors=FrozenMap({**on, detector: HitMethod.IP_PREFIX})),
    }[how]
    policy = replace(POLICY, privacy=weaker)
    if how == "at another destination":
        policy = replace(
            POLICY, destinations=(*POLICY.destinations, Destination(name="b", api_key="phc_b", privacy=weaker))
        )
    assert words in notice_text(POLICY)
    assert words not in notice_text(policy)
    assert [each for each in PROMISED.values() if each != words and each not in notice_text(policy)] == []
    keyless = replace(POLICY, destinations=(*POLICY.destinations, Destination(name="b", privacy=weaker)))
    assert words in notice_text(keyless)


@pytest.mark.parametrize(
    "weaker",
    [
        replace(PrivacyPolicy(), sensitive_keys=frozenset({"nickname"})),
        replace(PrivacyPolicy(), rules=(Rule(keys=("pass*",), method=Method.KEEP),)),
        replace(PrivacyPolicy(), rules=(Rule(words=("password",), method=Method.MASK, keep_last=4),)),
    ],
)
def test_the_notice_promises_no_passwords_where_their_key_is_let_through(weaker: PrivacyPolicy) -> None:
    """By an empty list, by a rule that keeps them, by one that keeps a part."""
    assert "a password" in notice_text(POLICY)
    assert "a password" not in notice_text(replace(POLICY, privacy=weaker))


def test_the_notice_promises_nothing_where_every_filter_is_off() -> None:
    """There is no sentence then."""
    privacy = replace(PrivacyPolicy(), detectors=FrozenMap(), sensitive_keys=frozenset())
    assert "removed" not in notice_text(replace(POLICY, privacy=privacy))


def test_the_box_is_a_box() -> None:
    """Every line is as wide as the frame, and fits a terminal of 80 columns."""
    widths = {len(line) for line in notice_box(POLICY).splitlines()}
    assert widths == {76}


def test_a_browser_half_that_differs_is_reported() -> None:
    """Against the mode in force here, whoever has decided on it: a variable, the policy, or nobody."""
    name = "NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS"
    for mode in IdentityMode:
        policy = POLICY.with_identity(mode)
        is_kept = mode is IdentityMode.IDENTIFIED
        for word, keeps in (("true", False), ("1", False), (" False ", True), ("no", True)):
            line = mismatch_line(policy, {name: word})
            assert (line is None) == (keeps is is_kept), (mode, word)
            if line is not None:
                assert line.startswith(f"ANALYTICS_ANONYMIZE_USER_IDS and {name} differ")
        assert mismatch_line(policy, {"ANALYTICS_ANONYMIZE_USER_IDS": "true"}) is None
        assert mismatch_line(policy, {name: " "}) is None
    assert mismatch_line(POLICY, {name: "hunter2"}) == (
        f"{name} must be true or false: nobody knows what the browser's half does with user ids"
    )


def test_a_terminal_without_such_characters_gets_a_plain_frame() -> None:
    """The text is the same, and can be written."""
    fancy, plain = notice_box(POLICY), notice_box(POLICY, encoding="ascii")
    plain.encode("ascii")
    assert plain.splitlines()[0] == f"+{'-' * 74}+"
    assert [line.strip("│ ") for line in fancy.splitlines()[1:-1]] == [
        line.strip("| ") for line in plain.splitlines()[1:-1]
    ]
    assert notice_box(POLICY, encoding="no-such-encoding") == plain
