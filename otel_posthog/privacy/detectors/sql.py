"""Values of sensitive columns in SQL that no `=` joins: compared, listed, inserted by position, set for an account."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from otel_posthog.privacy.detectors.detector import Span
from otel_posthog.privacy.detectors.pairs import OPENING, PairKey, is_worth_hiding

_QUOTED = r"'(?P<single>(?:[^'\\]|\\.|'')*)'?|\"(?P<double>(?:[^\"\\]|\\.|\"\")*)\"?"

# What compares a column with a literal; both are looked at only around one of these.
_OPERATOR = re.compile(
    r"(?:<>|[!^<>]=|[<>]|!?~~?\*?"
    r"|(?<![\w.])(?:(?:NOT\s{1,3})?(?:I?LIKE|RLIKE|REGEXP|GLOB|SIMILAR\s{1,3}TO|IN|BETWEEN)"
    r"|IS\s{1,3}(?:NOT\s{1,3})?DISTINCT\s{1,3}FROM))"
    rf"\s{{0,3}}\(?\s{{0,3}}{OPENING}?(?=['\"0-9-])",
    re.IGNORECASE,
)
_COLUMN_REVERSED = re.compile(r"\s{0,3}\)?[\"'`\]]?(?P<key>[\w$]{1,64})")
_LOOK_BACK_CHARS = 72
_COMPARED = re.compile(rf"{_QUOTED}|(?P<number>-?[0-9][0-9.]{{0,30}})", re.DOTALL)
_NEXT = re.compile(rf"\s{{0,8}}(?:,|AND\b)\s{{0,8}}{OPENING}?", re.IGNORECASE)

# Columns, and what is given for each: `(a, b) VALUES (1, 2), (3, 4)`, `SET (a, b) = (1, 2)`.
_ROWS = re.compile(
    r"\(([^()]{1,8192})\)\s{0,8}(?:(?:OVERRIDING|OUTPUT)\s[^()]{1,256})?(?:VALUES?\b|=\s{0,8}(?:ROW\b)?)\s{0,8}(?=\()",
    re.IGNORECASE,
)
_TOKEN = re.compile(rf"{_QUOTED}|(?P<sign>[(),])|(?P<number>[^'\"(),]+)", re.DOTALL)
_NUMBER = re.compile(r"\s*(?P<number>0x[0-9A-Fa-f]{2,}|-?[0-9]+)\s*")

# `PASSWORD '…'`, `IDENTIFIED BY '…'`, `SET PASSWORD FOR jo = '…'`; without its end a quote may be an apostrophe.
_STATED = re.compile(
    r"(?<![\w'\"])(?:IDENTIFIED\s{1,4}(?:WITH\s{1,4}\S{1,64}\s{1,4})?(?:BY|AS)(?:\s{1,4}PASSWORD)?"
    r"|PASSWORD\s{1,4}FOR\s{1,4}\S{1,128}\s{0,4}=|PASSWORD|PASSWD|PASSPHRASE)"
    r"(?:\s{1,4}|\s{0,4}\(\s{0,4}|(?<==))"
    rf"{OPENING}?(?:'(?P<single>(?:[^'\\]|\\.|'')*)'|\"(?P<double>(?:[^\"\\]|\\.|\"\")*)\")",
    re.IGNORECASE | re.DOTALL,
)


def in_sql(text: str, low: str, read: Callable[[str], PairKey]) -> Iterator[Span]:
    """Yield the spans of sensitive literals.

    Args:
        text: A text with a quote or an opening bracket.
        low: The same in small letters.
        read: Reads the names of columns.
    """
    # Each search of a text costs: what is in every statement of a kind decides whether more is looked for.
    if "where" in low and _may_compare(low):
        yield from _compared(text, read)
    if "values" in low or " set" in low:
        yield from _in_rows(text, read)
    if ("passw" in low or "identified" in low or "passphrase" in low) and read("password").sensitive:
        spans = (match.span(match.lastgroup or 0) for match in _STATED.finditer(text))
        yield from (span for span in spans if is_worth_hiding(text, span, read("password").facts))


def _may_compare(low: str) -> bool:
    # Spelled out: `any` over them takes longer than the search it saves.
    return (
        "<" in low or ">" in low or "!=" in low or "like" in low or " in" in low or "between" in low or "~" in low
        or "regexp" in low or "glob" in low or "similar" in low or "distinct" in low
    )  # fmt: skip


def _compared(text: str, read: Callable[[str], PairKey]) -> Iterator[Span]:
    at = 0
    while operator := _OPERATOR.search(text, at):
        at = operator.end()
        before = text[max(0, operator.start() - _LOOK_BACK_CHARS) : operator.start()][::-1]
        column = _COLUMN_REVERSED.match(before)
        key = None if column is None else read(column["key"][::-1])
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


def _in_rows(text: str, read: Callable[[str], PairKey]) -> Iterator[Span]:
    at = 0
    while rows := _ROWS.search(text, at):
        names = [column.strip(' `"[]\t\r\n').rpartition(".")[2].strip('`"[') for column in rows[1].split(",")]
        hidden = {place: read(name) for place, name in enumerate(names) if name and read(name).sensitive}
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
