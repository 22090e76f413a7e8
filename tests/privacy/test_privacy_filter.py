"""What becomes of properties: keys, nesting, JSON safety, limits, reserved names, receipts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest

from otel_posthog.model import Receipt
from otel_posthog.policy import FrozenMap, HitMethod, PrivacyPolicy
from otel_posthog.privacy import Filter

FILTER = Filter(PrivacyPolicy())


class Colour(Enum):
    """An enum with a value."""

    RED = "red"


class Telltale:
    """An object that must never be asked what it looks like."""

    def __repr__(self) -> str:
        raise AssertionError

    __str__ = __repr__


def clean(properties: Mapping[str, object], **policy: object) -> tuple[dict[str, object], list[tuple[str, str, str]]]:
    """Return the filtered properties and the receipt's entries."""
    receipt = Receipt()
    chosen = Filter(PrivacyPolicy(**policy)) if policy else FILTER  # type: ignore[arg-type]
    return chosen.properties(properties, receipt), receipt.entries


@pytest.mark.parametrize(
    "key",
    ["password", "userPassword", "API-Key", "apikey", "x.api_key", "auth", "authToken", "http.header.authorization",
     "passwords", "e-mail", "customer_email", "emailAddress", "first_name", "firstName", "date_of_birth", "PIN"],
)  # fmt: skip
def test_a_sensitive_key_is_removed(key: str) -> None:
    """A sensitive word as a whole token of the key removes the property, whatever the value."""
    assert clean({key: "x7 y"}) == ({}, [(key, "sensitive_key", "removed")])


@pytest.mark.parametrize(
    ("key", "value"),
    [("author", "jo"), ("authority", "x"), ("token_count", 12), ("tokens_used", 512), ("gen_ai.usage.input_tokens", 9),
     ("has_password", True), ("password", None), ("auth_method", "api_key"), ("email_verified", False), ("pinned", "x"),
     ("emails", 3), ("email.status", "sent"), ("mobile_app", "x"), ("server.address", "db.internal"), ("spin", 3),
     ("ip_address", "10.0.0.1"), ("next_page_token", "abc"), ("mailbox", "x"), ("password_length", 12)],
)  # fmt: skip
def test_a_key_that_only_sounds_sensitive_keeps_its_value(key: str, value: object) -> None:
    """Parts of words, counts, flags and kinds of things stay, with their type."""
    assert clean({key: value}) == ({key: value}, [])


@pytest.mark.parametrize("value", [1234, 1234.5, "abc", ["x"], {"a": 1}, b"abc"])
def test_a_secret_of_any_type_goes_with_its_key(value: object) -> None:
    """A PIN is as secret as a number, in a list or in bytes."""
    assert clean({"pin": value})[0] == {}


def test_nested_values_are_filtered_wherever_they_hide() -> None:
    """Maps, lists, JSON in strings and bytes are opened, their keys judged."""
    out, entries = clean(
        {
            "map": {"deep": {"password": "x", "n": 1}},
            "list": ["jo@example.org", {"token": "x"}, 1],
            "json": '{"a": {"first_name": "Jan"}, "b": "jo@example.org", "n": 1.50}',
            "bytes": b"to jo@example.org",
            "args": ("app", "--password", "hunter2"),
        }
    )
    assert out == {
        "map": {"deep": {"n": 1}},
        "list": ["[email]", {}, 1],
        "json": '{"a": {"first_name": "[redacted]"}, "b": "[email]", "n": 1.5}',
        "bytes": "to [email]",
        "args": ["app", "--password", "[redacted]"],
    }
    assert entries == [
        ("map.deep.password", "sensitive_key", "removed"),
        ("list.0", "email", "replaced"),
        ("list.1.token", "sensitive_key", "removed"),
        ("json.a.first_name", "sensitive_key", "replaced"),
        ("json.b", "email", "replaced"),
        ("bytes", "email", "replaced"),
        ("args.2", "sensitive_key", "replaced"),
    ]


