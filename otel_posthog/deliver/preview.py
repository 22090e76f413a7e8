"""The last stage of a preview, in place of the delivery: events are counted, nothing is kept, nothing is sent.

`Console` prints each event as it would be sent, besides. Any thread calls it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from otel_posthog import health as outcome
from otel_posthog.deliver.delivery import Delivery
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import Policy

_KEY_WIDTH = 24


class Preview(Delivery):
    """A delivery without senders: no store, no thread, no connection.

    Args:
        policy: How to deliver; its destinations are left out.
        health: Counts the events as `previewed`, by destination.
        guard: Keeps errors of ours out of the host app.
    """

    def __init__(self, policy: Policy, health: Health, guard: Guard) -> None:
        super().__init__(replace(policy, destinations=()), health, guard)

    def extend(self, policy: Policy) -> None:
        """Make no sender for a further destination either."""

    def accept(self, events: Sequence[CleanEvent]) -> bool:
        """Count `events`; nothing of them has to be kept."""
        self.submit(*events)
        return True

    def submit(self, *events: CleanEvent) -> None:
        """Count `events`."""
        for event in events:
            self._health.count(outcome.PREVIEWED, event.destination)


class Console(Preview):
    """Prints each event on standard error, one block each, and counts it as a preview does."""

    def submit(self, *events: CleanEvent) -> None:
        """Print and count `events`."""
        for event in events:
            _show(event)
        super().submit(*events)


def _show(event: CleanEvent) -> None:
    text = "\n".join(lines(event)) + "\n"
    with suppress(AttributeError, OSError, ValueError):  # none, full, closed
        encoding = getattr(sys.stderr, "encoding", None) or "ascii"
        # In one piece: several threads and processes may print.
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stderr.flush()


def lines(event: CleanEvent) -> Iterator[str]:
    """Yield the lines that show `event`: its name and destination, who, its properties, and what else PostHog gets."""
    sent = json.loads(event.body)
    properties, options = sent.pop("properties"), sent.pop("options", {})
    yield f"-> {event.destination}: {printable(sent.pop('event'))}"
    yield _row("distinct_id", sent.pop("distinct_id"))
    for key in sorted(properties, key=lambda each: (each.startswith("$"), each)):
        yield _row(key, properties[key])
    for part in (sent, options):
        yield from (_row(key, value) for key, value in part.items())


def _row(key: str, value: object) -> str:
    if isinstance(value, (Mapping, list)):
        text = json.dumps(value, ensure_ascii=False)
    else:
        # A text that reads as something else is quoted, so that "7" is not taken for 7.
        text = value if isinstance(value, str) and _is_plain(value) else json.dumps(value, ensure_ascii=False)
    return f"     {printable(key):<{_KEY_WIDTH}}  {printable(text)}"


def _is_plain(text: str) -> bool:
    if not text or text != text.strip() or text[0] in '"[{':
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return True
    return False


def printable(text: str) -> str:
    """Return `text` with every character that a terminal could take for an instruction written out."""
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
