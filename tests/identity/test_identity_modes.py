"""Who an event is sent as, mode by mode."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from events import DAY_NS, NOON_NS, Clock

from otel_posthog.identity import DailySalts, Pseudonyms, person
from otel_posthog.model import Person, Subject
from otel_posthog.policy import IdentityMode

SESSION = "019b7ca7-d388-7000-8000-000000000001"  # UUIDv7 of the morning before NOON_NS
SUBJECT = Subject(
    user_id="u1",
    session_id=SESSION,
    window_id="window-1",
    groups={"company": "acme"},
    person_set={"plan": "pro"},
    person_set_once={"source": "ads"},
)


def sent_as(
    subject: Subject,
    mode: IdentityMode,
    notes: list[str] | None = None,
    *,
    pseudonyms: Pseudonyms | None = None,
    time_ns: int = NOON_NS,
) -> Person:
    """Return who an event about `subject` is sent as."""
    note = (notes if notes is not None else []).append
    return person(subject, mode, installation_id="installation-1", time_ns=time_ns, note=note, pseudonyms=pseudonyms)


def test_anonymous_uses_nothing_of_the_subject() -> None:
    """No user, session, group, person or IP address: the installation, without a profile."""
    who = sent_as(SUBJECT, IdentityMode.INSTALLATION)
    assert who == Person("installation-1", has_profile=False, properties={"$ip": "0.0.0.0"})


def test_identified_carries_the_user_person_groups_and_session() -> None:
    """The user id as it is, with what PostHog keeps of a person."""
    who = sent_as(SUBJECT, IdentityMode.IDENTIFIED)
    assert (who.distinct_id, who.has_profile) == ("u1", True)
    assert who.properties == {
        "$ip": "0.0.0.0",
        "$session_id": SESSION,
        "$window_id": "window-1",
        "$groups": {"company": "acme"},
        "$set": {"plan": "pro"},
        "$set_once": {"source": "ads"},
    }


def test_identified_without_a_user_is_the_installation_without_a_profile() -> None:
    """An event of nobody makes no person, and sets none's properties."""
    who = sent_as(Subject(person_set={"plan": "pro"}), IdentityMode.IDENTIFIED)
    assert (who.distinct_id, who.has_profile) == ("installation-1", False)
    assert "$set" not in who.properties


@pytest.mark.parametrize("user_id", ["anonymous", "NULL", "0", "undefined", "system", '"guest"', "x" * 201])
def test_an_id_that_posthog_refuses_is_counted_and_not_sent(user_id: str) -> None:
    """Ids that would merge all users into one are a programming mistake, not a user."""
    notes: list[str] = []
    assert sent_as(Subject(user_id=user_id), IdentityMode.IDENTIFIED, notes).distinct_id == "installation-1"
    assert notes == ["distinct_id_invalid"]


@pytest.mark.parametrize(
    "session_id",
    [
        "abc",
        "6f1b2c3d-1111-4222-8333-444455556666",  # version 4
        "019b8d00-0000-7000-8000-000000000001",  # after the event
        "019b6000-0000-7000-8000-000000000001",  # more than a day before it
    ],
)
def test_a_session_that_posthog_would_refuse_is_an_ordinary_property(session_id: str) -> None:
    """Only a UUIDv7 of the last 24 hours is `$session_id`."""
    properties = sent_as(Subject(user_id="u1", session_id=session_id), IdentityMode.IDENTIFIED).properties
    assert properties["session_id"] == session_id
    assert "$session_id" not in properties


PSEUDONYM = f"user-{'0' * 32}"
TODAY, YESTERDAY = f"daily-20260102-{'0' * 32}", f"daily-20260101-{'0' * 32}"


