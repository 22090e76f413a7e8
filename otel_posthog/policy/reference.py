"""The reference of every key of the policy, made from the policy's types, for `docs/policy-reference.md`.

`python -m otel_posthog.policy.reference FILE` writes it between the two marks of FILE, and the JSON Schema beside it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from otel_posthog.policy.fields import (
    NOT_IN_FILE,
    FrozenMap,
    description_of,
    descriptions_of,
    required,
    section_or_word,
    summary_of,
)
from otel_posthog.policy.policy import Policy
from otel_posthog.policy.schema import SCHEMA_FILE, policy_schema

BEGIN, END = "<!-- made by `make policy` from the types -->\n", "<!-- end -->\n"


def reference() -> str:
    """Return a table for each section, and one for each choice of words."""
    kinds: dict[type, str] = {Policy: "The file"}
    enums: dict[type[Enum], None] = {}
    parts = []
    for kind in _sections(Policy, kinds):
        rows = [_row(each, get_type_hints(kind)[each.name], enums) for each in _shown(kind)]
        head = f"### {kinds[kind]}\n\n{summary_of(kind)}\n\n| key | type | default | |\n|---|---|---|---|\n"
        parts.append(head + "".join(rows))
    for enum in enums:
        rows = [f"| `{value}` | {text} |\n" for value, text in descriptions_of(enum).items()]
        if rows:
            parts.append(f"### {enum.__name__}\n\n{summary_of(enum)}\n\n| value | |\n|---|---|\n{''.join(rows)}")
    return "\n".join(parts)


def _sections(kind: type, names: dict[type, str]) -> Iterator[type]:
    """Yield `kind` and the sections under it, each once, with their names put into `names`."""
    yield kind
    hints = get_type_hints(kind)
    for each in _shown(kind):
        inner = _dataclass_in(hints[each.name])
        if inner is not None and inner not in names:
            are_several = get_origin(hints[each.name]) in {tuple, FrozenMap}
            names[inner] = f"Each of `{each.name}`" if are_several else f"`{each.name}`"
            yield from _sections(inner, names)


def _dataclass_in(hint: Any) -> type | None:
    if is_dataclass(hint):
        return hint  # type: ignore[return-value]
    return next((found for each in get_args(hint) if (found := _dataclass_in(each)) is not None), None)


def _shown(kind: Any) -> list[Field[Any]]:
    return [each for each in fields(kind) if each.name not in NOT_IN_FILE]


def _row(field: Field[Any], hint: Any, enums: dict[type[Enum], None]) -> str:
    text = description_of(field).replace("|", "\\|")
    return f"| `{field.name}` | {_type(hint, enums)} | {_default(field)} | {text} |\n"


def _type(hint: Any, enums: dict[type[Enum], None]) -> str:
    set_hint = required(hint)
    if set_hint is not None:
        return _type(set_hint, enums)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is FrozenMap:
        return f"map of {_type(inner[1], enums)}"
    if origin in {tuple, frozenset}:
        return f"list of {_type(inner[0], enums)}"
    if section_or_word(hint) is not None:
        return "text or section"
    if isinstance(hint, type) and issubclass(hint, Enum):
        enums[hint] = None
        return " / ".join(f"`{each.value}`" for each in hint)
    names = {str: "text", int: "whole number", float: "number", bool: "`true` / `false`"}
    return names.get(hint, "section")


def _default(field: Field[Any]) -> str:  # noqa: PLR0911 - one line per type
    value = field.default
    if is_dataclass(value):
        return ""
    if value is None or value in ("", ()):
        return "-"
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (int, float)):
        return f"`{value:.15g}`"
    if isinstance(value, str):
        return f"`{value}`"
    return f"{len(value)} entries" if isinstance(value, (frozenset, FrozenMap)) and value else "-"


def _write(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    path.write_text(f"{before}{BEGIN}\n{reference()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    SCHEMA_FILE.write_text(json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