def test_a_repeated_key_in_json_hides_nothing() -> None:
    """Of a key that stands twice in a JSON text only what was looked at goes on."""
    assert clean({"j": '{"x":"Jan Doe, jo@example.org","x":"ok"}'})[0] == {"j": '{"x":"ok"}'}


def test_untouched_json_text_keeps_its_spelling() -> None:
    """A JSON text in which nothing is found is not rewritten."""
    text = '{ "a" : [1.50, "x\\u0041"] }'
    assert clean({"j": text}) == ({"j": text}, [])


def test_personal_data_in_keys_shows_nowhere() -> None:
    """A key that is an address becomes its marker, in the output and in the receipt, and two of them stay two."""
    out, entries = clean({"by": {"jo@example.org": 1, "kim@example.org": 2}, "jo@example.org": "x@y.org"})
    assert out == {"by": {"[email]": 1, "[email]_2": 2}, "[email]": "[email]"}
    assert "jo@" not in repr(entries)
    assert ("by.[email]", "email", "replaced") in entries


def test_values_become_json_safe() -> None:
    """Known types become JSON; what has no JSON form is removed and noted, never printed."""
    moment = datetime(2024, 1, 2, tzinfo=timezone.utc)
    out, entries = clean(
        {
            "nan": float("nan"),
            "inf": [float("-inf"), 1],
            "bad": b"\xff\xfe",
            "obj": Telltale(),
            "keys": {1: "a", None: "b", Telltale(): "c"},
            "tuple": (1, (2,)),
            "when": moment,
            "uuid": UUID(int=5),
            "dec": Decimal("1.50"),
            "enum": Colour.RED,
            "huge": 10**400,
        }
    )
    assert out == {
        "inf": [1],
        "keys": {"1": "a", "None": "b", "[key]": "c"},
        "tuple": [1, [2]],
        "when": moment.isoformat(),
        "uuid": str(UUID(int=5)),
        "dec": 1.5,
        "enum": "red",
    }
    assert {(key, rule) for key, rule, _ in entries} == {
        ("nan", "not_finite"), ("inf.0", "not_finite"), ("bad", "not_json"), ("obj", "not_json"), ("huge", "not_json"),
    }  # fmt: skip
    json.dumps(out, allow_nan=False)


def test_depth_width_and_number_are_bounded() -> None:
    """What is beyond the policy's limits goes, and the receipt says so."""
    out, entries = clean(
        {"deep": [[["x"]]], "wide": [1, 2, 3], "last": 1, "over": 2}, max_depth=2, max_items=2, max_properties=3
    )
    assert out == {"deep": [[]], "wide": [1, 2], "last": 1}
    assert entries == [
        ("deep.0.0", "max_depth", "removed"), ("wide", "max_items", "truncated"), ("over", "max_properties", "removed"),
    ]  # fmt: skip


def test_a_structure_that_holds_itself_ends() -> None:
    """A cycle, and a map that holds itself many times over, cost a bounded number of values."""
    cycle: dict[str, object] = {}
    cycle.update({f"k{index}": cycle for index in range(100)})
    out, entries = clean({"c": cycle})
    assert len(entries) < 30_000
    assert len(json.dumps(out)) < 1_000_000


def test_long_text_is_cut_after_a_look_beyond_the_cut() -> None:
    """No address, key or token is cut in two and left: every offset around the limit is tried."""
    secret = "gh" + "p_" + "a1B2" * 9
    for value in ("joanna@example.org", secret, "4111 1111 1111 1111", "https://ann:hunter22@h.example/"):
        for shift in range(60):
            out, entries = clean({"t": "w " * 20 + "x" * shift + " " + value + " y" * 600}, max_string_chars=80)
            text = out["t"]
            assert isinstance(text, str)
            assert len(text) <= 80
            assert ("t", "max_string_chars", "truncated") in entries
            for part in ("joanna", "a1B2", "4111", "hunter"):
                assert part not in text


