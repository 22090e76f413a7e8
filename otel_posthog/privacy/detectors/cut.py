"""A long text up to where it is cut, with nothing in it that can only be told by what stands behind the cut."""

from __future__ import annotations

import re

from otel_posthog.privacy.detectors.email import ADDRESS
from otel_posthog.privacy.detectors.secret import is_open_userinfo

_ADDRESS = re.compile(ADDRESS)


def whole_until(text: str, end: int) -> str:
    """Return `text` up to about `end`, in a form in which the detectors find what is cut there.

    Args:
        text: Any text; of one that is not longer, all is returned.
        end: Where it is cut, in characters.
    """
    if len(text) <= end:
        return text
    before, after = _ADDRESS.match(text[:end][::-1]), _ADDRESS.match(text, end)
    start = end - before.end() if before else end
    if text.find("@", start, after.end() if after else end) >= 0:
        end = start
    # An `@` ends the credentials of a URL, and a tag the element before it.
    return text[:end] + ("@" if is_open_userinfo(text[:end]) else "</")
