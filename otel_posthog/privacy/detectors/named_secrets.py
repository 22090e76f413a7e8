"""Secrets that stand beside their name with no sign between them: `secret`.

By their place in a text: elements of markup, parts of a form, tuples; in SQL, what a sensitive column is compared with,
gets by position or is set to. In sentences: `my password is x1`. The key rules decide which names are sensitive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span, merge_overlaps
from otel_posthog.privacy.detectors.key_value_pairs import OPENING, PairKey, is_worth_hiding
from otel_posthog.privacy.detectors.prefilter import DIGIT, GAP, QUOTE, SLASH
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.regex import regex

ReadKey = Callable[[str], PairKey]

# `<password>x</`, `<password type="a">x`, `<entry key="password">x</`
_ELEMENT = regex(
    r"<(?:[\w-]{1,32}:)?(?P<tag>[\w.-]{1,64})(?P<attributes>\s[^<>]{0,512})?>(?P<verbatim><!\[CDATA\[)?(?P<content>[^<>]+)"
    r"(?P<end></)?"
)
_NAME_ATTRIBUTE = regex(r"\s(?:name|key|id)\s{0,3}=\s{0,3}[\"']?([\w.-]{1,64})")

# A part of a form: its headers, an empty line, its content.
_PART = regex(
    r"name=\"(?P<key>[\w.-]{1,64})\"[^\r\n]{0,256}(?:\r?\n[^\r\n]{1,256}){0,3}\r?\n\r?\n"
    r"(?P<content>[^\r\n]+)"
)
# `('password', 'x')`, `(b'authorization', b'x')`; `('password', 'otp')` are two names.
_TUPLE = regex(
    r"[(\[]\s{0,2}[bru]?(?P<quote>[\"'])(?P<key>[\w. -]{1,64})(?P=quote)\s{0,2},\s{0,2}(?P<kind>[bru]?)"
    r"(?:'(?P<single>(?:[^'\\]|\\.)*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\")\s{0,2}[)\]]"
)
_NAME = regex(r"[a-z][a-z_-]{1,31}")
# `my password is x1`: what follows has a digit, and is no measure (`8-16 characters`).
_IS_SAID = regex(r" is [\"']?((?=\S{0,64}[0-9])(?![0-9]{1,3}(?:-|\Z))[^\s\"']{4,})")
_SENTENCE_CHARS = 48


def secrets_by_place(read_key: ReadKey) -> Detector:
    """Return the detector of secrets whose names are joined to them by their place.

    Args:
        read_key: Reads names.
    """

    # Each search of a text costs: what almost none has comes first.
    def find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
        spans = list(_in_elements(text, read_key)) if "<" in text and ">" in text else []
        if "'" in text or '"' in text:
            spans += _in_sql(text, text.lower(), read_key)
            if ("'," in text or '",' in text) and ("(" in text or "[" in text):
                spans += _in_tuples(text, read_key)
            if 'name="' in text and "\n" in text:
                spans += _in_parts(text, read_key)
        elif "(" in text and ("VALUES" in text or "values" in text or "IN (" in text or "in (" in text):
            spans += _in_sql(text, text.lower(), read_key)
        return merge_overlaps(spans) if len(spans) > 1 else spans

    return Detector("secret", find, needs_one=QUOTE | SLASH, gives_way=False)


def secrets_in_sentences(read_key: ReadKey) -> Detector:
    """Return the detector of secrets in sentences: `my password is x1`.

    Args:
        read_key: Reads names.
    """

    def find(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
        return list(_in_sentences(text, read_key)) if " is " in text else []

    return Detector("secret", find, needs=GAP | DIGIT, gives_way=False)


def _worth_hiding(text: str, found: Iterable[tuple[PairKey, Span]]) -> Iterator[Span]:
    return (span for key, span in found if key.sensitive and is_worth_hiding(text, span, key.facts))


def _in_tuples(text: str, read_key: ReadKey) -> Iterator[Span]:
    found = ((read_key(match["key"]), match) for match in _TUPLE.finditer(text))
    values = ((key, match, match.span("single" if match["double"] is None else "double")) for key, match in found)
    names = ((key, span) for key, match, span in values if match["kind"] or not _NAME.fullmatch(text, *span))
    return _worth_hiding(text, names)


def _in_parts(text: str, read_key: ReadKey) -> Iterator[Span]:
    return _worth_hiding(text, ((read_key(match["key"]), match.span("content")) for match in _PART.finditer(text)))


def _in_elements(text: str, read_key: ReadKey) -> Iterator[Span]:
    for element in _ELEMENT.finditer(text):
        attributes = element["attributes"] or ""
        if not (attributes or element["end"] or element["verbatim"]):
            continue
        start, end = element.span("content")
        end -= 2 if element["verbatim"] else 0
        name = _NAME_ATTRIBUTE.search(attributes)
        keys = [read_key(each) for each in ((element["tag"],) if name is None else (element["tag"], name[1]))]
        yield from _worth_hiding(text, [(key, (start, end)) for key in keys])


def _in_sentences(text: str, read_key: ReadKey) -> Iterator[Span]:
    for match in _IS_SAID.finditer(text):
        before = text[max(0, match.start() - _SENTENCE_CHARS) : match.start()]
        key = read_key(" ".join(before.split()[-2:]))
        if key.sensitive and key.facts.credential:
            start, end = match.span(1)
            yield from _worth_hiding(text, [(key, (start, start + len(text[start:end].rstrip(".,;:!?)"))))])


_QUOTED = r"'(?P<single>(?:[^'\\]|\\.|'')*)'?|\"(?P<double>(?:[^\"\\]|\\.|\"\")*)\"?"

# What compares a column with a literal; both are looked at only around one of these.
_OPERATOR = regex(
    r"(?:<>|[!^<>]=|[<>]|!?~~?\*?"
    r"|(?<![\w.])(?:(?:NOT\s{1,3})?(?:I?LIKE|RLIKE|REGEXP|GLOB|SIMILAR\s{1,3}TO|IN|BETWEEN)"
    r"|IS\s{1,3}(?:NOT\s{1,3})?DISTINCT\s{1,3}FROM))"
    rf"\s{{0,3}}\(?\s{{0,3}}{OPENING}?(?=['\"0-9-])",
    re.IGNORECASE,
)
_COLUMN_REVERSED = regex(r"\s{0,3}\)?[\"'`\]]?(?P<key>[\w$]{1,64})")
_COLUMN_CHARS = 72
_COMPARED = regex(rf"{_QUOTED}|(?P<number>-?[0-9][0-9.]{{0,30}})", re.DOTALL)
_NEXT = regex(rf"\s{{0,8}}(?:,|AND\b)\s{{0,8}}{OPENING}?", re.IGNORECASE)

# Columns, and what is given for each: `(a, b) VALUES (1, 2), (3, 4)`, `SET (a, b) = (1, 2)`.
_ROWS = regex(
    r"\(([^()]{1,8192})\)\s{0,8}(?:(?:OVERRIDING|OUTPUT)\s[^()]{1,256})?(?:VALUES?\b|=\s{0,8}(?:ROW\b)?)\s{0,8}(?=\()",
    re.IGNORECASE,
)
_TOKEN = regex(rf"{_QUOTED}|(?P<sign>[(),])|(?P<number>[^'\"(),]+)", re.DOTALL)
_NUMBER = regex(r"\s*(?P<number>0x[0-9A-Fa-f]{2,}|-?[0-9]+)\s*")

# `PASSWORD '…'`, `IDENTIFIED BY '…'`, `SET PASSWORD FOR jo = '…'`; without its end a quote may be an apostrophe.
_STATED = regex(
    r"(?<![\w'\"])(?:IDENTIFIED\s{1,4}(?:WITH\s{1,4}\S{1,64}\s{1,4})?(?:BY|AS)(?:\s{1,4}PASSWORD)?"
    r"|PASSWORD\s{1,4}FOR\s{1,4}\S{1,128}\s{0,4}=|PASSWORD|PASSWD|PASSPHRASE)"
    r"(?:\s{1,4}|\s{0,4}\(\s{0,4}|(?<==))"
    rf"{OPENING}?(?:'(?P<single>(?:[^'\\]|\\.|'')*)'|\"(?P<double>(?:[^\"\\]|\\.|\"\")*)\")",
    re.IGNORECASE | re.DOTALL,
)


def _in_sql(text: str, low: str, read_key: ReadKey) -> Iterator[Span]:
    """Yield the spans of sensitive literals.

    Args:
        text: A text with a quote or an opening bracket.
        low: The same in small letters.
        read_key: Reads the names of columns.
    """
    # Each search of a text costs: what is in every statement of a kind decides whether more is looked for.
    if "where" in low and _may_compare(low):
        yield from _compared(text, read_key)
    if "values" in low or " set" in low:
        yield from _in_rows(text, read_key)
    if ("passw" in low or "identified" in low or "passphrase" in low) and read_key("password").sensitive:
        spans = (match.span(match.lastgroup or 0) for match in _STATED.finditer(text))
        yield from (span for span in spans if is_worth_hiding(text, span, read_key("password").facts))


def _may_compare(low: str) -> bool:
    # Spelled out: `any` over them takes longer than the search it saves.
    return (
        "<" in low or ">" in low or "!=" in low or "like" in low or " in" in low or "between" in low or "~" in low
        or "regexp" in low or "glob" in low or "similar" in low or "distinct" in low
    )  # fmt: skip


def _compared(text: str, read_key: ReadKey) -> Iterator[Span]:
    at = 0
    while operator := _OPERATOR.search(text, at):
        at = operator.end()
        before = text[max(0, operator.start() - _COLUMN_CHARS) : operator.start()][::-1]
        column = _COLUMN_REVERSED.match(before)
        key = None if column is None else read_key(column["key"][::-1])
        if key is None or not key.sensitive:
            continue
        while literal := _COMPARED.match(text, at):
            span = literal.span(literal.lastgroup or 0)
            if is_worth_hiding(text, span, key.facts):
                yield span
            further = _NEXT.match(text, literal.end())
            at = literal.end() if further is None else further.end()
            if further is None:
                break


def _in_rows(text: str, read_key: ReadKey) -> Iterator[Span]:
    at = 0
    while rows := _ROWS.search(text, at):
        names = [column.strip(' `"[]\t\r\n').rpartition(".")[2].strip('`"[') for column in rows[1].split(",")]
        hidden = {place: read_key(name) for place, name in enumerate(names) if name and read_key(name).sensitive}
        at = rows.end()
        if hidden:
            # What was read as rows is not read again: brackets that never close would else cost their square.
            at, spans = _by_place(text, at, hidden)
            yield from spans


def _by_place(text: str, start: int, hidden: dict[int, PairKey]) -> tuple[int, list[Span]]:
    """Return where the rows that begin at `start` end, and what stands at the places `hidden` of them."""
    spans: list[Span] = []
    depth = place = 0
    for token in _TOKEN.finditer(text, start):
        sign, kind = token["sign"], token.lastgroup
        if sign == "(":
            depth, place = depth + 1, place if depth else 0
        elif sign == ")":
            depth -= 1
        elif sign == ",":
            place += depth == 1
        elif not depth:
            # Behind the last row another clause begins.
            if not token.group().isspace():
                return token.start(), spans
        elif place in hidden:
            given = _NUMBER.fullmatch(text, *token.span()) if kind == "number" else token
            if given is not None and is_worth_hiding(text, given.span(kind or 0), hidden[place].facts):
                spans.append(given.span(kind or 0))
    return len(text), spans