def test_what_a_cut_leaves_was_all_looked_at() -> None:
    """Hits that shrink what comes before them do not draw half a secret from behind the limit into the text."""
    for shift in range(60):
        text = "x" * shift + (" " + "q" * 48 + "@example.org") * 80
        kept = clean({"t": text}, max_string_chars=80)[0]["t"]
        assert "q" not in str(kept)


@pytest.mark.parametrize(
    "name",
    ["$set", "$set_once", "$unset", "$groups", "$group_0", "$ip", "$session_id", "$window_id", "$device_id", "$user_id",
     "distinct_id", "$process_person_profile", "$anon_distinct_id", "$geoip_city_name", "$geoip_disable",
     "$ignore_sent_at", "$cookieless_mode", "token"],
)  # fmt: skip
def test_an_app_cannot_set_what_posthog_acts_on(name: str) -> None:
    """A reserved name at the top level is removed under the rule `reserved`."""
    assert clean({name: "x"}) == ({}, [(name, "reserved", "removed")])


def test_other_dollar_names_stay_but_filtered() -> None:
    """`$current_url` and its like are properties as any other."""
    out, _ = clean({"$current_url": "https://a.example/?token=abc&x=1", "$browser": "Firefox"})
    assert out == {"$current_url": "https://a.example/?token=[secret]&x=1", "$browser": "Firefox"}


def test_telemetry_passes_the_allow_list_first_and_silently() -> None:
    """Only allowed keys get through, their values filtered; the rest leaves no trace in the receipt."""
    receipt = Receipt()
    out = FILTER.telemetry({"http.route": "/u/jo@example.org", "url.full": "x", "user.id": "7"}, receipt)
    assert out == {"http.route": "/u/[email]"}
    assert receipt.entries == [("http.route", "email", "replaced")]


def test_an_event_name_is_filtered() -> None:
    """An address in an event's name is replaced and noted under `event`."""
    receipt = Receipt()
    assert FILTER.name("signup jo@example.org", receipt) == "signup [email]"
    assert receipt.entries == [("event", "email", "replaced")]


@pytest.mark.parametrize(
    ("key", "value", "left"),
    [
        ("email", "jane doe <jane@example.org>", None),
        ("email", "mail from jane doe jane@example.org", None),
        ("email", "Customer said it is jane@example.org, please update", "Customer said it is [email], please update"),
        ("contraseña", "abc12345", None),
        ("userTelefon", "5321234567", None),
        ("msisdn", "5321234567", None),
        ("callerId", "5321234567", "[phone]"),
        ("email_domain", "example.com", "example.com"),
        ("address_family", "inet", "inet"),
        ("app.screen.name", "MainActivity", "MainActivity"),
    ],
)
def test_a_key_of_any_spelling_decides_and_doubt_hides(key: str, value: str, left: str | None) -> None:
    """Words of other languages count, a name in lower case goes with the address, and terms of art stay."""
    assert FILTER.properties({key: value}, Receipt()).get(key) == left


@pytest.mark.parametrize(
    "text",
    [
        "passport =a.b/://'01-02-DE89%25@x.de\\u0040PRIVATE KEY-----Z",
        "+49 301234567 5321234567",
        "phone +49 301234567/5321234567",
    ],
)
def test_a_marker_is_no_word_of_the_text_around_it(text: str) -> None:
    """What follows a marker is not read as what the marker's name announces: one pass is enough."""
    once = FILTER.properties({"k": text}, Receipt())
    assert FILTER.properties(once, Receipt()) == once


def test_detectors_that_are_off_still_know_what_a_sensitive_key_hides() -> None:
    """Under a sensitive key the words around stay only as far as the whole set of detectors vouches for them."""
    off = Filter(PrivacyPolicy(detectors=FrozenMap(dict.fromkeys(PrivacyPolicy().detectors, HitMethod.OFF))))
    left = off.properties({"email": "please mail to jane@example.org now", "phone": "+49 301234567"}, Receipt())
    assert left == {"email": "please mail to [email] now"}
