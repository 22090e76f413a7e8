"""`notice_text()` for a user interface: what the policy in force collects, in words."""

from __future__ import annotations

from otel_posthog import identity
from otel_posthog.policy import active


def notice_text() -> str:
    """Return what users are told about usage statistics under the policy in force, as plain text."""
    return identity.notice_text(active())
