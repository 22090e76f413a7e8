"""Look for planted values in raw bytes, in every spelling in which telemetry may carry them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from otel_posthog.apps.demo.planted import Planted

OVERLAP_BYTES = 512
EXCERPT_BYTES = 48
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
    around = received[max(0, place - EXCERPT_BYTES) : place + EXCERPT_BYTES]
    return UNPRINTABLE.sub(b" ", around).decode("ascii").strip()
