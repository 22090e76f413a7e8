"""The last stage of a preview that shows: each event is printed as it would be sent, and nothing is sent."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress

from otel_posthog.deliver.preview import Preview
from otel_posthog.model import CleanEvent

_KEY_WIDTH = 24


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
