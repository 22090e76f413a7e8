"""Texts told from all else around the processors `redaction`, which make a text of whatever they find something in.

They see a number or a list only as text, and write text. So every text bears a mark meanwhile. What has none behind
them was a number, a list, a map or bytes: it goes with its key, and so nothing changes its type. Bytes inside a list or
a map cannot be told from a text there; they are looked for in a copy that has everything side by side.
"""

from __future__ import annotations

from collections.abc import Iterator

from otel_posthog.apps.collector_config.ottl import is_match, quoted
from otel_posthog.apps.collector_config.patterns import ENCODED, MARK, MARKED, NO_BYTES, REPLACED_WHOLE, UNMARKED

_FIRST = MARK[0]
_WRITTEN_MARK = MARK.replace("\n", r"\n")
# What is private in Unicode, so that no text has it: between a key and its value, between pairs, around a key that is
# to go, behind a key whose value is spread.
_IS, _NEXT, _FROM, _TO, _SPREAD = "\ue001", "\ue002", "\ue003", "\ue004", "\ue005"
_KEY = r"([\pL\pN_./:-]+)"
_END = rf"({_NEXT}|\z)"


def mark(context: str) -> Iterator[str]:
    """Yield the statements that mark texts, and delete lists and maps with bytes in them."""
    attributes, flat, pairs = f"{context}.attributes", f'{context}.cache["flat"]', f'{context}.cache["pairs"]'
    yield f'replace_all_patterns({attributes}, "value", "^", "{_WRITTEN_MARK}")'
    yield _as_text(pairs, attributes)
    may_have = is_match(pairs, rf'\\"{ENCODED}\\"[,\]}}]')
    yield f"set({flat}, {attributes}) where {may_have}"
    found = f"{flat} != nil"
    yield f'set({pairs}, "") where {flat} == nil'
    yield f'replace_all_patterns({flat}, "key", {quoted(chr(92) + "z")}, "{_SPREAD}") where {found}'
    yield f"flatten({flat}, resolveConflicts=true) where {found}"
    yield f'replace_all_patterns({flat}, "value", "^", "{_FIRST}") where {found}'
    yield f"{_as_text(pairs, flat)} where {found}"
    yield f"{_replaced(pairs, f'{_IS}(?:{NO_BYTES}){_END}', f'{_IS}$1')} where {found}"
    yield from _deleted(context, f"{_SPREAD}[^{_NEXT}]*{_IS}{ENCODED}{_END}")


def unmark(context: str) -> Iterator[str]:
    """Yield the statements that delete what has become a text, and take the mark off texts."""
    attributes, pairs = f"{context}.attributes", f'{context}.cache["pairs"]'
    for pattern, by in ((REPLACED_WHOLE, f"{_FIRST}****"), (UNMARKED, "****")):
        yield f'replace_all_patterns({attributes}, "value", {quoted(pattern)}, "{by}")'
    yield _as_text(pairs, attributes)
    yield from _deleted(context, rf"{_IS}\*{{4}}{_END}")
    yield f'replace_all_patterns({attributes}, "value", {quoted(MARKED)}, "")'


def _deleted(context: str, behind_key: str) -> Iterator[str]:
    """Yield the statements that delete the attributes behind whose key in the pairs `behind_key` matches."""
    pairs, gone = f'{context}.cache["pairs"]', f'{context}.cache["gone"]'
    # Most items have none: what begins with one character is found fast.
    yield f'set({pairs}, "") where not {is_match(pairs, behind_key)}'
    some = f'{pairs} != ""'
    yield f"{_replaced(pairs, f'[{_FROM}{_TO}]', '')} where {some}"
    yield f"{_replaced(pairs, behind_key, _TO)} where {some}"
    yield f"{_replaced(pairs, f'{_KEY}{_TO}', f'{_FROM}$1{_TO}')} where {some}"
    yield f"{_replaced(pairs, f'(?s)(?:^|{_TO})[^{_FROM}]*(?:{_FROM}|$)', '|')} where {some}"
    yield f"{_replaced(pairs, '[.]', chr(92) * 2 + '.')} where {some}"
    yield f'set({gone}, Concat(["^(?:", {pairs}, ")$"], "")) where {some}'
    yield f"delete_matching_keys({context}.attributes, {gone}) where {gone} != nil"


def _as_text(field: str, attributes: str) -> str:
    return f'set({field}, ToKeyValueString({attributes}, "{_IS}", "{_NEXT}"))'


def _replaced(field: str, pattern: str, by: str) -> str:
    return f'replace_pattern({field}, {quoted(pattern)}, "{by}")'
