"""Ids that an app repeats among the properties."""

from __future__ import annotations

from typing import Any

import pytest
from events import event

from otel_posthog.identity import Echo
from otel_posthog.model import GroupUpdate, Receipt, Subject


def without(properties: dict[str, Any], receipt: Receipt | None = None, **subject: Any) -> dict[str, object]:
    """Return `properties` without the ids of a subject."""
    return Echo(event(subject=Subject(**subject)), receipt or Receipt()).out_of(properties)


def test_a_repeated_id_is_replaced_wherever_it_stands() -> None:
    """Alone, nested, as a number, within a text, in a name; the receipt says where, not what."""
    receipt = Receipt()
    given = {"number": "cust-4711", "form": {"ids": ["cust-4711", 5]}, "url": "/u/cust-4711/edit", "n": 1}
    assert without(given, receipt, user_id="cust-4711") == {
        "number": "[user]",
        "form": {"ids": ["[user]", 5]},
        "url": "/u/[user]/edit",
        "n": 1,
    }
    assert receipt.entries == [(key, "user_id", "replaced") for key in ("number", "form.ids", "url")]
    assert without({"id": 471147, "ok": True}, user_id="471147") == {"id": "[user]", "ok": True}
    named = Receipt()
    assert without({"cust-4711": {"of cust-4711": 1}}, named, user_id="cust-4711") == {"[user]": {"of [user]": 1}}
    assert "4711" not in str(named.entries)


def test_sessions_groups_and_aliases_are_ids_too() -> None:
    """Each is replaced by a word that says what it was; an id that is a part of another does not spoil it."""
    given = {"s": "session-1", "g": "at acme-corp", "a": "visitor-9", "both": "acme-corp-user"}
    subject: dict[str, Any] = {
        "user_id": "acme-corp-user",
        "alias": "visitor-9",
        "session_id": "session-1",
        "groups": {"company": "acme-corp"},
    }
    assert without(given, **subject) == {"s": "[session]", "g": "at [group]", "a": "[user]", "both": "[user]"}
    update = event(group=GroupUpdate("company", "globex-inc"))
    assert Echo(update, Receipt()).out_of({"name": "globex-inc"}) == {"name": "[group]"}


def test_an_id_is_found_percent_encoded() -> None:
    """As it stands in a URL."""
    assert without({"url": "/u/auth0%7Cabc123"}, user_id="auth0|abc123") == {"url": "/u/[user]"}


@pytest.mark.parametrize(
    ("properties", "user_id"),
    [
        ({"count": 12, "text": "12"}, "12"),
        ({"text": "order 1234 of 12345"}, "1234"),
        ({"text": "anything"}, None),
        ({"flag": True}, "True"),
    ],
)
def test_what_only_looks_like_the_id_stays(properties: dict[str, object], user_id: str | None) -> None:
    """A short id is an ordinary number or word too, and only a long one is surely meant within a text."""
    assert without(properties, user_id=user_id) == properties
