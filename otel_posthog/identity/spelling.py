"""The spellings of an id: what an app may make of it on the way into a URL, a JSON text or another system's field.

Everything is compared folded: in lower case, character for character, so that what is found in the folded text stands
at the same place in the text itself.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

# Percent-encoded this often: what a proxy and a redirect encode once more each.
MAX_ROUNDS = 6

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+\Z", re.ASCII)
_UUID = re.compile(r"(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?\Z")
_UUID_DIGITS = 32
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


class Decoded(NamedTuple):
    """A percent-encoded text, decoded.

    Attributes:
        text: What it says.
        starts: Where each of its characters stands in the text that was given, and behind the last one its end.
    """

    text: str
    starts: list[int]


def folded(text: str) -> str:
    """Return `text` in lower case, of the same length."""
    low = text.lower()
    if text.isascii():
        return low
    if len(low) != len(text):
        low = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
    # Which of the two small sigmas it is depends on what stands around it.
    return low.replace("\u03c2", "\u03c3")


def spellings(given: str) -> Iterator[str]:
    """Yield the forms of an id that a text is searched for, folded; percent codes are `decoded` instead."""
    text = given.strip()
    low = folded(text)
    yield low
    if len(low) >= _UUID_DIGITS and (uuid := _UUID.match(low)) is not None:
        yield "-".join(uuid.groups())
        yield "".join(uuid.groups())
    elif low.startswith("0") and low.isdigit():
        yield low.lstrip("0")  # as a number has it
    if _PLAIN.match(low) is None:
        yield from map(folded, _unusual(text))


def _unusual(text: str) -> Iterator[str]:
    """Yield the forms of an id with characters that some format writes otherwise."""
    if not text.isascii():
        yield from (unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC"))
    yield text.replace(" ", "+")
    yield html.escape(text)
    written = json.dumps(text)[1:-1]
    yield from (written, written.replace("/", "\\/"))


def decoded(text: str) -> Iterator[Decoded]:
    """Yield `text` percent-decoded once, twice, and so on, as long as that changes it."""
    view = Decoded(text, list(range(len(text) + 1)))
    for _ in range(MAX_ROUNDS):
        if _ENCODED.search(view.text) is None:
            return
        view = _once(view)
        yield view


def _once(view: Decoded) -> Decoded:
    parts, starts, end = list[str](), list[int](), 0
    for match in _ENCODED.finditer(view.text):
        parts.append(view.text[end : match.start()])
        starts += view.starts[end : match.start()]
        # What is no UTF-8 comes out as one character for a byte, so that every place is known.
        run = bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "surrogateescape")
        at = match.start()
        for each in run:
            starts.append(view.starts[at])
            at += 3 * len(each.encode("utf-8", "surrogateescape"))
        parts.append(run)
        end = match.end()
    parts.append(view.text[end:])
    starts += view.starts[end:]
    return Decoded("".join(parts), starts)
