"""Takes ids out of properties where the identity mode does not send them.

Comes in: filtered properties, and the ids that the telemetry gave. Goes out: the properties without them: apps like to
repeat an id under a key of their own (`form.number`, `url`), which would undo the mode. Runs on the worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from otel_posthog.identity.spelling import Decoded, decoded, folded, spellings
from otel_posthog.model import Event, Receipt

# Shorter ids are ordinary numbers and words as well; as a part of a text only one that is long is surely meant.
MIN_CHARS, MIN_CHARS_WITHIN_TEXT = 4, 8
# All that a number is written with, minus infinity too.
_OF_NUMBERS = "0123456789.e+-inf"


class _Id(NamedTuple):
    """One id as it may be written, folded, and what it is the id of (`user`, `session`, `group`)."""

    text: str
    what: str


class Echo:
    """The ids of one event, and what replaces them: `[user]`, `[session]`, `[group]`.

    Args:
        event: As translated, its ids not yet replaced.
        receipt: Told where one was found, by the rules `user_id`, `session_id` and `group_key`.
    """

    def __init__(self, event: Event, receipt: Receipt) -> None:
        self._receipt = receipt
        ids = _ids_of(event)
        self._whole = {each.text: each for each in ids}
        self._numbers = {each.text: each for each in ids if not each.text.strip(_OF_NUMBERS)}
        # The longest first: one may be a part of another.
        self._within = [each for each in ids if len(each.text) >= MIN_CHARS_WITHIN_TEXT]
        self._shortest = len(ids[-1].text) if ids else 0

    def out_of(self, properties: Mapping[str, object]) -> dict[str, object]:
        """Return `properties`, JSON-safe and of bounded depth, with every repetition of an id replaced."""
        if not self._whole:
            return dict(properties)
        return self._map(properties, "")

    def out_of_text(self, text: str, path: str) -> str:
        """Return `text` with every repetition of an id replaced; `path` is what the receipt calls it."""
        # Most texts and names are shorter than any id; what is encoded is longer than what it says.
        if len(text) < self._shortest or not self._whole:
            return text
        low = text.lower() if text.isascii() else folded(text)
        found = self._whole.get(low.strip())
        if found is not None:
            return self._replacing(found, path)
        for each in self._within:
            if each.text in low:
                text = self._replacing(each, path).join(_between(text, low, each.text))
                low = folded(text)
        while "%" in text:
            # What is encoded has many spellings, and may be encoded again: the decoded text is looked at as well.
            changed = self._out_of_encoded(text, path)
            if changed is text:
                break
            text = changed
        return text

    def _out_of_encoded(self, text: str, path: str) -> str:
        """Return `text` without one of the ids that are found once it is decoded; the same object where none is."""
        for view in decoded(text):
            found = self._whole.get(folded(view.text).strip())
            if found is not None:
                return self._replacing(found, path)
            changed = self._out_of_view(text, view, path)
            if changed is not text:
                return changed
        return text

    def _out_of_view(self, text: str, view: Decoded, path: str) -> str:
        """Return `text` without the ids that are found in `view`; the same object where there are none."""
        low = folded(view.text)
        found: list[tuple[int, int, _Id]] = []
        for each in self._within:
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
        shortest = self._shortest
        for key, value in properties.items():
            # The receipt gets the name without the id as well.
            name = key if len(key) < shortest else self.out_of_text(key, f"{path}(name)")
            is_short = isinstance(value, str) and len(value) < shortest
            found[name] = value if is_short else self._value(value, f"{path}{name}")
        return found

    def _value(self, value: object, path: str) -> object:
        if isinstance(value, str):
            return self.out_of_text(value, path)
        if isinstance(value, dict):
            return self._map(value, f"{path}.")
        if isinstance(value, list):
            return [self._value(each, path) for each in value]
        if self._numbers and isinstance(value, (int, float)) and not isinstance(value, bool):
            found = self._numbers.get(_digits(value))
            return self._replacing(found, path) if found else value
        return value

    def _replacing(self, found: _Id, path: str) -> str:
        self._receipt.add(path, _RULES[found.what], "replaced")
        return f"[{found.what}]"


_RULES = {"user": "user_id", "session": "session_id", "group": "group_key"}


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


def _ids_of(event: Event) -> list[_Id]:
    """Return the ids that are long enough to be meant, in every spelling, the longest first."""
    subject = event.subject
    given = [("user", subject.user_id), ("user", subject.alias), ("session", subject.session_id)]
    given += [("group", key) for key in subject.groups.values()]
    given += subject.other_ids
    if event.group is not None:
        given.append(("group", event.group.key))
    # One that wins stands among the others too.
    whose: dict[str, str] = {}
    for what, text in given:
        if text:
            whose.setdefault(text, what)
    found: dict[str, _Id] = {}
    for text, what in whose.items():
        for form in spellings(text):
            if len(form) >= MIN_CHARS:
                found.setdefault(form, _Id(form, what))
    return sorted(found.values(), key=lambda each: -len(each.text))
