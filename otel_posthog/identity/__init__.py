"""Who an event is sent as, and what users are told about it."""

from otel_posthog.identity.installation import (
    Installation,
    RotatingIds,
    forget_installation,
    load_installation,
    notice_shown,
)
from otel_posthog.identity.keys import KeyRing, keys_file, read_keys
from otel_posthog.identity.notice import mismatch_line, notice_box, notice_text, off_switch, start_line
from otel_posthog.identity.period_secrets import DailySalts
from otel_posthog.identity.person import person, unlinked_id, usable, with_change, with_pseudonyms
from otel_posthog.identity.pseudonyms import Pseudonyms, pseudonym_day

__all__ = [
    "DailySalts",
    "Installation",
    "KeyRing",
    "Pseudonyms",
    "RotatingIds",
    "forget_installation",
    "keys_file",
    "load_installation",
    "mismatch_line",
    "notice_box",
    "notice_shown",
    "notice_text",
    "off_switch",
    "person",
    "pseudonym_day",
    "read_keys",
    "start_line",
    "unlinked_id",
    "usable",
    "with_change",
    "with_pseudonyms",
]
