"""A hit ends where the secret does, however long that is, and wherever a text is cut."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from otel_posthog.model import Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter

FILTER = Filter(PrivacyPolicy())
LIMIT = PrivacyPolicy().max_string_chars

PIECE = "Zq7kV3xW"
"""What each secret is made of; two letters and a digit of it tell that some of it is left."""
TRACES = [(PIECE * 2)[at : at + 4] for at in range(len(PIECE))]

JSON_TEXT = "msg {}"


def long(chars: int) -> str:
    """Return a secret of so many characters."""
    return (PIECE * (chars // len(PIECE) + 1))[:chars]


def nested(secret: str, levels: int) -> str:
    """Return JSON in a string in JSON, so many times, in a text that is none itself."""
    text = json.dumps({"password": f'x"{secret}"y', "note": "fine"})
    for _ in range(levels):
        text = json.dumps({"body": text, "ok": "fine"})
    return "got " + text


SECRETS: dict[str, Callable[[str], str]] = {
    "password of a URL": lambda s: f"to postgres://ann:{s}@db.example/shop now",
    "password of a URL with a port": lambda s: f"to https://ann:{s}@db.example:8080/shop?a=b now",
    "password of a URL, encoded": lambda s: f"to amqp://ann:%2F{s}%22@mq.example/ now",
    "password of a URL, with slashes": lambda s: f"to amqp://ann:a/{s}/b@mq.example/ now",
    "password of a URL, with a sign": lambda s: f"to amqp://ann:a@{s}@mq.example/ now",
    "user of a URL": lambda s: f"to https://{s}@git.example/shop.git now",
    "user and password of a URL": lambda s: f"to https://{s}:{s}@git.example/shop.git now",
    "token of a URL in a list": lambda s: f"redis://h1:6379,redis://:{s}@h2:6379 now",
    "mail, local part": lambda s: f"to {s}@mail.example now",
    "mail, quoted": lambda s: f'to "{s}"@mail.example now',
    "mail, one long label": lambda s: f"to jo@{s}.example now",
    "mail, many labels": lambda s: f"to jo@{'.'.join(s[at : at + 8] for at in range(0, len(s), 8))}.example now",
    "home folder": lambda s: f"at /home/{s}/app.py now",
    "home folder of Windows": lambda s: f"at C:\\Users\\{s}\\app.py now",
    "token, its head": lambda s: f"got ey{'J'}{s}.{s}.{s} now",
    "token with what it discloses": lambda s: f"got ey{'J'}hbGciOi.ey{'J'}zdWIi.c2ln~{s}~{s}~ey{'J'}a.{s}.{s} now",
    "bearer": lambda s: f"sent bearer {s}= now",
    "basic": lambda s: f"sent basic {base64.b64encode(b'a:').decode()}{s} now",
    "header with parameters": lambda s: f'authorization: Digest username="{s}", response="{s}", uri="/"',
    "private key": lambda s: "-----BEGIN PRIVATE KEY" + f"-----\n{s}\n-----END PRIVATE KEY" + "----- now",
    "vendor's key": lambda s: f"got sk-{'proj'}-{s} now",
    "two-part key": lambda s: f"got 123456789012345|{s} now",
    "web hook": lambda s: f"to https://hooks.slack{'.com'}/services/T0000AAAA/B0000AAAA/{s} now",
    "bare value": lambda s: f"password={s} now",
    "value with signs": lambda s: f"password={s},;{s}&{s} now",
    "value in quotes": lambda s: f'password="{s} {s}" now',
    "value in single quotes": lambda s: f"password='{s}''{s}' now",
    "value in JSON in a text": lambda s: nested(s, 0),
    "value in JSON in a string": lambda s: nested(s, 1),
    "value in JSON in a string in a string": lambda s: nested(s, 2),
    "value in JSON, three strings deep": lambda s: nested(s, 3),
    "value in single quotes in a string": lambda s: f"\"where password=\\'{s} {s}\\' and\"",
    "flag": lambda s: f"run --password {s} now",
    "element": lambda s: f"<password>{s} {s}</password> now",
    "cookie header": lambda s: f"cookie: a={s}; b={s}",
    "session": lambda s: f"/p?sid={s}&x=1",
    "signature": lambda s: f"/p?x=1&sig={s}",
    "value of a long key": lambda s: f"{'a_' * 60}password_{'b' * 60}={s} now",
}
SIZES_CHARS = [40, 255, 256, 257, 300, 700, 5000, LIMIT - 20, LIMIT + 600, 20_000]


def is_gone(out: object) -> bool:
    """Return whether no trace of the secret is left."""
    return not any(trace in str(out) for trace in TRACES)


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("chars", SIZES_CHARS)
def test_nothing_of_a_long_secret_is_left(kind: str, chars: int) -> None:
    """Whatever its length, on either side, also where the policy's limit cuts the text in the middle of it."""
    text = SECRETS[kind](long(chars))
    assert is_gone(FILTER.scrub_text(text))
    assert is_gone(FILTER.scrub_value("note", text))
    assert is_gone(FILTER.properties({"note": text}, Receipt()))
    for before in (LIMIT - 30, LIMIT - 200, LIMIT + 300):
        shifted = "x " * (before // 2) + text
        assert is_gone(FILTER.properties({"note": shifted}, Receipt())), before


@pytest.mark.parametrize("kind", SECRETS)
def test_what_stands_around_a_long_secret_stays(kind: str) -> None:
    """A hit does not take the sentence along either."""
    text = SECRETS[kind](long(700))
    out = FILTER.scrub_text(text)
    assert out.endswith(" now") == text.endswith(" now")


@pytest.mark.parametrize("decimals", [4, 15, 16, 17, 40, 5000])
def test_a_place_may_have_any_number_of_decimals(decimals: int) -> None:
    """Floats are written with up to seventeen digits, and decimals with more."""
    fraction = ("5200081234567891" * 400)[:decimals]
    assert FILTER.scrub_text(f"at 52.{fraction}, 13.{fraction} now") == "at [gps] now"
