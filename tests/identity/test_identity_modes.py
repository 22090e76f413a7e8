"""Who an event is sent as, mode by mode."""

from __future__ import annotations

import pytest

from otel_posthog.identity import person
from otel_posthog.model import Person, Subject
from otel_posthog.policy import IdentityMode

TIME_NS = 1_767_323_045 * 10**9
SESSION = "019b7ca7-d388-7000-8000-000000000001"  # UUIDv7 of the same second
SUBJECT = Subject(
    user_id="u1",
    session_id=SESSION,
    groups={"company": "acme"},
    person_set={"plan": "pro"},
    person_set_once={"source": "ads"},
)


def sent_as(subject: Subject, mode: IdentityMode, notes: list[str] | None = None) -> Person:
    """Return who an event about `subject` is sent as."""
    note = (notes if notes is not None else []).append
    return person(subject, mode, installation_id="installation-1", time_ns=TIME_NS, note=note)


def test_anonymous_uses_nothing_of_the_subject() -> None:
    """No user, session, group, person or IP address: the installation, without a profile."""
    who = sent_as(SUBJECT, IdentityMode.ANONYMOUS)
    assert who == Person("installation-1", has_profile=False, properties={"$ip": "0.0.0.0"})


def test_identified_carries_the_user_person_groups_and_session() -> None:
    """The user id as it is, with what PostHog keeps of a person."""
    who = sent_as(SUBJECT, IdentityMode.IDENTIFIED)
    assert (who.distinct_id, who.has_profile) == ("u1", True)
    assert who.properties == {
        "$ip": "0.0.0.0",
        "$session_id": SESSION,
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
