"""Who an event is sent as, and what people are told about it."""

from otel_posthog.identity.changes import with_change
from otel_posthog.identity.echo import without_user_id
from otel_posthog.identity.installation import Installation, load
from otel_posthog.identity.modes import person
from otel_posthog.identity.notice import mismatch_line, notice_box, notice_text, start_line

__all__ = [
    "Installation",
    "load",
    "mismatch_line",
    "notice_box",
    "notice_text",
    "person",
    "start_line",
    "with_change",
    "without_user_id",
]
