"""Ids that an app repeats among the properties."""

from __future__ import annotations

import html
import itertools
import json
import re
import unicodedata
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from events import event, ring
from telemetry import Telemetry

from otel_posthog.actor.context import user_context
from otel_posthog.identity import Pseudonyms
from otel_posthog.identity.leaked_ids import LeakedIds
from otel_posthog.model import GroupUpdate, Receipt, Subject
from otel_posthog.policy import IdentityMode


def without(properties: dict[str, Any], receipt: Receipt | None = None, **subject: Any) -> dict[str, object]:
    """Return `properties` without the ids of a subject."""
    return LeakedIds(event(subject=Subject(**subject)), receipt or Receipt()).replace_in(properties)


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
    assert LeakedIds(update, Receipt()).replace_in({"name": "globex-inc"}) == {"name": "[group]"}


def test_an_id_is_found_percent_encoded() -> None:
    """As it stands in a URL."""
    assert without({"url": "/u/auth0%7Cabc123"}, user_id="auth0|abc123") == {"url": "/u/[user]"}
    assert without({"url": "a%20%C3%A9%FF/auth0%257cABC123?%41"}, user_id="auth0|abc123") == {
        "url": "a%20%C3%A9%FF/[user]?%41"
    }


IDS = (
    "Ada.Lovelace-4711",
    'auth0|Abc/12 3&"4',
    "550E8400-E29B-41D4-A716-446655440000",
    "550e8400e29b41d4a716446655440000",
    "M\u00f8ller#\u00c5rhus \u03a3\u03a3 1",
    "\u0130stanbul-user-1",
    "0047114711",
)


def _quoted(text: str, times: int = 1) -> str:
    for _ in range(times):
        text = quote(text, safe="")
    return text


UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
WRITINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "lower case": str.lower,
    "upper case": str.upper,
    "percent-encoded": _quoted,
    "in lower-case percent codes": lambda text: _quoted(text).lower(),
    "every character percent-encoded": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "as a path": lambda text: quote(text, safe="/|:@"),
    "as a form": quote_plus,
    "with + for spaces": lambda text: text.replace(" ", "+"),
    "encoded twice": lambda text: _quoted(text, 2),
    "encoded six times": lambda text: _quoted(text.upper(), 6),
    "without dashes": lambda text: text.replace("-", "") if UUID.fullmatch(text) else text,
    "as a URN": lambda text: f"urn:uuid:{uuid.UUID(text)}" if UUID.fullmatch(text) else text,
    "in braces": lambda text: f"{{{uuid.UUID(text)}}}" if UUID.fullmatch(text) else text,
    "as HTML": html.escape,
    "as JSON": lambda text: json.dumps(text)[1:-1],
    "as PHP's JSON": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
}
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "whole": lambda text: {"analytics.number": text},
    "within a text": lambda text: {"analytics.url": f"/u/{text}/edit?x=%20&y=\u0130%C3%A9#{text}"},
    "a list in a map": lambda text: {"analytics.form": {"ids": [5, text]}},
    "JSON in a text": lambda text: {"analytics.raw": json.dumps({"number": text})},
    "a name": lambda text: {"analytics.form": {text: 1}},
    "the event's name": lambda text: {"analytics.event": f"opened {text}"},
    "an allowed attribute": lambda text: {"http.route": f"/u/{text}"},
    "beyond the cut": lambda text: {"analytics.note": "x " * 4090 + text},
}


def plainly(text: str) -> str:
    """Return `text` with everything undone that a writing may have done, so that an id in it is seen."""
    for _ in range(8):
        text = unquote_plus(text)
    text = unicodedata.normalize("NFC", html.unescape(text.replace("\\", ""))).casefold()
    return re.sub(r"[\W_]|u00|\u0307", "", text)


@pytest.mark.parametrize("writing", WRITINGS)
def test_no_spelling_of_an_id_comes_back(writing: str) -> None:
    """Wherever an app repeats it, and however; each id of a person, session, window or group, in a mode with none."""
    keys = ("analytics.user.id", "enduser.id", "analytics.session.id", "analytics.group.company", "analytics.window.id")
    with Telemetry(IdentityMode.INSTALLATION) as app:
        for place, key, given in itertools.product(PLACES, keys, IDS):
            marked = {"analytics.event": "e", key: given, **PLACES[place](WRITINGS[writing](given))}
            if key == "enduser.id":
                marked["user.id"] = "u-0815-winner"
            app.tracer.start_span("op", attributes=marked).end()
            sent = json.dumps(app.events.pop(), ensure_ascii=False)
            assert plainly(given) not in plainly(sent), (place, key, given)
            if place not in {"beyond the cut", "a name"}:
                assert re.search(r"\[(user|session|group|window)\]", sent), (place, key, given)


@pytest.mark.parametrize("mode", [mode for mode in IdentityMode if mode is not IdentityMode.IDENTIFIED])
def test_an_id_that_another_overrules_does_not_come_back(mode: IdentityMode) -> None:
    """Of the item, its span, the context and the resource, whichever of them wins."""
    keys = ("analytics.user.id", "user.id", "enduser.id", "posthogDistinctId", "session.id", "analytics.user.alias")
    of_window = ("analytics.window.id", "window.id", "analytics.property.$window_id")
    ids = {key: f"lost-{number}-4711" for number, key in enumerate((*keys, *of_window))}
    spans = {"user.id": "span-user-4711", "analytics.group.company": "span-company-4711"}
    spans["window.id"] = "span-window-4711"
    told = [
        *ids.values(),
        *spans.values(),
        "around-4711",
        "block-session-4711",
        "block-company-4711",
        "own-company-4711",
    ]
    given = {
        **ids,
        "analytics.group.company": "own-company-4711",
        "analytics.note": " ".join(told),
        "analytics.list": tuple(told),
    }
    with (
        Telemetry(mode, pseudonyms=Pseudonyms(keys=ring())) as app,
        user_context("around-4711", session_id="block-session-4711", groups={"company": "block-company-4711"}),
        app.tracer.start_as_current_span("op", attributes=spans) as span,
    ):
        span.add_event("analytics.e", given)
    event_ = next(each for each in app.events if each["event"] == "e")
    assert [each for each in told if each in json.dumps(event_)] == []


def test_a_hundred_ids_in_a_long_encoded_text_take_no_long_time() -> None:
    """Texts are looked at as often as they have ids, and no more."""
    groups = {f"type{number}": f"group/{number}/4711" for number in range(100)}
    text = quote(quote(" ".join(groups.values()) + " %C3 " * 2000, safe=""), safe="")
    assert "4711" not in str(without({"t": text}, groups=groups))


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
