"""A user's id that an app repeats among the properties."""

from __future__ import annotations

import pytest

from otel_posthog.identity import without_user_id
from otel_posthog.model import Receipt


def test_a_repeated_id_is_replaced_wherever_it_stands() -> None:
    """Alone, nested, as a number and within a text; the receipt says where, not what."""
    receipt = Receipt()
    given = {"number": "cust-4711", "form": {"ids": ["cust-4711", 5]}, "url": "/u/cust-4711/edit", "n": 1}
    assert without_user_id(given, "cust-4711", receipt) == {
        "number": "[user]",
        "form": {"ids": ["[user]", 5]},
        "url": "/u/[user]/edit",
        "n": 1,
    }
    assert receipt.entries == [(key, "user_id", "replaced") for key in ("number", "form.ids", "url")]
    assert without_user_id({"id": 471147, "ok": True}, "471147", Receipt()) == {"id": "[user]", "ok": True}


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
    assert without_user_id(properties, user_id, Receipt()) == properties
