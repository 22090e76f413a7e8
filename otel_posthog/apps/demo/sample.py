"""One ticket and one line of the log, as the app had them and as they arrived."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from otel_posthog.apps.demo.app_process import AppProcess
from otel_posthog.apps.demo.receivers import Receivers
from otel_posthog.apps.demo.tally import TypedTicket

WORDS = re.compile(r"\s+|[^\s]+")

DECLARED_KEYS = ("priority", "channel", "plan", "ticket_id", "comment", "customer_email")
"""The properties that the helpdesk puts on `ticket_created`."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A text before and after; empty while it has not been seen."""

    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a view shows of single items.

    Attributes:
        comment: The ticket's text, as typed and as the product event's property.
        log: The line about a failed refund, as the app logged it and as OTLP received it.
        kept: The other properties of the event.
        removed: The keys that did not arrive at all.
    """

    comment: Pair = Pair()
    log: Pair = Pair()
    kept: Mapping[str, object] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


def take_sample(ticket: TypedTicket | None, receivers: Receivers, app: AppProcess) -> Sample:
    """Return what is known of `ticket` so far."""
    if ticket is None:
        return Sample()
    part = f"refund for ticket {ticket.ticket_id} failed"
    log = Pair(app.log_line(part), _logged(receivers, part))
    properties = _properties(receivers, ticket.ticket_id)
    if not properties:
        return Sample(Pair(ticket.comment), log)
    kept = {key: properties[key] for key in DECLARED_KEYS if key in properties and key != "comment"}
    removed = tuple(key for key in DECLARED_KEYS if key not in properties)
    return Sample(Pair(ticket.comment, str(properties.get("comment", ""))), log, kept, removed)


def changes(pair: Pair) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Return both texts of `pair` in pieces, each with whether the other text lacks it."""
    before, after = WORDS.findall(pair.before), WORDS.findall(pair.after)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, left_start, left_end, right_start, right_end in matcher.get_opcodes():
        left.append(("".join(before[left_start:left_end]), tag != "equal"))
        right.append(("".join(after[right_start:right_end]), tag != "equal"))
    return left, right


def _properties(receivers: Receivers, ticket_id: int) -> Mapping[str, object]:
    if receivers.posthog is None:
        return {}
    created = receivers.posthog.named("ticket_created")
    return next((event.properties for event in created if event.properties.get("ticket_id") == ticket_id), {})


def _logged(receivers: Receivers, part: str) -> str:
    if receivers.otlp is None:
        return ""
    bodies = (str(log.body) for log in tuple(receivers.otlp.logs))
    return next((body for body in bodies if body.startswith(part)), "")
