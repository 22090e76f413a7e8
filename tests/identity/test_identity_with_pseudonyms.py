"""The mode `pseudonymous`: no id of a person, session or group is left in an event."""

from __future__ import annotations

import json

import pytest
from events import KEY, NOON_NS, event, ring
from telemetry import Telemetry

from otel_posthog.errors import DropEvent
from otel_posthog.identity import Pseudonyms, with_pseudonyms
from otel_posthog.model import EventKind, GroupUpdate, Subject
from otel_posthog.policy import IdentityMode, Method, PrivacyPolicy, Rule

PSEUDONYMS = Pseudonyms(keys=ring())
SUBJECT = Subject(
    user_id="u-4711",
    alias="visitor-9",
    session_id="session-1",
    window_id="window-1",
    groups={"company": "acme", "team": "acme"},
    person_set={"plan": "pro"},
)


def test_every_id_is_replaced_and_the_rest_stays() -> None:
    """User, alias, session, window and each group; properties are not this step's."""
    found = with_pseudonyms(event(subject=SUBJECT), PSEUDONYMS, pytest.fail).subject
    assert found.user_id == PSEUDONYMS.user("u-4711", NOON_NS)
    assert found.alias == PSEUDONYMS.user("visitor-9", NOON_NS)
    assert found.session_id == PSEUDONYMS.session("session-1", NOON_NS)
    assert found.window_id == PSEUDONYMS.window("window-1", NOON_NS)
    assert found.window_id != PSEUDONYMS.window("window-2", NOON_NS)
    assert found.groups == {kind: PSEUDONYMS.group(kind, "acme", NOON_NS) for kind in ("company", "team")}
    assert found.groups["company"] != found.groups["team"]
    assert found.person_set == {"plan": "pro"}


def test_a_group_that_is_updated_is_the_group_that_events_name() -> None:
    """The same pseudonym in `$groupidentify` and in `$groups`."""
    update = event(kind=EventKind.GROUP_IDENTIFY, group=GroupUpdate("company", "acme", {"size": 5}))
    found = with_pseudonyms(update, PSEUDONYMS, pytest.fail).group
    assert found == GroupUpdate("company", PSEUDONYMS.group("company", "acme", NOON_NS) or "", {"size": 5})


def test_ids_without_a_key_for_their_time_are_left_out_and_noted() -> None:
    """Fail closed, and seen: the event goes on without them."""
    notes: list[str] = []
    late = Pseudonyms(keys=ring(f"2026-07-01 {KEY}"))
    found = with_pseudonyms(event(subject=SUBJECT), late, notes.append).subject
    assert (found.user_id, found.alias, found.session_id, found.window_id, found.groups) == (None,) * 4 + ({},)
    assert notes == ["identity_key_missing"] * 6
    with pytest.raises(DropEvent, match="identity_key_missing"):
        with_pseudonyms(event(group=GroupUpdate("company", "acme")), late, notes.append)


def test_an_id_that_is_nobodys_does_not_get_a_pseudonym() -> None:
    """Else all whose id is `null` would be one person; a long id is as good as any, since its hash is short."""
    notes: list[str] = []
    found = with_pseudonyms(event(subject=Subject(user_id="null", alias=" ")), PSEUDONYMS, notes.append).subject
    assert (found.user_id, found.alias) == (None, None)
    assert notes == ["distinct_id_invalid"] * 2
    assert with_pseudonyms(event(subject=Subject(user_id="x" * 999)), PSEUDONYMS, pytest.fail).subject.user_id


MODES = [mode for mode in IdentityMode if mode.has_persons]
PERSONAL = {
    "jo.doe@example.org": "[email]",
    "company name (legal)": "company name (legal)",  # harmless, whatever words are in it
    "at 81.169.145.77": "at [ip]",
    "+49 151 23456789": "[phone]",
    "4111 1111 1111 1111": "[card]",
    "DE89370400440532013000": "[iban]",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("kind", "sent"), PERSONAL.items())
def test_the_type_of_a_group_is_filtered_as_any_name_is(kind: str, sent: str, mode: IdentityMode) -> None:
    """In an event of the group's member, and in an update of the group; its key is what it would be."""
    given = {f"analytics.group.{kind}": "acme-corp", "analytics.user.id": "u-4711-ada"}
    with Telemetry(mode, pseudonyms=PSEUDONYMS) as app:
        app.tracer.start_span("op", attributes={"analytics.event": "e", **given}).end()
        update = {"analytics.event": "$groupidentify", **given}
        app.tracer.start_span("op", attributes=update).end()
    member, group = (each["properties"] for each in app.events)
    assert list(member["$groups"]) == [group["$group_type"]] == [sent]
    assert member["$groups"][sent] == group["$group_key"]
    assert (kind in json.dumps(app.events)) is (kind == sent)


def test_a_group_whose_type_is_somebodys_id_or_may_not_leave_has_another_or_goes() -> None:
    """The id is replaced as everywhere; a rule that drops a name drops the group, and an update of it, counted."""
    rules = PrivacyPolicy(rules=(Rule(name="secret_project", keys=("skunkworks",), method=Method.DROP),))
    attributes: dict[str, str | int] = {
        "analytics.user.id": "u-4711-ada",
        "analytics.group.u-4711-ada": "x-1",
        "analytics.group.skunkworks": "moonshot",
        "analytics.group.set.skunkworks.size": 5,
    }
    for mode in MODES:
        with Telemetry(mode, pseudonyms=PSEUDONYMS, privacy=rules) as app:
            app.tracer.start_span("op", attributes={"analytics.event": "e", **attributes}).end()
        name = "u-4711-ada" if mode is IdentityMode.IDENTIFIED else "[user]"
        assert list(app.only["properties"]["$groups"]) == [name]
        assert app.dropped == {"group_invalid": 1}
