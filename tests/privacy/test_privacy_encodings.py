"""A value is found behind each encoding and all that is not seen in it; what only looks encoded stays."""

from __future__ import annotations

import base64
import json
import unicodedata
from collections.abc import Callable
from urllib.parse import quote

import pytest

from otel_posthog.model import Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter
from otel_posthog.privacy.encodings import INVISIBLE

FILTER = Filter(PrivacyPolicy())
VALUES = {"email": "jo.doe@example.org", "card": "4111111111111111", "phone": "+49 30 1234567", "ip": "93.184.216.34"}


def every(make: Callable[[str], str]) -> Callable[[str], str]:
    """Return what encodes each character."""
    return lambda text: "".join(map(make, text))


def layers(count: int) -> Callable[[str], str]:
    """Return percent coding, as often as said."""

    def encode(text: str) -> str:
        for _ in range(count):
            text = quote(text, safe="")
        return text

    return encode


def in_base64(text: str) -> str:
    """Return a sentence with `text` in it, in base64."""
    return base64.b64encode(f"to {text}, please".encode()).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    **{f"percent coding, {count} times": layers(count) for count in range(1, 9)},
    "every character in percent coding": every(lambda char: f"%{ord(char):02X}"),
    "JSON escapes": every(lambda char: f"\\u{ord(char):04x}"),
    "braces": every(lambda char: f"\\u{{{ord(char):x}}}"),
    "bytes": every(lambda char: f"\\x{ord(char):02x}"),
    "entities": every(lambda char: f"&#{ord(char)};"),
    "entities with zeros": every(lambda char: f"&#{ord(char):05d};"),
    "hexadecimal entities": every(lambda char: f"&#x{ord(char):04X};"),
    "named entities": lambda text: text.replace("@", "&commat;").replace(".", "&period;").replace("+", "&plus;"),
    "entities in percent coding": lambda text: layers(2)("".join(f"&#{ord(char)};" for char in text)),
    "JSON escapes of full width": every(lambda char: f"\\u{ord(char) + 0xFEE0 if char > ' ' else 0x3000:04x}"),
    "escaped twice": every(lambda char: f"\\\\u{ord(char):04x}"),
    "JSON escapes in percent coding": every(lambda char: f"%5Cu{ord(char):04X}"),
    "braces around full width": every(lambda char: f"\\u{{{ord(char) + 0xFEE0 if char > ' ' else 0x3000:x}}}"),
    "full width in percent coding": every(lambda char: quote(chr(ord(char) + 0xFEE0) if char > " " else "\u3000")),
    "full width in percent coding, twice": every(
        lambda char: layers(2)(chr(ord(char) + 0xFEE0) if char > " " else "\u3000")
    ),
    "invisible characters in percent coding": every(lambda char: char + "%E2%80%8B"),
    "digits of another plane, in JSON": every(
        lambda char: json.dumps(chr(0x1D7CE + int(char)) if char.isdecimal() else char)[1:-1]
    ),
    "full width": every(lambda char: chr(ord(char) + 0xFEE0) if char > " " else "\u3000"),
    "a mark on every character": every(lambda char: char + "\u0301"),
    "base64": in_base64,
    "base64 of base64": lambda text: base64.b64encode(in_base64(text).encode()).decode(),
    "base64 without its end": lambda text: in_base64(text).rstrip("="),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(f"??>> {text} >>??".encode()).decode(),
    **{
        f"digits as {unicodedata.name(chr(zero))[:-11].lower()}": every(
            lambda char, zero=zero: chr(zero + int(char)) if char.isdecimal() else char  # type: ignore[misc]
        )
        for zero in (0x660, 0x6F0, 0x966, 0xE50, 0xFF10, 0x1D7CE)
    },
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_found_behind_every_encoding(name: str, encoding: str) -> None:
    """A marker stands for it, alone and in a text, and nothing of it is left."""
    hidden = ENCODINGS[encoding](VALUES[name])
    for text in (hidden, f"see {hidden} there", f"a={hidden}"):
        assert f"[{name}]" in FILTER.scrub_text(text)
        assert hidden not in FILTER.scrub_text(text)


def test_no_invisible_character_hides_a_value() -> None:
    """Every character that is not to be shown, in the midst of an address and of a card."""
    ranges = INVISIBLE.replace("-", " ").split()
    shown = {
        chr(code) for code in (0xAD, 0x34F, 0x180E, 0x200B, 0x200E, 0x202E, 0x2060, 0x206F, 0xFE0F, 0xFEFF, 0xE0041)
    }
    for char in sorted({char for each in ranges for char in each} | shown):
        for name, value in VALUES.items():
            half = len(value) // 2
            assert FILTER.scrub_text(f"x {value[:half]}{char}{value[half:]} y") == f"x [{name}] y", hex(ord(char))


