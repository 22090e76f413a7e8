"""Who an event is sent as, and what people are told about it."""

from otel_posthog.identity.changes import with_change
from otel_posthog.identity.disguise import disguised
from otel_posthog.identity.echo import Echo
from otel_posthog.identity.installation import Installation, RotatingIds, forget, load
from otel_posthog.identity.keys import KeyRing, keys_file, read_keys
from otel_posthog.identity.modes import person, unlinked_id, usable
from otel_posthog.identity.notice import mismatch_line, notice_box, notice_text, start_line
from otel_posthog.identity.pseudonyms import Pseudonyms
from otel_posthog.identity.salts import DailySalts

__all__ = [
    "DailySalts",
    "Echo",
    "Installation",
    "KeyRing",
    "Pseudonyms",
    "RotatingIds",
    "disguised",
    "forget",
    "keys_file",
    "load",
    "mismatch_line",
    "notice_box",
    "notice_text",
    "person",
    "read_keys",
    "start_line",
    "unlinked_id",
    "usable",
    "with_change",
]
