"""A typed policy as plain lists and maps, keys and passwords redacted: what `otel-posthog policy show` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

from otel_posthog.model import REDACTED
from otel_posthog.policy.reader import NOT_IN_FILE
from otel_posthog.privacy import without_secrets

SECRET = frozenset({"api_key"})


def plain(value: object) -> object:
    """Return `value` as a YAML file would have it; what is not set is left out, a key's value too."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: REDACTED if each.name in SECRET else plain(found)
            for each in fields(value)
            if each.name not in NOT_IN_FILE and (found := getattr(value, each.name)) not in (None, "", ())
        }
    if isinstance(value, Mapping):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted(str(plain(each)) for each in value)
    if isinstance(value, str):
        return without_secrets(value)
    return [plain(each) for each in value] if isinstance(value, tuple) else value
