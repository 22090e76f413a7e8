"""What goes on of a request's address where rules read a part of it: a query, a user or an id in it stays behind."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from otel_posthog.apps.collector_config.attribute import ODD_URL, Told, all_hold, negated
from otel_posthog.apps.collector_config.ottl import is_match, quoted

_WHOLE = frozenset({Told.AS_IT_IS, Told.QUERY})
_PATHS = frozenset({Told.PATH, Told.PATH_OF_URL})
_ROOTS = {
    "url.path": r"^/\z",
    "http.target": r"^/\z",
    "http.url": rf"^[^:]*://(?:[^/]+/?|/)\z|{ODD_URL}",
}
ADDRESSES = frozenset(_ROOTS)
"""The attributes that are cut; each also tells of the page `/`, to which some instrumentations give no route."""


def shortened(attributes: str, name: str, needed: Collection[Told]) -> Iterator[str]:
    """Yield the statements that cut an address down to what is read of it.

    Args:
        attributes: Where it stands (`span.attributes`).
        name: How it is written.
        needed: What is read of it; where nothing is, then whether it is that of the page `/`.
    """
    field = f'{attributes}["{name}"]'
    if not _WHOLE.isdisjoint(needed):
        return
    if name != "url.path":
        yield _replaced(field, "(?s)[?#].*", "")
    if name == "http.url":
        yield _replaced(field, "(?s)://[^/]*@(.)", "://$1")
    if not _PATHS.isdisjoint(needed):
        return
    if Told.LEFT in needed:
        # Whose host it is, and whether there is more than that.
        yield _replaced(field, r"(?s)^([^:]*://[^/]*)/.+", "$1/-")
        return
    # What stands first is what counts, so that something has to.
    is_other = all_hold([f"IsString({field})", negated(is_match(field, _ROOTS[name]))])
    yield f'set({field}, "-") where {is_other}'


def _replaced(field: str, pattern: str, by: str) -> str:
    return f"replace_pattern({field}, {quoted(pattern)}, {quoted(by)})"
