"""Events that change persons and groups: what they say, and in which mode."""

from __future__ import annotations

import pytest
from events import event

from otel_posthog.errors import DropEvent
from otel_posthog.identity import with_change
from otel_posthog.model import EventKind, GroupUpdate, Person, Subject
from otel_posthog.policy import IdentityMode

KNOWN = Person("u1", has_profile=True, properties={"$ip": "0.0.0.0", "$groups": {"team": "blue"}})
NOBODY = Person("installation-1", has_profile=False, properties={"$ip": "0.0.0.0"})
COMPANY = GroupUpdate("company", "acme", {"size": 5})
ALIAS = event(kind=EventKind.ALIAS, subject=Subject(user_id="u1", alias="visitor-1"))
GROUP = event(kind=EventKind.GROUP_IDENTIFY, group=COMPANY)


def test_a_product_event_is_left_alone() -> None:
    """It changes nothing, in any mode."""
    for mode in IdentityMode:
        assert with_change(KNOWN, event(), mode) is KNOWN


def test_an_alias_is_sent_as_the_earlier_id_and_names_the_present_one() -> None:
    """As posthog-python sends it; what else is known of the person goes along, its groups do not."""
    who = with_change(KNOWN, ALIAS, IdentityMode.IDENTIFIED)
    properties = {"$ip": "0.0.0.0", "distinct_id": "visitor-1", "alias": "u1"}
    assert who == Person("visitor-1", has_profile=True, properties=properties)


@pytest.mark.parametrize("alias", ["anonymous", "null", "x" * 201, None])
def test_an_alias_to_nobody_is_dropped(alias: str | None) -> None:
    """It would make one person of all who never logged in."""
    given = event(kind=EventKind.ALIAS, subject=Subject(user_id="u1", alias=alias))
    with pytest.raises(DropEvent, match="alias_invalid"):
        with_change(KNOWN, given, IdentityMode.IDENTIFIED)


def test_a_group_is_updated_by_who_acts_or_by_itself() -> None:
    """Without a user the group is its own subject, the same each time."""
    update = {"$group_type": "company", "$group_key": "acme", "$group_set": {"size": 5}}
    by_user = with_change(KNOWN, GROUP, IdentityMode.IDENTIFIED)
    assert by_user == Person("u1", has_profile=True, properties={"$ip": "0.0.0.0", **update})
    by_itself = with_change(NOBODY, GROUP, IdentityMode.IDENTIFIED)
    assert by_itself == Person("$company_acme", has_profile=True, properties={"$ip": "0.0.0.0", **update})


@pytest.mark.parametrize("kind", [EventKind.IDENTIFY, EventKind.SET, EventKind.SET_ONCE, EventKind.ALIAS])
def test_without_a_user_there_is_no_person_to_change(kind: EventKind) -> None:
    """The installation is no person."""
    with pytest.raises(DropEvent, match="person_unknown"):
        with_change(NOBODY, event(kind=kind, subject=Subject(alias="v")), IdentityMode.IDENTIFIED)


@pytest.mark.parametrize("mode", [IdentityMode.UNLINKED, IdentityMode.INSTALLATION, IdentityMode.DAILY])
@pytest.mark.parametrize("kind", [each for each in EventKind if each is not EventKind.PRODUCT])
def test_a_mode_without_persons_changes_none(kind: EventKind, mode: IdentityMode) -> None:
    """Whoever the event says it is about."""
    with pytest.raises(DropEvent, match="person_event"):
        with_change(KNOWN, event(kind=kind, group=COMPANY), mode)
