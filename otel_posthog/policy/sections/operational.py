"""Operational redaction: what may go on towards the operational backends."""

from __future__ import annotations

from dataclasses import dataclass

from otel_posthog.policy.defaults import USER_KEY_PREFIXES, USER_KEYS
from otel_posthog.policy.frozen import FrozenMap


@dataclass(frozen=True, slots=True)
class OperationalPolicy:
    """What may go on towards the operational backends. Product attributes are always taken off, whatever is set here.

    Attributes:
        redact: Whether the detectors run over what is left.
        user_keys: Attribute keys that name a user and are removed.
        user_key_prefixes: The same for whole namespaces.
        id_keys: Words that name the id of a user, session, device or visitor, whose values are replaced; those of
            `privacy.id_keys` where not given.
        exporter_keys: What one exporter gets as it is, by the name of its class (`LangfuseExporter`, or with its
            module): attribute keys, such as `user.id` and `session.id` for a tool that is about users and sessions.
    """

    redact: bool = True
    user_keys: frozenset[str] = USER_KEYS
    user_key_prefixes: tuple[str, ...] = USER_KEY_PREFIXES
    id_keys: frozenset[str] | None = None
    exporter_keys: FrozenMap[str, frozenset[str]] = FrozenMap()  # noqa: RUF009 - immutable
