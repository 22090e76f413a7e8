"""Who acts: what was said of it in blocks, on spans and in a request, and how that is put together.

Comes in: `user_context`, `set_user`, attributes of spans. Goes out: one `ContextIdentity` for an item that is handed
over. It knows OpenTelemetry's API and not its SDK, runs on the application's threads, and never raises into them.
"""

from otel_posthog.actor.attachment import leave
from otel_posthog.actor.block import block_identity, enter, running_identity
from otel_posthog.actor.request_block import current_record, join_request, record_in
from otel_posthog.actor.scope import (
    CarriedScope,
    Scope,
    carried_scope,
    is_request,
    keep_scope,
    kept_scope,
    scope_in,
    scope_of,
    state_inside,
)
from otel_posthog.actor.statement import NOBODY, Record, Statement, agreed, combined, merged, overruled, statement_of

__all__ = [
    "NOBODY",
    "CarriedScope",
    "Record",
    "Scope",
    "Statement",
    "agreed",
    "block_identity",
    "carried_scope",
    "combined",
    "current_record",
    "enter",
    "is_request",
    "join_request",
    "keep_scope",
    "kept_scope",
    "leave",
    "merged",
    "overruled",
    "record_in",
    "running_identity",
    "scope_in",
    "scope_of",
    "state_inside",
    "statement_of",
]
