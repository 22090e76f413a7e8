"""Who an event is about."""

from __future__ import annotations

import pytest
from translated import only, signal

from otel_posthog.model import ContextIdentity


@pytest.mark.parametrize(
    "key",
    ["analytics.user.id", "user.id", "enduser.id", "enduser.pseudo.id", "posthogDistinctId", "posthog.distinct_id"],
)
def test_each_user_key_says_who(key: str) -> None:
    """Every attribute that the field uses for the user is read."""
    assert only(signal({key: "u1"})).subject.user_id == "u1"


def test_the_order_of_the_user_keys_is_the_vocabularys() -> None:
    """Our own key wins over the semantic conventions', those over the context's identity."""
    context = ContextIdentity(user_id="context", session_id="s")
    both = signal({"user.id": "semconv", "analytics.user.id": "ours"}, context=context)
    assert only(both).subject.user_id == "ours"
    assert only(signal({"user.id": "semconv"}, context=context)).subject.user_id == "semconv"
    assert only(signal({}, context=context)).subject.user_id == "context"
    assert only(signal({"user.id": " "}, context=context)).subject.user_id == "context"


@pytest.mark.parametrize(
    ("said", "context", "meant"),
    [
        (None, None, None),
        (True, None, True),
        ("granted", None, True),
        (False, True, False),
        ("no", None, False),
        ("perhaps", None, False),
        (True, False, False),
        (None, True, True),
    ],
)
def test_a_denial_anywhere_wins(said: object, context: bool | None, meant: bool | None) -> None:
    """Consent is what both say, and what is not plainly a yes is a no."""
    attributes = {} if said is None else {"analytics.consent": said}
    assert only(signal(attributes, context=ContextIdentity(consent=context))).subject.consent is meant


@pytest.mark.parametrize(
    "value", [True, 1.5, b"u1", ["u1"], {"id": "u1"}, 2**64, 10**5000], ids=lambda value: type(value).__name__
)
def test_what_is_no_id_is_counted_and_the_next_key_is_asked(value: object) -> None:
    """Ids are texts and integers of a database; anything else is a mistake that costs only itself."""
    notes: list[str] = []
    subject = only(signal({"analytics.user.id": value, "user.id": 7, "analytics.session.id": value}), notes).subject
    assert (subject.user_id, subject.session_id) == ("7", None)
    assert notes == ["user_id_invalid", "session_id_invalid"]


def test_an_empty_id_is_nobody_and_no_mistake() -> None:
    """Apps write the id of a visitor who is not logged in as an empty text."""
    notes: list[str] = []
    assert only(signal({"user.id": "", "enduser.id": " "}), notes).subject.user_id is None
    assert notes == []


@pytest.mark.parametrize("key", ["analytics.session.id", "session.id", "sessionId", "posthog.session_id"])
def test_each_session_key_names_the_session(key: str) -> None:
    """Every attribute that the field uses for the session is read, after our own."""
    assert only(signal({key: "s1"})).subject.session_id == "s1"
    ours = only(signal({key: "s1", "analytics.session.id": "ours"}, context=ContextIdentity(session_id="context")))
    assert ours.subject.session_id == "ours"


def test_groups_come_from_the_item_its_span_and_the_context() -> None:
    """The nearest word on a group type wins, and what is no group key is counted."""
    notes: list[str] = []
    context = ContextIdentity(groups={"company": "context", "team": "context", "region": "eu", "odd": 1.5})  # type: ignore[dict-item]
    parent = {"analytics.group.company": "span", "analytics.group.team": "span"}
    given = signal({"analytics.group.company": 7, "analytics.group.bad": None}, parent=parent, context=context)
    assert only(given, notes).subject.groups == {"company": "7", "team": "span", "region": "eu"}
    assert notes == ["group_key_invalid", "group_key_invalid"]
