"""Statements and conditions of OTTL, the Collector's language for changing telemetry.

Source: https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/pkg/ottl. Fields that the processor
`redaction` does not reach are held in attributes while it runs: `hold` puts them there, `put_back` returns them. A
field that is lost between the two loses a name, and leaks none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
