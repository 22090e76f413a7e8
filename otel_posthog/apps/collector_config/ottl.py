"""Statements and conditions of OTTL, the Collector's language for changing telemetry.

Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/pkg/ottl. Fields that the processor
`redaction` does not reach are held in attributes while it runs: `hold` puts them there, `put_back` returns them. A
field that is lost between the two loses a name, and leaks none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from otel_posthog.rules import Condition, Field, Operator

HELD = "otel_posthog.held."
"""Prefix of the attributes that hold such fields; no others begin with it."""

FIELDS: dict[str, tuple[str, ...]] = {
    "scope": ("name", "version"),
    "span": ("name", "status.message", "trace_state"),
    "spanevent": ("name",),
    "log": ("event_name", "severity_text"),
}
"""By context, the texts that `redaction` does not reach and that can be set."""

Statements = dict[str, object]


def quoted(text: str) -> str:
    """Return `text` as a string of OTTL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def is_match(field: str, pattern: str) -> str:
    """Return the condition that `field` matches `pattern` somewhere."""
    return f"IsMatch({field}, {quoted(pattern)})"


def all_of(conditions: Iterable[Condition], item: str = "") -> str:
    """Return the condition that all of a recogniser's `conditions` hold.

    Args:
        conditions: At least one.
        item: What the fields of the item are written with (`log.`).
    """
    return " and ".join(_condition(each, item) for each in conditions)


def any_of(alternatives: Iterable[Sequence[Condition]], item: str = "") -> str:
    """Return the condition that all of any of the `alternatives` hold."""
    return " or ".join(all_of(each, item) if len(each) == 1 else f"({all_of(each, item)})" for each in alternatives)


def none_of(alternatives: Iterable[Sequence[Condition]], item: str = "") -> str:
    """Return the condition that of each of the `alternatives` some condition does not hold."""
    return " and ".join(_not_all_of(each, item) for each in alternatives)


def _not_all_of(conditions: Sequence[Condition], item: str) -> str:
    first, *others = conditions
    if not others and first.operator is Operator.PRESENT:
        return _condition(first._replace(operator=Operator.ABSENT), item)
    return f"not ({all_of(conditions, item)})"


_NAMES = {
    Field.NAME: "name",
    Field.KIND: "kind",
    Field.STATUS: "status.code",
    Field.SCOPE: "instrumentation_scope.name",
    Field.BODY: "body",
}
_ENUMERATIONS = {Field.KIND: "SPAN_KIND_", Field.STATUS: "STATUS_CODE_"}


def _condition(condition: Condition, item: str) -> str:
    field, operator, value, key, *_ = condition
    if field is Field.ATTRIBUTE:
        name = f'{item}attributes["{key}"]'
    elif field is Field.RESOURCE:
        name = f'resource.attributes["{key}"]'
    elif field is Field.NAME and item == "log.":
        name = "log.event_name"
    else:
        name = item * (field is not Field.SCOPE) + _NAMES[field]
    if operator is Operator.PRESENT:
        return f"{name} != nil"
    if operator is Operator.ABSENT:
        return f"{name} == nil"
    if operator is Operator.BEGINS:
        return is_match(name, f"^{re.escape(value)}")
    return f"{name} == {_ENUMERATIONS[field]}{value}" if field in _ENUMERATIONS else f"{name} == {quoted(value)}"


def delete_keys(field: str, pattern: str) -> str:
    """Return the statement that deletes the attributes whose key matches `pattern`."""
    return f"delete_matching_keys({field}, {quoted(pattern)})"


def keep_keys(field: str, pattern: str) -> str:
    """Return the statement that deletes the attributes whose key does not match `pattern`."""
    return f"keep_matching_keys({field}, {quoted(pattern)})"


def group(context: str, statements: Iterable[str]) -> Statements:
    """Return the statements of one context, as the processor `transform` has them."""
    return {"context": context, "statements": list(statements)}


def hold(context: str) -> Iterator[str]:
    """Yield the statements that move the fields of `context` into attributes."""
    for field in FIELDS.get(context, ()):
        yield f'set({context}.attributes["{HELD}{field}"], {context}.{field}) where {context}.{field} != ""'
        yield f'set({context}.{field}, "")'


def put_back(context: str) -> Iterator[str]:
    """Yield the statements that move the fields of `context` back."""
    for field in FIELDS.get(context, ()):
        held = f'{context}.attributes["{HELD}{field}"]'
        yield f"set({context}.{field}, {held}) where {held} != nil"
        yield f'delete_key({context}.attributes, "{HELD}{field}")'
