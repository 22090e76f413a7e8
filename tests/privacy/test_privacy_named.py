"""A secret whose name is no key of its own: grown together with other words, or standing beside the value."""

from __future__ import annotations

import json

import pytest

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import Receipt
from otel_posthog.operational import Redactor
from otel_posthog.policy import OperationalPolicy, PrivacyPolicy, Rule
from otel_posthog.privacy import Filter

FILTER = Filter(PrivacyPolicy())
PLANTED = "hunter2pw"


def both_sides(given: dict[str, object], filter_: Filter = FILTER) -> list[object]:
    """Return what each side leaves of properties, or attributes of an item."""
    redactor = Redactor(OperationalPolicy(), filter_, Guard(Health()))
    return [filter_.properties(given, Receipt()), redactor.attributes(given)]


JOINED = ["dbpassword", "newpassword", "clientsecret", "apitoken", "PGPASSWORD", "MYSQL_PWD", "SSHPASS", "googleApikey",
          "awssecretaccesskey", "rootpw", "dbpasswords", "oldpasswd", "benutzerpasswort", "idtoken"]  # fmt: skip


@pytest.mark.parametrize("key", JOINED)
def test_a_credential_at_the_end_of_a_longer_word_is_one(key: str) -> None:
    """As a key of a property, of a map, of JSON, and before `=`, `:` or `=>` in a text."""
    forms: list[object] = [
        {key: PLANTED}, json.dumps({"a": {key: PLANTED}}), f"{key}={PLANTED}", f"run {key}: {PLANTED} now",
        f"{key} => '{PLANTED}'", f"--{key} {PLANTED}",
    ]  # fmt: skip
    for left in (*both_sides({key: PLANTED}), *(each for form in forms for each in both_sides({"note": form}))):
        assert PLANTED not in repr(left)


@pytest.mark.parametrize(
    "key",
    ["bypass", "compass", "pagetoken", "nextpagetoken", "subtoken", "tokenizer", "secretary", "passwordless", "monkey",
     "OLDPWD", "keyboard", "tokens_used"],
)  # fmt: skip
def test_a_word_that_only_ends_alike_is_none(key: str) -> None:
    """Parts of other words, and terms of art, stay words like any other."""
    given = {key: 7, "note": f"{key}=plainword"}
    assert both_sides(given) == [given, given]


SHAPES: dict[str, object] = {
    "a name and a value": {"name": "password", "value": PLANTED},
    "a key and a value": {"Key": "api_key", "Value": PLANTED},
    "short names": {"k": "secret", "v": PLANTED},
    "headers": [{"name": "Host", "value": "x"}, {"name": "Authorization", "value": PLANTED}],
    "a field that changed": {"field": "password", "old_value": PLANTED, "new_value": PLANTED},
    "an attribute of OTLP": {"key": "password", "value": {"stringValue": PLANTED}},
    "a pair": ["password", PLANTED],
    "a pair of a number": ["pin", 4711],
    "a pair of a short value": ["password", "x"],
    "pairs": [["host", "x"], ["password", "correcthorse"]],
    "tuples": [("host", "x"), ("password", "correcthorse")],
    "tuples of bytes": [(b"host", b"x"), (b"authorization", b"correcthorse")],
}


@pytest.mark.parametrize("what", SHAPES)
@pytest.mark.parametrize("form", ["as it is", "JSON", "within", "JSON in JSON"])
def test_a_name_beside_its_value_is_read_as_its_key(what: str, form: str) -> None:
    """Maps of a name and a value, pairs and lists of pairs, wherever they stand: the value goes, the name stays."""
    shape = SHAPES[what]
    if form == "within":
        shape = {"a": [{"b": shape}]}
    elif form == "JSON":
        shape = json.dumps(shape, default=bytes.decode)
    elif form == "JSON in JSON":
        shape = json.dumps({"a": json.dumps(shape, default=bytes.decode)})
    for left in both_sides({"note": shape}):
        assert PLANTED not in repr(left)
        assert "correcthorse" not in repr(left)
        assert "4711" not in repr(left)
        assert "'x']" not in repr(left) or "host" in repr(left)
        assert any(name in repr(left).lower() for name in ("password", "authorization", "secret", "key", "pin"))


