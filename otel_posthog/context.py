"""Who acts, carried by the OpenTelemetry context.

A Context key of our own, so that it follows await, and nothing but this process reads it: propagators do not know it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context as context_api
from opentelemetry.context import Context

from otel_posthog.model import NO_GROUPS, ContextIdentity

_KEY = context_api.create_key("otel-posthog-identity")


@contextmanager
def user_context(
    distinct_id: str | None = None,
    *,
    session_id: str | None = None,
    groups: Mapping[str, str] | None = None,
    consent: bool | None = None,
) -> Iterator[None]:
    """Say who acts in everything that starts inside; what is not given is taken from the context around it.

    Args:
        distinct_id: The user's id; whether it leaves this process is the identity mode's decision.
        session_id: The session's id.
        groups: Group type -> group key.
        consent: False keeps every event inside from being sent.
    """
    around = current_identity() or ContextIdentity()
    inside = ContextIdentity(
        user_id=distinct_id if distinct_id is not None else around.user_id,
        session_id=session_id if session_id is not None else around.session_id,
        groups={**around.groups, **(groups or NO_GROUPS)},
        consent=consent if consent is not None else around.consent,
    )
    token = context_api.attach(context_api.set_value(_KEY, inside))
    try:
        yield
    finally:
        context_api.detach(token)


def current_identity(context: Context | None = None) -> ContextIdentity | None:
    """Return who acts in `context`, or in the current one."""
    value = context_api.get_value(_KEY, context)
    return value if isinstance(value, ContextIdentity) else None
