"""The JSON Schema of the policy file, made from the policy's types: what editors complete and check by.

Runs in a command and in tests only; the file `policy.schema.json` beside this one is what it made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from otel_posthog.policy.advice import adds_to
from otel_posthog.policy.fields import (
    NOT_IN_FILE,
    FrozenMap,
    description_of,
    descriptions_of,
    required,
    section_or_word,
    summary_of,
    words_of,
)
from otel_posthog.policy.policy import Policy
from otel_posthog.policy.sections.privacy import HitMethod

Schema = dict[str, Any]

SCHEMA_FILE = Path(__file__).with_name("policy.schema.json")
"""The published schema, in the wheel as well."""


def policy_schema() -> Schema:
    """Return the schema of the policy file (JSON Schema 2020-12)."""
    definitions: dict[str, Schema] = {}
    root = _object(Policy, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "otel-posthog policy",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _object(kind: type, definitions: dict[str, Schema]) -> Schema:
    hints = get_type_hints(kind)
    properties: dict[str, Schema] = {}
    for each in fields(kind):
        if each.name in NOT_IN_FILE:
            continue
        made = _value(hints[each.name], each.metadata, definitions)
        default = _default(each)
        properties[each.name] = {
            **made,
            "description": description_of(each),
            **({} if default is MISSING else {"default": default}),
        }
        if adds_to(each.name, hints[each.name]):
            properties[f"also_{each.name}"] = {**made, "description": f"Added to `{each.name}`."}
    return {
        "type": "object",
        "description": summary_of(kind),
        "properties": properties,
        "additionalProperties": False,
    }


def _value(hint: Any, limits: Mapping[str, Any], definitions: dict[str, Schema]) -> Schema:  # noqa: PLR0911 - one line per type
    set_hint = required(hint)
    if limits.get("reserved"):
        return {"type": "array", "maxItems": 0}
    if set_hint is not None:
        return {"anyOf": [_value(set_hint, limits, definitions), {"type": "null"}]}
    if is_dataclass(hint):
        return _reference(hint, definitions)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is FrozenMap:
        return _map(inner[1], limits, definitions)
    if origin in {tuple, frozenset}:
        return {"type": "array", "items": _value(inner[0], limits, definitions)}
    section = section_or_word(hint)
    if section is not None:
        return {"anyOf": [_scalar(str, limits), _reference(section, definitions)]}
    return _scalar(hint, limits)


def _reference(kind: Any, definitions: dict[str, Schema]) -> Schema:
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}  # a type that holds itself ends here
        definitions[kind.__name__] = _object(kind, definitions)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _map(hint: Any, limits: Mapping[str, Any], definitions: dict[str, Schema]) -> Schema:
    names = {"enum": sorted(limits["choices"])} if "choices" in limits else {"type": "string"}
    made = {
        "type": "object",
        "propertyNames": names,
        "additionalProperties": _value(hint, {}, definitions),
    }
    return {"anyOf": [made, {"type": "array", "items": names}]} if hint is HitMethod else made


def _scalar(hint: Any, limits: Mapping[str, Any]) -> Schema:
    if isinstance(hint, type) and issubclass(hint, Enum):
        texts = descriptions_of(hint)
        # YAML 1.1 reads an unquoted `off` as false, and so do many editors; so does not the reader.
        values = [value for word in words_of(hint) for value in ((word, False) if word == "off" else (word,))]
        return {"enum": values, **({"markdownDescription": _listed(texts)} if texts else {})}
    if hint is str:
        return {"enum": sorted(limits["choices"])} if "choices" in limits else {"type": "string", "minLength": 1}
    if hint is bool:
        return {"type": "boolean"}
    made: Schema = {"type": "integer" if hint is int else "number"}
    low, high = limits.get("minimum", 0), limits.get("maximum")
    if low is not None:
        made["minimum" if "minimum" in limits else "exclusiveMinimum"] = low
    if high is not None:
        made["maximum"] = high
    return made


def _listed(texts: Mapping[str, str]) -> str:
    return "\n".join(f"- `{value}`: {text}" for value, text in texts.items())


def _default(field: Field[Any]) -> Any:
    """Return the default of a scalar; lists and sections have theirs in the documentation."""
    value = field.default
    if isinstance(value, Enum):
        return value.value
    return value if isinstance(value, (str, int, float, bool)) and value != "" else MISSING
