"""Look for planted values in raw bytes, in every spelling in which telemetry may carry them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from otel_posthog.apps.demo.planted import Planted

OVERLAP_BYTES = 512
EXCERPT_BYTES = 48
MAX_STRING_BYTES = 1024
LENGTH_DELIMITED = 2  # the wire type of strings
UNPRINTABLE = re.compile(rb"[^\x20-\x7e]+")


def spellings(text: str) -> set[bytes]:
    """Return `text` as it stands in UTF-8, in JSON and in URLs."""
    encoded = {
        quote(text, safe=""),
        quote(text, safe="@:/+"),
        quote_plus(text),
        "".join(f"%{byte:02X}" for byte in text.encode()),
    }
    # Escapes are hexadecimal in either case; the text between them keeps its own.
    lower = {re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), spelling) for spelling in encoded}
    return {variant.encode() for variant in (text, json.dumps(text)[1:-1], *encoded, *lower)}


class LeakSearch:
    """Which planted values have been seen in what one side received; looks at new bytes only.

    Attributes:
        seen: The values seen so far, each with the bytes around its first place, made printable.
    """

    def __init__(self, planted: Iterable[Planted]) -> None:
        self.seen: dict[Planted, str] = {}
        self._wanted = {value: spellings(value.telltale) for value in planted}
        self._searched_bytes = 0

    def look(self, received: bytes) -> int:
        """Search what `received` has more than last time; return how many values have been seen so far."""
        new = received[max(0, self._searched_bytes - OVERLAP_BYTES) :]
        self._searched_bytes = len(received)
        for value in tuple(self._wanted):
            place = max(map(new.find, self._wanted[value]))
            if place >= 0:
                self.seen[value] = _excerpt(new, place)
                del self._wanted[value]
        return len(self.seen)


def _excerpt(received: bytes, place: int) -> str:
    """Return the text that stands at `place`, without what protobuf puts around it."""
    start, end = _string_at(received, place) or _printable_at(received, place)
    text = received[max(start, place - EXCERPT_BYTES) : min(end, place + EXCERPT_BYTES)]
    return text.decode("utf-8", "ignore").strip()


def _string_at(received: bytes, place: int) -> tuple[int, int] | None:
    """Return where the protobuf string begins and ends that holds `place`: it stands after its tag and its length."""
    # The longest: within a text two characters may look like a tag and a length too.
    for start in range(max(2, place - MAX_STRING_BYTES), place + 1):
        length, tag_at = received[start - 1], start - 2
        if length < 0x80 <= received[start - 2] and start > 2:
            length, tag_at = received[start - 2] & 0x7F | length << 7, start - 3
        end = start + length
        is_string = received[tag_at] & 7 == LENGTH_DELIMITED and place < end <= len(received)
        if is_string and not UNPRINTABLE.search(received, start, end):
            return start, end
    return None


def _printable_at(received: bytes, place: int) -> tuple[int, int]:
    start = max(
        (each.end() for each in UNPRINTABLE.finditer(received, max(0, place - EXCERPT_BYTES), place)), default=0
    )
    after = UNPRINTABLE.search(received, place)
    return start, after.start() if after else len(received)
