"""The scanner: runs the detectors over a text and replaces their hits; a text without hits stays the same object.

Runs on the thread of the filter. Linear in the text, and bounded: a long text is cut, after a look far enough beyond
the limit that no half of a secret is left. Each replacement may bring another hit to light, so a text is scanned until
it is clean; one that is not clean after a bounded number of scans is replaced whole.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from otel_posthog.harmless import Harmless
from otel_posthog.model import REDACTED
from otel_posthog.policy.defaults import DETECTORS
from otel_posthog.privacy.detectors import PEM, USERINFO, Detector, Find, Span, detectors, whole_until
from otel_posthog.privacy.detectors.prefilter import LONG_TOKEN, NUMBER, features_of
from otel_posthog.privacy.encodings import base64_texts, decode, may_be_encoded, without_escaped_breaks
from otel_posthog.privacy.keys import NO_FACTS, PAGE_FACTS, KeyFacts
from otel_posthog.privacy.methods import AFTER_CHARS, MARKERS, HitMethods
from otel_posthog.regex import regex

Fired = list[str]
Hit = tuple[int, int, Detector]
Cut = tuple[int, int, str, str]
CountActions = Callable[[Iterable[tuple[str, str, str]]], None]
"""Called with what was done, as in receipts: key, rule, action."""

# More than a detector needs to see of a hit: an e-mail address has up to 320 characters.
_MARGIN_CHARS = 512
_SHORTEST_HIT = 5  # `pwd=x`
CUT = "max_string_chars"
"""The rule of a text that was cut to its length."""

UNSETTLED = "max_reads"
"""The rule of a text that was replaced whole, because it was not clean after as many scans as allowed."""

# A value that touches another may show only when that one is replaced. Almost every text settles in one round; one that
# does not in this many was made to. All rounds together read a few times the length of a long text.
_MAX_ROUNDS = 16
_SPARE_CHARS, _READS = 8192, 3
_GAP_CHARS = 4
_MAX_FITTING = 4096  # texts of a program have some hundred combinations of features
_MOST_COMPARED = 8  # in a text full of numbers every detector looks at each of them
_MARKER = regex(rf"\[(?:{'|'.join(sorted(DETECTORS))})\]|{re.escape(REDACTED)}")
_LONGEST_MARKER = max(map(len, (*DETECTORS, REDACTED))) + 2

# How sure each detector's hits are, in the order in which the detectors run.
_SURENESS = {"email": 1, "mac": 0, "ip": 0, "iban": 2, "card": 2, "ssn": 0, "national_id": 0, "phone": 0, "gps": 0}
_RANK = {name: rank for rank, name in enumerate(_SURENESS)}
_WHOLES = frozenset(_SURENESS)
_SUREST = 3  # of a secret

# Most values: short words without what a hit needs, UUIDs, timestamps, hashes.
_HARMLESS = regex(
    # MAC addresses and phone numbers may have few characters, too. What rules them out comes after the first character,
    # by which the engine chooses between the alternatives at once.
    r"[A-Za-z_.,()'!-](?!(?<=[A-Fa-f])(?:[A-Fa-f]-(?:[A-Fa-f]{2}-){4}|[A-Fa-f]{3}\.[A-Fa-f]{4}\.))[A-Za-z_.,()'!-]{0,18}"
    r"|[A-Za-z]{1,12}[_-][0-9]{1,5}"
    r"|[0-9](?![0-9]{2}\.[0-9]{3}\.[0-9]{4}|[0-9]{3}\.[0-9]{4}\.)[0-9]{0,5}(?:\.[0-9]{1,5}){0,2}[A-Za-z%]{0,3}"
    r"|v[0-9]{1,6}(?:\.[0-9]{1,5}){0,2}[A-Za-z%]{0,3}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|[12][0-9]{3}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
    # Sixteen digits at the end might be a card's.
    r"|[0-9a-f]{16}(?:[0-9a-f]{16}(?:[0-9a-f]{8}(?:[0-9a-f]{24})?)?)?(?<![0-9]{16})"
)


class Scanner:
    """The detectors of one policy.

    Args:
        names: The detectors that are on.
        facts_of: The key rules.
        note: Called for each text that was replaced whole because it did not settle.
    """

    def __init__(
        self, names: Collection[str], facts_of: Callable[[str], KeyFacts], note: CountActions | None = None
    ) -> None:
        self._note = note
        self._detectors = detectors(names, facts_of)
        self._userinfo = USERINFO in self._detectors
        # Texts without hits, by the detectors that did not look. Only for keys without facts and for pages: under
        # another key the same text may be a hit.
        self._harmless: dict[frozenset[str], Harmless] = defaultdict(Harmless)
        self._harmless_pages: dict[frozenset[str], Harmless] = defaultdict(Harmless)
        self._fitting = _Fitting(self._detectors)

    def clean(
        self,
        text: str,
        max_chars: int,
        facts: KeyFacts = NO_FACTS,
        fired: Fired | None = None,
        methods: HitMethods = MARKERS,
    ) -> str:
        """Return `text` with every hit replaced.

        Args:
            text: Any text.
            max_chars: What is kept of it, in characters.
            facts: What its key says of it.
            fired: Gets the names of what was found, `max_string_chars` for a cut, `max_reads` where all was replaced.
            methods: Which detectors look, and what stands for a hit of each.
        """
        size = len(text)
        if size <= max_chars:
            if size < _SHORTEST_HIT or (_HARMLESS.fullmatch(text) and not facts.kinds):
                return text
            cleaned = self._clean(text, facts, fired, methods)
            # A marker may be longer than what it stands for.
            if len(cleaned) > max_chars and fired is not None:
                fired.append(CUT)
            return cleaned if len(cleaned) <= max_chars else until(cleaned, max_chars)
        if fired is not None:
            fired.append(CUT)
        window = whole_until(text, max_chars + _MARGIN_CHARS)
        window = self._clean(window, facts, fired, methods)
        if size <= max_chars + _MARGIN_CHARS:
            return until(window, max_chars)
        # The end of the window may be half of something; it was only read for what begins before it.
        return until(window, min(max_chars, max(0, len(window) - _MARGIN_CHARS)))

    def _known(self, facts: KeyFacts, skipped: frozenset[str]) -> Harmless | None:
        """Return what is remembered of texts under keys with these facts, if anything is."""
        if facts is NO_FACTS:
            return self._harmless[skipped]
        return self._harmless_pages[skipped] if facts is PAGE_FACTS else None

    def _clean(self, text: str, facts: KeyFacts, fired: Fired | None, methods: HitMethods) -> str:
        left_chars = _SPARE_CHARS + _READS * len(text)
        for _ in range(_MAX_ROUNDS):
            left_chars -= len(text)
            if left_chars < 0:
                break
            hits = self._hits(text, facts, methods.skipped)
            if not hits:
                return text
            if methods.skipped:
                hits = self._without_pieces(hits, text, facts, methods.skipped)
            cuts = _cuts(text, hits, methods)
            if not cuts:
                return text
            if fired is not None:
                _note(cuts, fired)
            text = _replaced(text, cuts)
        # Nobody knows what else is in it: none of it may leave.
        if fired is not None:
            fired.append(UNSETTLED)
        if self._note is not None:
            self._note((("", UNSETTLED, "replaced"),))
        return REDACTED

    def _hits(self, text: str, facts: KeyFacts, skipped: frozenset[str]) -> list[Hit]:
        """Return what is found in `text`, ascending and apart."""
        # Asked in every round, and for what base64 hides: texts that differ in a hit are often the same without it, and
        # tokens of a kind have the same head.
        known = self._known(facts, skipped)
        if known is not None and type(text) is str and ("", text) in known.values:
            return []
        hits = self._hits_anew(text, facts, skipped)
        if known is not None and not hits:
            known.remember("", text)
        return hits

    def _hits_anew(self, text: str, facts: KeyFacts, skipped: frozenset[str]) -> list[Hit]:
        plain, offsets = decode(text) if may_be_encoded(text) else (text, None)
        hits = self._hits_in(plain, offsets, text, facts, skipped)
        if "\\" in plain and (broken := without_escaped_breaks(plain)) is not plain:
            hits = _united(hits, self._hits_in(broken, offsets, text, facts, skipped))
        return hits

    def _hits_in(
        self, plain: str, offsets: list[int] | None, text: str, facts: KeyFacts, skipped: frozenset[str]
    ) -> list[Hit]:
        """Return what is found in `plain`, the reading of `text` whose characters are at `offsets` there."""
        seen, runs = features_of(plain)
        fitting = self._fitting[seen * 2 + facts.version, skipped]
        hits: list[Hit] = []
        if seen & LONG_TOKEN and not plain.islower():
            hits = self._hits_in_base64(plain, skipped, offsets)
        if not fitting and offsets is None:
            return hits
        # Credentials in URLs are also looked for in the encoded text: decoded, `%22` in a password would end it.
        if offsets is not None and self._userinfo and USERINFO.name not in skipped:
            hits = _merged(hits, USERINFO.find(text, facts, ()), USERINFO, None)
        gone = 0
        for detector, find in fitting:
            if gone and detector.needs & gone:
                continue
            spans = find(plain, facts, runs)
            if spans:
                if runs:
                    runs = [run for run in runs if not _is_covered(run, spans)]
                    gone = 0 if runs else NUMBER
                hits = _merged(hits, spans, detector, offsets)
                if detector is PEM:
                    # Lines of a private key look like many things: the rest is scanned without them, in another round.
                    return hits
        return hits

    def _without_pieces(self, hits: list[Hit], text: str, facts: KeyFacts, skipped: frozenset[str]) -> list[Hit]:
        """Return `hits` without pieces of values whose detector is off: those are to stay."""
        off = _WHOLES.intersection(skipped)
        wholes = self._hits(text, facts, DETECTORS - off) if off else ()
        return [hit for hit in hits if not any(_is_piece(hit, whole) for whole in wholes)]

    def _hits_in_base64(self, plain: str, skipped: frozenset[str], offsets: list[int] | None) -> list[Hit]:
        hits: list[Hit] = []
        for start, end, inner in base64_texts(plain):
            found = self._hits(inner, NO_FACTS, skipped)
            hits = _merged(hits, [(start, end)], found[0][2], offsets) if found else hits
        return hits


class _Fitting(dict[tuple[int, frozenset[str]], tuple[tuple[Detector, Find], ...]]):
    """Which detectors a text of certain features needs, and how each of them finds hits there; computed once for each.

    Args:
        on: The detectors of the policy.
    """

    def __init__(self, on: Iterable[Detector]) -> None:
        super().__init__()
        self._on = tuple(on)

    def __missing__(self, kind: tuple[int, frozenset[str]]) -> tuple[tuple[Detector, Find], ...]:
        (seen, version), skipped = divmod(kind[0], 2), kind[1]
        on = (each for each in self._on if each.name not in skipped and each.fits(seen, version=bool(version)))
        fitting = tuple((each, each.finder(seen)) for each in on)
        if len(self) >= _MAX_FITTING:
            self.clear()
        self[kind] = fitting
        return fitting


def until(text: str, end: int) -> str:
    """Return `text` up to `end`, or up to a marker that would be cut in two there: half of one looks like a value."""
    if len(text) <= end:
        return text
    opened = text.rfind("[", max(0, end - _LONGEST_MARKER), end)
    marker = _MARKER.match(text, opened) if opened >= 0 else None
    return text[: opened if marker is not None and marker.end() > end else end]


def _is_piece(hit: Hit, whole: Hit) -> bool:
    """Return whether `hit` is a less sure, or later, reading of `whole` or of a part of it."""
    name, other = hit[2].name, whole[2].name
    if hit[0] >= whole[1] or whole[0] >= hit[1] or _SURENESS.get(name, _SUREST) > _SURENESS[other]:
        return False
    if hit[:2] == whole[:2]:
        return _RANK[name] > _RANK[other]
    return not (hit[0] <= whole[0] and whole[1] <= hit[1])


def _is_covered(run: re.Match[str], spans: list[Span]) -> bool:
    """Return whether `run` has no room for another number beside one of `spans`."""
    start, end = run.span()
    return any(start >= each[0] - _GAP_CHARS and end <= each[1] + _GAP_CHARS for each in spans[:_MOST_COMPARED])


def _cuts(text: str, hits: list[Hit], methods: HitMethods) -> list[Cut]:
    """Return what is replaced and by what, without hits that their method leaves as they are."""
    if not methods.replacements:
        return [(start, end, detector.name, detector.marker) for start, end, detector in hits]
    cuts = []
    for start, end, detector in hits:
        hit = text[start:end]
        # A method gets the value without its encodings, so that the same value is always the same.
        new = methods.replace(detector.name, decode(hit)[0], text[end : end + AFTER_CHARS])
        if new != hit:
            cuts.append((start, end, detector.name, new))
    return cuts


def _replaced(text: str, cuts: list[Cut]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, _, new in cuts:
        parts += (text[done:start], new)
        done = end
    parts.append(text[done:])
    return "".join(parts)


def _merged(hits: list[Hit], spans: list[Span], detector: Detector, offsets: list[int] | None) -> list[Hit]:
    """Return `hits` with `spans` added; of two that overlap the earlier one stays, unless the later covers it."""
    if offsets is not None:
        spans = [(offsets[start], offsets[end]) for start, end in spans]
    if not hits:
        return [(start, end, detector) for start, end in spans]
    merged: list[Hit] = []
    at, count = 0, len(hits)
    for start, end in spans:
        while at < count and hits[at][1] <= start:
            merged.append(hits[at])
            at += 1
        if (at < count and hits[at][0] < end) or (merged and start < merged[-1][1]):
            if detector.gives_way or (at < count and hits[at][0] <= start and end <= hits[at][1]):
                continue
            while at < count and hits[at][0] < end:
                start, end = min(start, hits[at][0]), max(end, hits[at][1])  # noqa: PLW2901 - grown by what it covers
                at += 1
            if merged and start < merged[-1][1]:
                start = merged.pop()[0]  # noqa: PLW2901 - the same
        merged.append((start, end, detector))
    merged += hits[at:]
    return merged


def _united(one: list[Hit], other: list[Hit]) -> list[Hit]:
    """Return the hits of two readings of a text; of two that overlap, what they cover together."""
    if not other or not one:
        return one or other
    united: list[Hit] = []
    for hit in sorted((*one, *other), key=lambda each: (each[0], -each[1])):
        if united and hit[0] < united[-1][1]:
            start, end, detector = united[-1]
            united[-1] = (start, max(end, hit[1]), detector)
        else:
            united.append(hit)
    return united


def _note(cuts: list[Cut], fired: Fired) -> None:
    for _, _, name, _ in cuts:
        if name not in fired:
            fired.append(name)