@pytest.mark.parametrize(
    "given",
    [
        {"name": "password", "value": PLANTED},
        {"form.field": "password", "form.value": PLANTED},
        {"header.1.key": "authorization", "header.1.value": PLANTED},
        {"paramName": "api_key", "paramValue": PLANTED},
    ],
)
def test_a_name_and_its_value_in_two_attributes_of_one_item(given: dict[str, object]) -> None:
    """What is beside it in the same item names a value as well, whatever was harmless by itself before."""
    redactor = Redactor(OperationalPolicy(), FILTER, Guard(Health()))
    *_, value = given
    assert redactor.attributes({value: PLANTED}) == {value: PLANTED}
    assert PLANTED not in repr(redactor.attributes(given))
    assert PLANTED not in repr(FILTER.properties(given, Receipt()))


@pytest.mark.parametrize(
    "value",
    [
        {"name": "colour", "value": "red"},
        {"name": "password", "value": None},
        {"label": "token_count", "value": 5120},
        ["password", "otp"],
        ["email", "profile"],
        [["width", 12], ["height", 7]],
        ["password", True],
        {"value": PLANTED},
        [("a", "b", "c")],
    ],
)
def test_what_names_nothing_sensitive_stays(value: object) -> None:
    """Other names, lists of names, counts and flags are the same objects on the operational side."""
    given = {"note": value}
    properties, attributes = both_sides(given)
    assert json.dumps(properties) == json.dumps(given)
    assert attributes is given


def test_a_rule_holds_for_a_value_that_is_named_beside() -> None:
    """A rule of the policy picks a value by the name that stands beside it, too."""
    ruled = Filter(PrivacyPolicy(rules=(Rule(keys=("salary",)),)))
    for left in both_sides({"note": {"name": "salary", "value": 61250}}, ruled):
        assert "61250" not in repr(left)


DOTTED = ["api.key", "aws.secret.access.key", "private.key", "secret.key", "db.pass", "x.API.Key",
          "Client.Secret.value", "password.hash", "spring.datasource.password", "auth.key"]  # fmt: skip
DOTTED_OF_PEOPLE = ["user.name", "first.name", "zip.code", "date.of.birth", "account.number", "user.id", "session.id"]
JOINS = ["{}=\x00", 'cfg {{"{}": "\x00"}}', "cfg {{'{}': '\x00'}}", "/a?{}=\x00&b=1", "run --{}=\x00 x", "--{} \x00",
         "java -D{}=\x00 x", "<{0}>\x00</{0}>", '<x name="{}" value="\x00">', "[('{}', '\x00')]", "{} := \x00",
         "WHERE [{}] = '\x00'", '{{"{}":"\x00"}}']  # fmt: skip


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("key", [*DOTTED, *DOTTED_OF_PEOPLE])
def test_dots_between_the_words_of_a_key_hide_nothing_in_a_text(key: str, join: str) -> None:
    """As in a key of its own, and as with an underscore between them."""
    text = join.format(key).replace("\x00", PLANTED)
    for left in (*both_sides({"note": text}), FILTER.scrub_text(text)):
        assert PLANTED not in repr(left)
    if key in DOTTED:
        assert PLANTED not in FILTER.scrub_text(f"{key}: {PLANTED}")


@pytest.mark.parametrize(
    "text",
    ["django.contrib.auth.views: started now", "auth.users.status = 'active'", "host.name=web1", "file.name: x.py",
     "page.key=abc", "sys.path: /usr/lib", "password.length=8", "secret.name=payments", "a.token.bucket=12",
     "user.phone.model=X1", "s.pin.o: t", "std.token.count: 4"],
)  # fmt: skip
def test_what_a_dotted_name_is_from_says_nothing_of_its_value(text: str) -> None:
    """A logger, a schema, a host: the words in front count only where they are one word with the last."""
    assert FILTER.scrub_text(text) is text
