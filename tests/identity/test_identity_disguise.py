"""The mode `pseudonymous`: no id of a person, session or group is left in an event."""

from __future__ import annotations

import pytest
from events import KEY, NOON_NS, event, ring

from otel_posthog.errors import DropEvent
from otel_posthog.identity import Pseudonyms, disguised
from otel_posthog.model import EventKind, GroupUpdate, Subject

PSEUDONYMS = Pseudonyms(keys=ring())
SUBJECT = Subject(
    user_id="u-4711",
    alias="visitor-9",
    session_id="session-1",
    groups={"company": "acme", "team": "acme"},
    person_set={"plan": "pro"},
)


def test_every_id_is_replaced_and_the_rest_stays() -> None:
    """User, alias, session and each group; properties are not this step's."""
    found = disguised(event(subject=SUBJECT), PSEUDONYMS, pytest.fail).subject
    assert found.user_id == PSEUDONYMS.user("u-4711", NOON_NS)
    assert found.alias == PSEUDONYMS.user("visitor-9", NOON_NS)
    assert found.session_id == PSEUDONYMS.session("session-1", NOON_NS)
    assert found.groups == {kind: PSEUDONYMS.group(kind, "acme", NOON_NS) for kind in ("company", "team")}
    assert found.groups["company"] != found.groups["team"]
    assert found.person_set == {"plan": "pro"}


def test_a_group_that_is_updated_is_the_group_that_events_name() -> None:
    """The same pseudonym in `$groupidentify` and in `$groups`."""
    update = event(kind=EventKind.GROUP_IDENTIFY, group=GroupUpdate("company", "acme", {"size": 5}))
    found = disguised(update, PSEUDONYMS, pytest.fail).group
    assert found == GroupUpdate("company", PSEUDONYMS.group("company", "acme", NOON_NS) or "", {"size": 5})


def test_ids_without_a_key_for_their_time_are_left_out_and_noted() -> None:
    """Fail closed, and seen: the event goes on without them."""
    notes: list[str] = []
    late = Pseudonyms(keys=ring(f"2026-07-01 {KEY}"))
    found = disguised(event(subject=SUBJECT), late, notes.append).subject
    assert (found.user_id, found.alias, found.session_id, found.groups) == (None, None, None, {})
    assert notes == ["identity_key_missing"] * 5
    with pytest.raises(DropEvent, match="identity_key_missing"):
        disguised(event(group=GroupUpdate("company", "acme")), late, notes.append)


def test_an_id_that_is_nobodys_does_not_get_a_pseudonym() -> None:
    """Else all whose id is `null` would be one person; a long id is as good as any, since its hash is short."""
    notes: list[str] = []
    found = disguised(event(subject=Subject(user_id="null", alias=" ")), PSEUDONYMS, notes.append).subject
    assert (found.user_id, found.alias) == (None, None)
    assert notes == ["distinct_id_invalid"] * 2
    assert disguised(event(subject=Subject(user_id="x" * 999)), PSEUDONYMS, pytest.fail).subject.user_id
