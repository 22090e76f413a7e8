"""An event and what a destination gets of it in; one row for each part out: before, after, why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from otel_posthog.apps.explain.wording import listed, rule_in_words, shown, shown_apart
from otel_posthog.inspection.explanation import Change, Kept, ProductEvent, Sent
from otel_posthog.inspection.form import sent_properties, shown_part
from otel_posthog.model import shown_path
from otel_posthog.policy import IdentityMode

SAME, CHANGED, REMOVED = "same", "changed", "removed"

_ALLOW_LIST, _NOTED = "allow_list", "noted"
_GONE = object()
_WITH_PERSONS = {mode.value for mode in IdentityMode if mode.has_persons}


@dataclass(frozen=True, slots=True)
class Row:
    """One part of an event.

    Attributes:
        key: What it is called.
        before: As it was; empty for what was not there.
        after: As it is; empty where it was removed.
        state: `SAME`, `CHANGED` or `REMOVED`.
        why: Which rules did it, in words.
    """

    key: str
    before: str
    after: str
    state: str
    why: str


def rows_of(event: ProductEvent, sent: Sent) -> list[Row]:
    """Return what became of who acts, of declared properties, and of the attributes that were allowed to leave."""
    properties = sent_properties(sent)
    rows = [*_who(event, sent, properties)]
    for key, value in event.properties.items():
        about = _about(key, sent.changes)
        # A key in which the detectors found something goes on under another name, which is among what was added.
        rows.append(_row(key, value, properties.get(key, _GONE), about, "or its key is cleaned, see below"))
    for key, value in event.telemetry.items():
        about = _about(key, sent.changes)
        if key in properties or any(rule != _ALLOW_LIST for _, rule, _ in about):
            rows.append(_row(key, value, properties.get(key, _GONE), about))
    return rows


def rows_without_values(sent: Sent) -> list[Row]:
    """Return what became of which key, by the keys that are sent or in the receipt: the file's own may be personal."""
    kept = sent_properties(sent)
    rows = [
        Row(shown(key), "", "", CHANGED if _is_changed(about := _about(key, sent.changes)) else SAME, _why(about))
        for key in kept
    ]
    gone = [each for each in sent.changes if each[1] != _ALLOW_LIST and each[0].split(".")[0] not in kept]
    return rows + [Row(shown(key), "", "", REMOVED, rule_in_words(rule)) for key, rule, _ in gone if key not in kept]


def unsent_keys(sent: Sent) -> list[str]:
    """Return the keys of the attributes that the allow-list does not name."""
    return sorted({key for key, rule, _ in sent.changes if rule == _ALLOW_LIST})


def added(event: ProductEvent, sent: Sent) -> dict[str, object]:
    """Return what the event has that the app did not put there, or not under that name."""
    known = {*event.properties, *event.telemetry, "$set", "$set_once", "$groups", "session_id"}
    return {key: value for key, value in sent_properties(sent).items() if key not in known}


def kept_rows(parts: Iterable[Kept], *, with_values: bool = True) -> list[Row]:
    """Return what became of the parts of an operational item; without values no key that is no name either."""
    return [
        _row(
            part.key if with_values else shown_part(part), part.before, _GONE if part.after is None else part.after, ()
        )
        for part in parts
    ]


def _row(key: str, before: object, after: object, about: Iterable[Change], otherwise: str = "") -> Row:
    """Return the row of one part; `otherwise` is why it went if no rule says so."""
    why = _why(about)
    if after is _GONE and not why:
        return Row(shown(key), shown(before), "", REMOVED, otherwise)
    if after is _GONE:
        return Row(shown(key), shown(before), "", REMOVED, why)
    if before == after:
        return Row(shown(key), "", shown(after), SAME, why)
    old, new = shown_apart(before, after)
    return Row(shown(key), old, new, SAME if old == new else CHANGED, why)


def _is_changed(about: Iterable[Change]) -> bool:
    # What a catalog in the mode `warn` notes is sent all the same.
    return any(action != _NOTED for _, _, action in about)


def _why(about: Iterable[Change]) -> str:
    return listed(rule_in_words(rule) for _, rule, _ in about)


def _about(key: str, changes: Iterable[Change]) -> list[Change]:
    path = shown_path(key)
    return [change for change in changes if change[0] == path or change[0].startswith(f"{path}.")]


def _who(event: ProductEvent, sent: Sent, properties: Mapping[str, object]) -> Iterator[Row]:
    if sent.event is None:
        for key, value in event.who.items():
            yield Row(shown(key), shown(value), "", REMOVED if key != "consent" else SAME, "")
        return
    distinct_id = shown(sent.event["distinct_id"])
    user_id = shown(event.who.get("user id", ""))
    yield Row("sent as", user_id, distinct_id, SAME if user_id in {"", distinct_id} else CHANGED, sent.identity)
    for key, value in event.who.items():
        if key not in {"user id", "consent"}:
            found = _sent_of(key, sent.event, properties)
            # A property may have the same name: what is as it was needs no reason.
            about = [] if found == value else _about_who(key, sent)
            yield _row(key, value, found, about, f"not sent in the mode {sent.identity}")


def _about_who(key: str, sent: Sent) -> list[Change]:
    """Return what the filters did to a part of who acts; nothing where the identity mode alone decides on it."""
    kind, _, name = key.partition(" ")
    if kind in {"session", "window"}:
        return _about(f"{kind}_id", sent.changes) if sent.identity == IdentityMode.IDENTIFIED.value else []
    return _about(name, sent.changes) if sent.identity in _WITH_PERSONS else []


def _sent_of(key: str, event: Mapping[str, object], properties: Mapping[str, object]) -> object:
    kind, _, name = key.partition(" ")
    if kind == "session":
        return event.get("session_id") or properties.get("session_id", _GONE)
    if kind == "window":
        return event.get("window_id", _GONE)
    holder = properties.get("$groups" if kind == "group" else kind)
    return holder.get(name, _GONE) if isinstance(holder, Mapping) else _GONE
