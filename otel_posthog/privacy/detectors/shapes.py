"""Secrets whose name stands beside them in a text, with no sign between: SQL, markup, forms, tuples, prose."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span, apart
from otel_posthog.privacy.detectors.look import DIGIT, GAP, QUOTE, SLASH
from otel_posthog.privacy.detectors.pairs import PairKey, is_worth_hiding
from otel_posthog.privacy.detectors.sql import in_sql
from otel_posthog.privacy.keys import KeyFacts

Read = Callable[[str], PairKey]

# `<password>x</`, `<password type="a">x`, `<entry key="password">x</`
_ELEMENT = re.compile(
    r"<(?:[\w-]{1,32}:)?(?P<tag>[\w.-]{1,64})(?P<attributes>\s[^<>]{0,512})?>(?P<verbatim><!\[CDATA\[)?(?P<content>[^<>]+)"
    r"(?P<end></)?"
)
_NAME_ATTRIBUTE = re.compile(r"\s(?:name|key|id)\s{0,3}=\s{0,3}[\"']?([\w.-]{1,64})")

# A part of a form: its headers, an empty line, its content.
_PART = re.compile(
    r"name=\"(?P<key>[\w.-]{1,64})\"[^\r\n]{0,256}(?:\r?\n[^\r\n]{1,256}){0,3}\r?\n\r?\n"
    r"(?P<content>[^\r\n]+)"
)
# `('password', 'x')`, `(b'authorization', b'x')`; `('password', 'otp')` are two names.
_TUPLE = re.compile(
    r"[(\[]\s{0,2}[bru]?(?P<quote>[\"'])(?P<key>[\w. -]{1,64})(?P=quote)\s{0,2},\s{0,2}(?P<kind>[bru]?)"
    r"(?:'(?P<single>(?:[^'\\]|\\.)*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\")\s{0,2}[)\]]"
)
_NAME = re.compile(r"[a-z][a-z_-]{1,31}")
# `my password is x1`: what follows has a digit, and is no measure (`8-16 characters`).
_SAID = re.compile(r" is [\"']?((?=\S{0,64}[0-9])(?![0-9]{1,3}(?:-|\Z))[^\s\"']{4,})")
_LOOK_BACK_CHARS = 48


def shapes(read: Read) -> Detector:
    """Return the detector of secrets whose names are joined to them by their place.

    Args:
        read: Reads names.
    """

    # Each search of a text costs: what almost none has comes first.
    def find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
        spans = list(_in_elements(text, read)) if "<" in text and ">" in text else []
        if "'" in text or '"' in text:
            spans += in_sql(text, text.lower(), read)
            if ("'," in text or '",' in text) and ("(" in text or "[" in text):
                spans += _in_tuples(text, read)
            if 'name="' in text and "\n" in text:
                spans += _in_parts(text, read)
        elif "(" in text and ("VALUES" in text or "values" in text or "IN (" in text or "in (" in text):
            spans += in_sql(text, text.lower(), read)
        return apart(spans) if len(spans) > 1 else spans

    return Detector("secret", find, needs_one=QUOTE | SLASH, gives_way=False)


def said(read: Read) -> Detector:
    """Return the detector of secrets in sentences: `my password is x1`.

    Args:
        read: Reads names.
    """

    def find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
        return list(_said(text, read)) if " is " in text else []

    return Detector("secret", find, needs=GAP | DIGIT, gives_way=False)


def _worth_hiding(text: str, found: Iterable[tuple[PairKey, Span]]) -> Iterator[Span]:
    return (span for key, span in found if key.sensitive and is_worth_hiding(text, span, key.facts))


def _in_tuples(text: str, read: Read) -> Iterator[Span]:
    found = ((read(match["key"]), match) for match in _TUPLE.finditer(text))
    values = ((key, match, match.span("single" if match["double"] is None else "double")) for key, match in found)
    names = ((key, span) for key, match, span in values if match["kind"] or not _NAME.fullmatch(text, *span))
    return _worth_hiding(text, names)


def _in_parts(text: str, read: Read) -> Iterator[Span]:
    return _worth_hiding(text, ((read(match["key"]), match.span("content")) for match in _PART.finditer(text)))


def _in_elements(text: str, read: Read) -> Iterator[Span]:
    for element in _ELEMENT.finditer(text):
        attributes = element["attributes"] or ""
        if not (attributes or element["end"] or element["verbatim"]):
            continue
        start, end = element.span("content")
        end -= 2 if element["verbatim"] else 0
        name = _NAME_ATTRIBUTE.search(attributes)
        keys = [read(each) for each in ((element["tag"],) if name is None else (element["tag"], name[1]))]
        yield from _worth_hiding(text, [(key, (start, end)) for key in keys])


def _said(text: str, read: Read) -> Iterator[Span]:
    for match in _SAID.finditer(text):
        before = text[max(0, match.start() - _LOOK_BACK_CHARS) : match.start()]
        key = read(" ".join(before.split()[-2:]))
        if key.sensitive and key.facts.credential:
            start, end = match.span(1)
            yield from _worth_hiding(text, [(key, (start, start + len(text[start:end].rstrip(".,;:!?)"))))])
