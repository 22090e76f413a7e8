"""A text in; out the same text with markers in place of what the detectors find, the same object if that is nothing.

Runs wherever a filter runs. Linear in the text, and bounded: what is past the limit is cut off, after a look far enough
beyond it that no secret is cut in two and left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from otel_posthog.privacy.detectors import LONG_NUMBER, Detector, Span, detectors
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.privacy.reveal import reveal

# Wider than what a detector needs to see of a hit to know it: an address is up to 320 characters long.
_MARGIN_CHARS = 512
_SHORTEST_HIT = 5  # `pwd=x`
# A value grown together with another may come to light when that one goes; three rounds settle all but the contrived.
_MAX_ROUNDS = 3
_APART = frozenset(" \t\n\"'`=&?/,;()<>[]{}|#")

_DIGIT = re.compile(r"\d")

# Too short for a key, and without what any other hit needs: enums, names of things, most values there are.
_PLAIN_WORD = re.compile(r"[A-Za-z_.,/()'!-]{0,19}")

Fired = list[str]


class Scanner:
    """The detectors of one policy.

    Args:
        names: The detectors that are on.
        facts_of: The key rules.
    """

    def __init__(self, names: Collection[str], facts_of: Callable[[str], KeyFacts]) -> None:
        self._detectors = detectors(names, facts_of)
        self._wordy = tuple(each for each in self._detectors if not each.numeric and not each.long_number)
        self._short = tuple(each for each in self._detectors if not each.long_number)
        self._versions = tuple(each for each in self._detectors if each.in_versions)
        self._encoded = tuple(each for each in self._detectors if each.encoded)

    def clean(self, text: str, *, max_chars: int, version: bool = False, fired: Fired | None = None) -> str:
        """Return `text` with every hit replaced by its marker.

        Args:
            text: Any text.
            max_chars: What is kept of it, in characters.
            version: Whether its key says that it is a version.
            fired: Gets the names of what was found, `max_string_chars` for a cut.
        """
        if len(text) <= max_chars:
            return self._clean(text, version, fired)
        if fired is not None:
            fired.append("max_string_chars")
        window = self._clean(text[: max_chars + _MARGIN_CHARS], version, fired)
        if len(text) <= max_chars + _MARGIN_CHARS:
            return window[:max_chars]
        # The last of the window may be half of something: it served to be looked at, and goes.
        return window[: min(max_chars, max(0, len(window) - _MARGIN_CHARS))]

    def _clean(self, text: str, version: bool, fired: Fired | None) -> str:
        if len(text) < _SHORTEST_HIT or _PLAIN_WORD.fullmatch(text):
            return text
        for _ in range(_MAX_ROUNDS):
            text, settled = self._round(text, version, fired)
            if settled:
                break
        return text

    def _round(self, text: str, version: bool, fired: Fired | None) -> tuple[str, bool]:
        """Return `text` after one look of every detector, and whether another could see no more."""
        plain, offsets = reveal(text)
        if offsets is not None:
            text = self._round_encoded(text, fired)
            plain, offsets = reveal(text)
        settled = True
        for detector in self._fitting(plain, version):
            spans = detector.find(plain)
            if spans:
                # Which digits belong together is told by those around them, also across a space.
                apart = offsets is None and not detector.long_number and _stand_apart(text, spans)
                settled = settled and apart
                text = _replace(text, spans, offsets, detector)
                plain, offsets = reveal(text)
                _note(detector, fired)
        return text, settled

    def _fitting(self, plain: str, version: bool) -> tuple[Detector, ...]:
        """Return the detectors that could find something in `plain`, by what it consists of."""
        if _DIGIT.search(plain) is None:
            return self._wordy
        if version:
            return self._versions
        return self._detectors if LONG_NUMBER.search(plain) else self._short

    def _round_encoded(self, text: str, fired: Fired | None) -> str:
        for detector in self._encoded:
            spans = detector.find(text)
            if spans:
                text = _replace(text, spans, None, detector)
                _note(detector, fired)
        return text


def _note(detector: Detector, fired: Fired | None) -> None:
    if fired is not None and detector.name not in fired:
        fired.append(detector.name)


def _stand_apart(text: str, spans: list[Span]) -> bool:
    size = len(text)
    return all(
        (start == 0 or text[start - 1] in _APART) and (end == size or text[end] in _APART) for start, end in spans
    )


def _replace(text: str, spans: list[Span], offsets: list[int] | None, detector: Detector) -> str:
    parts: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if offsets is not None:
            start, end = offsets[start], offsets[end]  # noqa: PLW2901 - the same span, in the text as it was
        if start >= done:
            parts += (text[done:start], detector.marker)
        done = max(done, end)
    parts.append(text[done:])
    return "".join(parts)
