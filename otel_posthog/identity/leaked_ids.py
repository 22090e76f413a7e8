"""Ids that leak into the properties of an event whose identity mode does not send them.

Comes in: filtered properties, and the ids that the telemetry gave. Goes out: the properties with `[user]`, `[session]`,
`[group]` or `[journey]` for each id. Apps like to repeat an id under a key of their own (`form.number`, `url`), which
would undo the mode. An id is found in every spelling that it gets on its way into a URL, a JSON text or another
system's field. Runs on the worker.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from otel_posthog.model import Event, Receipt
from otel_posthog.regex import regex

# Shorter ids are ordinary numbers and words as well; as a part of a text only one that is long is surely meant.
MIN_CHARS, MIN_CHARS_WITHIN_TEXT = 4, 8
# All that a number is written with, minus infinity too.
_OF_NUMBERS = "0123456789.e+-inf"
# Percent-encoded this often: what a proxy and a redirect encode once more each.
MAX_ROUNDS = 6

_PLAIN = regex(r"[A-Za-z0-9_.~-]+\Z", re.ASCII)
_UUID = regex(r"(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?\Z")
_UUID_DIGITS = 32
_ENCODED = regex(r"(?:%[0-9A-Fa-f]{2})+")


class _Id(NamedTuple):
    """One id as it may be written, folded, and whose it is: `user`, `session`, `window`, `group`, `journey`."""

    text: str
    what: str


class _Forms(NamedTuple):
    """The ids of one event in every spelling, by how they are looked for.

    Attributes:
        whole: Those that a text may be, by that text.
        numbers: Those of them that a number may be.
        within: Those that are looked for inside a text, the longest first: one may be a part of another.
        min_chars: What is shorter is none of them, nor has room for one.
    """

    whole: Mapping[str, _Id]
    numbers: Mapping[str, _Id]
    within: tuple[_Id, ...]
    min_chars: int


class LeakedIds:
    """The ids of one event, and what replaces them: `[user]`, `[session]`, `[window]`, `[group]`, `[journey]`.

    Args:
        event: As translated, its ids not yet replaced.
        receipt: Told where one was found, by the rules `user_id`, `session_id`, `window_id`, `group_key`, `journey_id`.
    """

    __slots__ = ("_given", "_made", "_receipt", "_untouched")

    def __init__(self, event: Event, receipt: Receipt) -> None:
        self._receipt, self._given = receipt, _given(event)
        self._made: _Forms | None = None
        # Texts in which `before_cut` found none; `replace_in` sees the same texts again.
        self._untouched: set[str] = set()

    @property
    def _forms(self) -> _Forms:
        """The ids in every spelling; most events get by without."""
        if self._made is None:
            self._made = _forms_of(self._given)
        return self._made

    def may_be_in(self, texts: str, numbers: Sequence[float]) -> bool:
        """Return whether any id may be in a text or be a number; where not, nothing of the two is replaced.

        Args:
            texts: Any number of texts in one, with a character between them.
            numbers: Any number of numbers.
        """
        ids = {each for _, each in self._given if len(each) >= MIN_CHARS}
        if not ids:
            return False
        low = folded(texts)
        # What is encoded may be any of them.
        if "%" in low:
            return True
        forms = [form for each in ids for form in _spellings(each)]
        for form in forms:
            if form in low:
                return True
        if not numbers:
            return False
        as_digits = set(map(_digits, numbers))
        return any(not form.strip(_OF_NUMBERS) and form in as_digits for form in forms)

    def before_cut(self, text: str, path: str) -> str:
        """Return `text` as `replace_in_text`; for the filters, which cut texts: no cut is to leave half of an id."""
        replaced = self.replace_in_text(text, path)
        if replaced is text:
            self._untouched.add(text)
        return replaced

    def replace_in(self, properties: Mapping[str, object]) -> dict[str, object]:
        """Return `properties`, JSON-safe and of bounded depth, with every repetition of an id replaced."""
        return self._map(properties, "") if self._forms.whole else dict(properties)

    def replace_in_text(self, text: str, path: str) -> str:
        """Return `text` with every repetition of an id replaced; `path` is what the receipt calls it."""
        whole, _, within, min_chars = self._forms
        # Most texts and names are shorter than any id; what is encoded is longer than what it says.
        if len(text) < min_chars or not whole:
            return text
        low = text.lower() if text.isascii() else folded(text)
        found = whole.get(low.strip())
        if found is not None:
            return self._replacing(found, path)
        for each in within:
            if each.text in low:
                text = self._replacing(each, path).join(_between(text, low, each.text))
                low = folded(text)
        while "%" in text:
            # What is encoded has many spellings, and may be encoded again: the decoded text is looked at as well.
            changed = self._replace_in_encoded(text, path)
            if changed is text:
                break
            text = changed
        return text

    def _replace_in_encoded(self, text: str, path: str) -> str:
        """Return `text` without one of the ids that are found once it is decoded; the same object where none is."""
        for view in decoded(text):
            found = self._forms.whole.get(folded(view.text).strip())
            if found is not None:
                return self._replacing(found, path)
            changed = self._replace_in_view(text, view, path)
            if changed is not text:
                return changed
        return text

    def _replace_in_view(self, text: str, view: _Decoded, path: str) -> str:
        """Return `text` without the ids that are found in `view`; the same object where there are none."""
        low = folded(view.text)
        found: list[tuple[int, int, _Id]] = []
        for each in self._forms.within:
            at = low.find(each.text)
            while at >= 0:
                after = at + len(each.text)
                found.append((at, after, each))
                at = low.find(each.text, after)
        parts, end, seen = list[str](), 0, 0
        # Of two that begin at one place the longer, which says more of what it is.
        for at, after, each in sorted(found, key=lambda span: (span[0], -span[1])):
            if at >= seen:
                parts += [text[end : view.starts[at]], self._replacing(each, path)]
            if after > seen:
                seen, end = after, view.starts[after]
        return "".join([*parts, text[end:]]) if parts else text

    def _map(self, properties: Mapping[str, object], path: str) -> dict[str, object]:
        found: dict[str, object] = {}
        min_chars, untouched = self._forms.min_chars, self._untouched
        for key, value in properties.items():
            # The receipt gets the name without the id as well.
            name = key if len(key) < min_chars else self.replace_in_text(key, f"{path}(name)")
            is_none = isinstance(value, str) and (len(value) < min_chars or value in untouched)
            found[name] = value if is_none else self._value(value, f"{path}{name}")
        return found

    def _value(self, value: object, path: str) -> object:
        if isinstance(value, str):
            return value if value in self._untouched else self.replace_in_text(value, path)
        if isinstance(value, dict):
            return self._map(value, f"{path}.")
        if isinstance(value, list):
            return [self._value(each, path) for each in value]
        numbers = self._forms.numbers
        if numbers and isinstance(value, (int, float)) and not isinstance(value, bool):
            found = numbers.get(_digits(value))
            return self._replacing(found, path) if found else value
        return value

    def _replacing(self, found: _Id, path: str) -> str:
        self._receipt.add(path, _RULES[found.what], "replaced")
        return f"[{found.what}]"


_RULES = {
    "user": "user_id",
    "session": "session_id",
    "window": "window_id",
    "group": "group_key",
    "journey": "journey_id",
}


def _digits(number: float) -> str:
    """Return a number as an id would have it: a whole one without a point."""
    is_whole = isinstance(number, float) and number.is_integer()
    return str(int(number)) if is_whole else str(number)


def _between(text: str, low: str, form: str) -> Iterator[str]:
    """Yield the parts of `text` around `form`, which stands in `low`, its folded form of the same length."""
    end = 0
    while (at := low.find(form, end)) >= 0:
        yield text[end:at]
        end = at + len(form)
    yield text[end:]


def _given(event: Event) -> tuple[tuple[str, str], ...]:
    """Return (what, id) for each id of `event`, the one that wins first; it stands among the others too."""
    subject = event.subject
    given = [("user", subject.user_id), ("user", subject.alias), ("session", subject.session_id)]
    given += [("group", key) for key in subject.groups.values()]
    given += subject.other_ids
    if event.group is not None:
        given.append(("group", event.group.key))
    return tuple([(what, text) for what, text in given if text])


def _spellings(given: str) -> tuple[str, ...]:
    """Return the forms of an id that are looked for."""
    if len(given) < _UUID_DIGITS and given[0] != "0" and _PLAIN.match(given) is not None:
        return (given.lower(),) if len(given) >= MIN_CHARS else ()  # most
    return _long_spellings(given)


@lru_cache(maxsize=64)
def _long_spellings(given: str) -> tuple[str, ...]:
    return tuple(form for form in spellings(given) if len(form) >= MIN_CHARS)


# An event is cleaned for each destination, and most come right after another of the same user.
@lru_cache(maxsize=64)
def _forms_of(given: tuple[tuple[str, str], ...]) -> _Forms:
    whose: dict[str, str] = {}
    for what, text in given:
        whose.setdefault(text, what)
    found: dict[str, _Id] = {}
    for text, what in whose.items():
        for form in _spellings(text):
            found.setdefault(form, _Id(form, what))
    ids = sorted(found.values(), key=lambda each: -len(each.text))
    return _Forms(
        whole={each.text: each for each in ids},
        numbers={each.text: each for each in ids if not each.text.strip(_OF_NUMBERS)},
        within=tuple(each for each in ids if len(each.text) >= MIN_CHARS_WITHIN_TEXT),
        min_chars=len(ids[-1].text) if ids else 0,
    )


class _Decoded(NamedTuple):
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


def decoded(text: str) -> Iterator[_Decoded]:
    """Yield `text` percent-decoded once, twice, and so on, as long as that changes it."""
    view = _Decoded(text, list(range(len(text) + 1)))
    for _ in range(MAX_ROUNDS):
        if _ENCODED.search(view.text) is None:
            return
        view = _once(view)
        yield view


def _once(view: _Decoded) -> _Decoded:
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
    return _Decoded("".join(parts), starts)
