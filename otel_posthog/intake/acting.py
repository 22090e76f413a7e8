"""Who acts where a span starts or a log is emitted, and whether they object.

Comes in: the OpenTelemetry context. Goes out: the identity in it; with consent denied where a span around it was denied
it, by the identity that it started with or by the request's `Sec-GPC` header. Runs on the application's threads.
"""

from __future__ import annotations

from dataclasses import replace

from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import get_current_span

from otel_posthog.context import current_identity
from otel_posthog.model import ContextIdentity
from otel_posthog.privacy_control import is_objection
from otel_posthog.sdk import remembered, span_attributes

_DENIED = ContextIdentity(consent=False)


def acting(context: Context | None = None) -> ContextIdentity | None:
    """Return who acts in `context`, or in the current one."""
    if context is None:
        context = get_current()
    identity = current_identity(context)
    span = get_current_span(context)
    if not isinstance(span, ReadableSpan) or not _is_denied(span):
        return identity
    return _DENIED if identity is None else replace(identity, consent=False)


def acting_at_end(started: ContextIdentity | None) -> ContextIdentity | None:
    """Return who acted when a span started, else who acts as it ends; a denial at either wins."""
    current = current_identity()
    if started is None or current is None:
        return started or current
    return replace(started, consent=False) if current.consent is False else started


def _is_denied(span: ReadableSpan) -> bool:
    _, identity = remembered(span) or (None, None)
    return (identity is not None and identity.consent is False) or is_objection(span_attributes(span))