def test_daily_is_the_day_and_a_hash_and_nothing_else(tmp_path: Path) -> None:
    """Users of a day are told apart; no session, group, person or IP address."""
    pseudonyms = Pseudonyms(salts=DailySalts(tmp_path, Clock()))
    who = sent_as(SUBJECT, IdentityMode.DAILY, pseudonyms=pseudonyms)
    assert re.fullmatch(r"daily-20260102-[0-9a-f]{32}", who.distinct_id)
    assert who == Person(who.distinct_id, has_profile=False, properties={"$ip": "0.0.0.0"})
    assert who == sent_as(Subject(user_id=" u1 "), IdentityMode.DAILY, pseudonyms=pseudonyms)
    assert who.distinct_id != sent_as(Subject(user_id="u2"), IdentityMode.DAILY, pseudonyms=pseudonyms).distinct_id


def test_a_long_id_is_as_good_as_any_where_it_is_hashed(tmp_path: Path) -> None:
    """What PostHog would cut, it never gets."""
    pseudonyms = Pseudonyms(salts=DailySalts(tmp_path, Clock()))
    who = sent_as(Subject(user_id="x" * 999), IdentityMode.DAILY, pseudonyms=pseudonyms)
    assert who.distinct_id.startswith("daily-")


def test_daily_links_nothing_across_days(tmp_path: Path) -> None:
    """The same user has another id the next day, not by the date in front of it alone."""
    clock = Clock()
    pseudonyms = Pseudonyms(salts=DailySalts(tmp_path, clock))
    found = []
    for day in range(3):
        who = sent_as(SUBJECT, IdentityMode.DAILY, pseudonyms=pseudonyms, time_ns=NOON_NS + day * DAY_NS)
        found.append(who.distinct_id.rpartition("-")[2])
        clock.pass_by(days=1)
    assert len(set(found)) == 3


def test_an_event_whose_salt_is_gone_is_counted_and_sent_without_a_user(tmp_path: Path) -> None:
    """A replay of a past day cannot be told whose it was any more, and is not given another id of today's."""
    notes: list[str] = []
    pseudonyms = Pseudonyms(salts=DailySalts(tmp_path, Clock()))
    who = sent_as(SUBJECT, IdentityMode.DAILY, notes, pseudonyms=pseudonyms, time_ns=NOON_NS - DAY_NS)
    assert who.distinct_id == "installation-1"
    assert notes == ["daily_salt_gone"]


@pytest.mark.parametrize(
    ("mode", "handed_on", "sent"),
    [
        (IdentityMode.INSTALLATION, PSEUDONYM, "installation-1"),
        (IdentityMode.DAILY, TODAY, TODAY),
        (IdentityMode.DAILY, YESTERDAY, "installation-1"),
        (IdentityMode.PSEUDONYMOUS, PSEUDONYM, PSEUDONYM),
        (IdentityMode.PSEUDONYMOUS, TODAY, "installation-1"),
        (IdentityMode.IDENTIFIED, PSEUDONYM, PSEUDONYM),
        (IdentityMode.IDENTIFIED, TODAY, "installation-1"),
        (IdentityMode.IDENTIFIED, "ada", "installation-1"),
    ],
)
def test_a_pseudonym_that_another_service_sent(mode: IdentityMode, handed_on: str, sent: str) -> None:
    """It is used as it is where the mode has such ids; it never makes a profile, and an id of one's own wins."""
    subject = Subject(pseudonym=handed_on, person_set={"plan": "pro"})
    who = sent_as(subject, mode)
    assert (who.distinct_id, who.has_profile) == (sent, False)
    assert "$set" not in who.properties
    known = sent_as(subject._replace(user_id="u1"), IdentityMode.IDENTIFIED)
    assert known.distinct_id == "u1"


def test_a_lasting_pseudonym_is_hashed_again_for_the_day(tmp_path: Path) -> None:
    """In the mode `daily` nothing that lasts longer than the day is sent."""
    pseudonyms = Pseudonyms(salts=DailySalts(tmp_path, Clock()))
    who = sent_as(Subject(pseudonym=PSEUDONYM), IdentityMode.DAILY, pseudonyms=pseudonyms)
    assert who.distinct_id == pseudonyms.daily(PSEUDONYM, NOON_NS)
