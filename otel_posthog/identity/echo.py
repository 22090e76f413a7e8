"""Takes ids out of properties where the identity mode does not send them.

Comes in: filtered properties, and the ids that the telemetry gave. Goes out: the properties without them: apps like to
repeat an id under a key of their own (`form.number`, `url`), which would undo the mode. Runs on the worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from otel_posthog.model import Event, Receipt

# Shorter ids are ordinary numbers and words as well; as a part of a text only one that is long is surely meant.
MIN_CHARS, MIN_CHARS_WITHIN_TEXT = 4, 8


@dataclass(frozen=True, slots=True)
class _Id:
    """One id as it may be written, and what it is the id of (`user`, `session`, `group`)."""

    text: str
    what: str


class Echo:
    """The ids of one event, and what replaces them: `[user]`, `[session]`, `[group]`.

    Args:
        event: As translated, its ids not yet replaced.
        receipt: Told where one was found, by the rules `user_id`, `session_id` and `group_key`.
    """

    def __init__(self, event: Event, receipt: Receipt) -> None:
        self._ids, self._receipt = _ids_of(event), receipt

    def out_of(self, properties: Mapping[str, object]) -> dict[str, object]:
        """Return `properties`, JSON-safe and of bounded depth, with every repetition of an id replaced."""
        if not self._ids:
            return dict(properties)
        return self._map(properties, "")

    def out_of_text(self, text: str, path: str) -> str:
        """Return `text` with every repetition of an id replaced; `path` is what the receipt calls it."""
        for each in self._ids:
            if text == each.text:
                return self._replacing(each, path)
            if len(each.text) >= MIN_CHARS_WITHIN_TEXT and each.text in text:
                text = text.replace(each.text, self._replacing(each, path))
        return text

    def _map(self, properties: Mapping[str, object], path: str) -> dict[str, object]:
        found = {}
        for key, value in properties.items():
            # The receipt gets the name without the id as well.
            name = self.out_of_text(key, f"{path}(name)")
            found[name] = self._value(value, f"{path}{name}")
        return found

    def _value(self, value: object, path: str) -> object:
        if isinstance(value, str):
            return self.out_of_text(value, path)
        if isinstance(value, dict):
            return self._map(value, f"{path}.")
        if isinstance(value, list):
            return [self._value(each, path) for each in value]
        if isinstance(value, int) and not isinstance(value, bool):
            found = next((each for each in self._ids if each.text == str(value)), None)
            return self._replacing(found, path) if found else value
        return value

    def _replacing(self, found: _Id, path: str) -> str:
        self._receipt.add(path, _RULES[found.what], "replaced")
        return f"[{found.what}]"


_RULES = {"user": "user_id", "session": "session_id", "group": "group_key"}


def _ids_of(event: Event) -> tuple[_Id, ...]:
    """Return the ids that are long enough to be meant, the longest first: one may be a part of another."""
    subject = event.subject
    given = [("user", subject.user_id), ("user", subject.alias), ("session", subject.session_id)]
    given += [("group", key) for key in subject.groups.values()]
    if event.group is not None:
        given.append(("group", event.group.key))
    found: dict[str, _Id] = {}
    for what, text in given:
        for form in (text, text and quote(text, safe="", errors="replace")):
            if form and len(form) >= MIN_CHARS:
                found.setdefault(form, _Id(form, what))
    return tuple(sorted(found.values(), key=lambda each: -len(each.text)))
