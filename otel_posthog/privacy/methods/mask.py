"""A mask in place of a value: always as long, so that it tells neither the characters nor how many there were."""

from __future__ import annotations

MASK = "****"

MAX_KEEP_LAST = 4
"""What receipts print of a card (PCI DSS 3.4.1 allows the last four digits); more would begin to identify."""

# Of a short value the last four characters are most of it: at least three times as many stay hidden.
_MIN_CHARS_PER_KEPT = 4


def mask(text: str, keep_last: int = 0) -> str:
    """Return the mask of `text`; of what is a mask already, the same.

    Args:
        text: Any text.
        keep_last: How many of its last characters follow the mask, at most 4 and at most a quarter of the text.
    """
    if is_mask(text, keep_last):
        return text
    kept = min(keep_last, MAX_KEEP_LAST, len(text) // _MIN_CHARS_PER_KEPT)
    return f"{MASK}{text[-kept:]}" if kept > 0 else MASK


def is_mask(text: str, keep_last: int) -> bool:
    """Return whether `text` is a mask with at most `keep_last` characters behind it."""
    return text.startswith(MASK) and len(text) <= len(MASK) + min(keep_last, MAX_KEEP_LAST)
