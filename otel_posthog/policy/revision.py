"""Which policy is in force: the operator's own name for it, and a digest of all that decides what may leave.

The digest is the same on every machine that has the same rules: paths, hosts, keys and delivery are not in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

from otel_posthog.policy.policy import Policy

_DIGITS = 12
_LEFT_OUT = frozenset(
    {
        *("source", "revision", "description", "file", "identity_keys_file", "hmac_key", "hmac_secret"),
        *("api_key", "api_key_env", "host", "capture_mode", "accept_any_2xx", "delivery", "watch_interval_s"),
    }
)


def revision_of(policy: Policy) -> str:
    """Return what receipts, counts and `otel-posthog doctor` call `policy`: `2026-11-3fa9c1d2e4b5`, `3fa9c1d2e4b5`."""
    text = json.dumps(_plain(policy), sort_keys=True, ensure_ascii=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    return digest if policy.revision is None else f"{policy.revision}-{digest}"


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.name not in _LEFT_OUT}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(str(_plain(each)) for each in value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