@pytest.mark.parametrize(
    "text",
    [
        "a%20b%2Fc%25d &amp; &lt; &copy; &#169; x&commat y;",
        "C:\\xampp\\users.txt \\u00zz \\x4 &#; &#x; %4 %zz",
        base64.b64encode(b"a text without anything in it").decode(),
        base64.b64encode(bytes(range(128, 160))).decode(),
        "ThreadPoolExecutorWorker1 AbstractBeanFactoryAdvisor java/lang/NullPointerException",
        "caf\u0065\u0301 \u2764\ufe0f na\u00efve \u0928\u092e\u0938\u094d\u0924\u0947",
    ],
)
def test_what_is_encoded_and_harmless_stays_as_it_is_written(text: str) -> None:
    """Nothing is decoded in what goes on."""
    assert FILTER.scrub_text(text) is text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    [
        "write to jo.q@example.org",
        "jo\u200b.q@example.org",
        "card 4111\u00a01111\u00a01111\u00a01111",
        "пароль=hunter2Q",
    ],
)
def test_bytes_are_looked_at_as_the_text_that_they_are(text: str, encoding: str) -> None:
    """On the operational side: what becomes of a text becomes of its bytes, in the same encoding."""
    cleaned = FILTER.scrub_value("raw", text)
    assert cleaned != text
    assert FILTER.scrub_value("raw", text.encode(encoding)) == str(cleaned).encode(encoding)


@pytest.mark.parametrize(
    "raw", [bytes(range(256)), b"\x00\x01\x00\x02", "größe".encode("latin-1"), b"\xd8\x00" * 3, b"\0"]
)
def test_bytes_that_hold_nothing_stay_the_same_object(raw: bytes) -> None:
    """Whatever they are."""
    assert FILTER.scrub_value("raw", raw) is raw


HIDDEN = "Zqx4kQ1R"
IN_JSON: dict[str, object] = {
    **{word: {word: HIDDEN} for word in ("пароль", "パスワード", "şifre", "密码", "contraseña", "비밀번호")},
    "a home": {"f": f"/home/{HIDDEN}/x.py"},
    "a URL": {"u": f"https://jo:{HIDDEN}@db.example.com/x"},
    "a card in thin spaces": {"c": "4539\u20093237\u20098727\u20096607"},
    "a phone number in fixed dashes": {"c": "+49\u201130\u20111234567"},
    "an SSN in en dashes": {"c": "334\u201334\u20132197"},
    "a wide at sign": {"to": f"{HIDDEN}\uff20example.com"},
    "a wide colon": {"m": f"密码\uff1a{HIDDEN}"},
    "a line break before a key": {"m": f"one\ntoken={HIDDEN}"},
    "a tab before a key": {"m": f"one\tapi_key: {HIDDEN}"},
    "a line break before a number": {"m": "one\n4111111111111111 two"},
    "in a list": [{"m": ["x", f"пароль={HIDDEN}"]}],
}
PERSONAL = (HIDDEN, "4539", "1234567", "334", "4111")


@pytest.mark.parametrize("slashes", ["/", "\\/"])
@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("name", IN_JSON)
def test_what_json_escapes_is_found_wherever_json_stands(name: str, escaped: bool, slashes: str) -> None:
    """As a whole text, behind words, cut off, and as a string in another one: on every way into the filter."""
    written = json.dumps(IN_JSON[name], ensure_ascii=escaped).replace("/", slashes)
    for text in (written, f"req {written} took 3 ms", written[:-1], f"req {json.dumps(written)}", f"\n{written}"):
        ways = (
            FILTER.scrub_text(text),
            FILTER.scrub_value("k", text),
            FILTER.scrub_value("k", [text]),
            FILTER.scrub_value("k", text.encode()),
            FILTER.properties({"k": text}, Receipt()),
            FILTER.name(text, Receipt()),
        )
        for left in ways:
            assert not any(each in str(left) for each in PERSONAL), text


@pytest.mark.parametrize(
    "text",
    [
        r"C:\new\table\reports 3", r"re.compile(r'\d+\/\w')", r'{"u": "\/api\/v1", "m": "a\nb", "n": 1}',
        r'{"m": "\u00e9t\u00e9 \ud83d\ude00"}', r"x \uD800 \u{110000} \u{D800}",
    ],
)  # fmt: skip
def test_escapes_that_hide_nothing_stay_as_they_are_written(text: str) -> None:
    """Also where they stand for no character."""
    assert FILTER.scrub_text(text) is text
