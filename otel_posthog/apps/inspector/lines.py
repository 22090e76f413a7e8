"""Items of a journal as lines for a terminal: one for each event and destination, or for an item without an event."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from otel_posthog.apps.explain.wording import drop_in_words, rule_in_words
from otel_posthog.text import visible

MAX_VALUE_CHARS = 60
_ALLOW_LIST = "allow_list"
_NAME_WIDTH = 24
_SOFT, _PRODUCT, _OPERATIONAL, _BAD, _GOOD = "90", "35", "36", "31", "32"
# What every event of this package has, and says nothing of this one.
_USUAL = ("$geoip_disable", "$ip", "$lib", "$lib_version")


class Wanted(NamedTuple):
    """What is to be shown.

    Attributes:
        events: Names, with `*`; all where there are none.
        outcomes: `sent`, `dropped`, `operational`; all where there are none.
    """

    events: Sequence[str] = ()
    outcomes: Sequence[str] = ()

    def takes(self, item: Mapping[str, Any]) -> bool:
        """Return whether an item, or a part of it, is to be shown."""
        return any(self.takes_part(item, sent) for sent in _parts(item))

    def takes_part(self, item: Mapping[str, Any], sent: Mapping[str, Any] | None) -> bool:
        """Return whether what one destination gets of one event is to be shown; None stands for no event."""
        if sent is None:
            outcome = "dropped" if item["dropped"] else "operational"
        else:
            outcome = "sent" if sent["sent"] else "dropped"
        if self.outcomes and outcome not in self.outcomes:
            return False
        name = (sent or {}).get("name") or ""
        return not self.events or any(fnmatchcase(name, each) for each in self.events)


def item_lines(item: Mapping[str, Any], wanted: Wanted, *, with_values: bool, is_colored: bool) -> Iterator[str]:
    """Yield the lines of an item."""
    paint = _painted if is_colored else _plain
    for sent in _parts(item):
        if wanted.takes_part(item, sent):
            head = paint(_time(item["time"]), _SOFT)
            yield f"{head}  {_rest(item, sent, paint, with_values=with_values)}".rstrip()


def without_values(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item with names, keys and rules, and no value."""
    kept = {key: value for key, value in item.items() if key not in {"name", "operational_before"}}
    kept["events"] = [
        {
            **{key: value for key, value in event.items() if key != "before"},
            "destinations": [
                {key: value for key, value in sent.items() if key != "event"} for sent in event["destinations"]
            ],
        }
        for event in item["events"]
    ]
    if item["operational"]:
        kept["operational"] = {key: value for key, value in item["operational"].items() if key != "values"}
    return kept


def _parts(item: Mapping[str, Any]) -> list[Mapping[str, Any] | None]:
    found = [sent for event in item["events"] for sent in event["destinations"]]
    return [*found] or [None]


def _rest(item: Mapping[str, Any], sent: Mapping[str, Any] | None, paint: Any, *, with_values: bool) -> str:
    if sent is None and item["dropped"]:
        why = ", ".join(map(drop_in_words, item["dropped"]))
        return f"{paint('✗', _BAD)} {paint('no event'.ljust(_NAME_WIDTH), _BAD)}  {why}"
    if sent is None:
        name = visible(item.get("name") or "") if with_values else ""
        kind = (item.get("span") or {}).get("kind") or ""
        what = name or f"{kind} {item['kind']}".strip().lower()
        return f"{paint('○', _OPERATIONAL)} {paint(what.ljust(_NAME_WIDTH), _OPERATIONAL)}  operational only"
    name = visible(sent["name"] or "(event)").ljust(_NAME_WIDTH)
    to = visible(sent["destination"])
    if not sent["sent"]:
        why = drop_in_words(sent["dropped"] or "")
        return f"{paint('✗', _BAD)} {paint(name, _BAD)}  {to} gets nothing: {why}"
    parts = [f"{paint('●', _PRODUCT)} {paint(name, _PRODUCT)}  → {to}"]
    if with_values and sent.get("event"):
        parts.append(_properties(sent["event"]["properties"]))
    parts.append(paint(_changes(sent["changes"]), _SOFT))
    return "  ".join(each for each in parts if each)


def _properties(properties: Mapping[str, Any]) -> str:
    own = {key: value for key, value in properties.items() if key not in _USUAL and not key.startswith("$")}
    return " ".join(f"{visible(key)}={_value(value)}" for key, value in own.items() if "." not in key)


def _value(value: object) -> str:
    text = value if isinstance(value, str) and " " not in value and value else json.dumps(value, ensure_ascii=False)
    return visible(text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}…")


def _changes(changes: Sequence[Mapping[str, str]]) -> str:
    """Return what the rules did: each key that was removed or changed, and how many were never asked to leave."""
    by_rule: dict[tuple[str, str], list[str]] = {}
    for each in changes:
        if each["rule"] != _ALLOW_LIST:
            by_rule.setdefault((each["rule"], each["action"]), []).append(visible(each["key"]))
    said = [f"{', '.join(keys)} {action}: {rule_in_words(rule)}" for (rule, action), keys in by_rule.items()]
    unsent = sum(each["rule"] == _ALLOW_LIST for each in changes)
    if unsent:
        said.append(f"{unsent} not on the allow-list")
    return f"[{'; '.join(said)}]" if said else ""


def _time(text: str) -> str:
    """Return a time of the day here."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone()
    except ValueError:
        return " " * 12
    return moment.strftime("%H:%M:%S.") + f"{moment.microsecond // 1000:03}"


def _painted(text: str, color: str) -> str:
    return f"\x1b[{color}m{text}\x1b[0m" if text else ""


def _plain(text: str, _: str) -> str:
    return text
