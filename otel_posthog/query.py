"""What a query does, and to which table, by a look at its text: never a value, and nothing where it is not clear.

The first verb that SQL knows, and the first table behind `FROM`, `INTO`, `UPDATE` or `TABLE` that is a plain name,
without its schema, which may be a tenant's. A text that can be read in two ways (a backslash before a quote) is read up
to there. In time linear in the text, of which 8,192 characters are read. Runs on the app's threads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

MAX_CHARS = 8192
_KEPT, _MAX_KEPT_CHARS = 256, 2048

VERBS = frozenset(
    {
        *("ALTER", "ANALYZE", "BEGIN", "CALL", "COMMIT", "COPY", "CREATE", "DELETE", "DESCRIBE", "DROP", "EXEC"),
        *("EXECUTE", "EXPLAIN", "GRANT", "INSERT", "LOCK", "MERGE", "PRAGMA", "REFRESH", "REINDEX", "RELEASE"),
        *("REPLACE", "REVOKE", "ROLLBACK", "SAVEPOINT", "SELECT", "SET", "SHOW", "START", "TRUNCATE", "UPDATE"),
        *("UPSERT", "USE", "VACUUM", "VALUES"),
    }
)
"""What an operation is called; nothing else is taken for one."""

_BEFORE_TABLE = {
    "SELECT": "FROM",
    "DELETE": "FROM",
    "INSERT": "INTO",
    "REPLACE": "INTO",
    "UPSERT": "INTO",
    "MERGE": "INTO",
    "UPDATE": "UPDATE",
    "COPY": "COPY",
    "TRUNCATE": "TRUNCATE",
    "LOCK": "LOCK",
    "CREATE": "TABLE",
    "DROP": "TABLE",
    "ALTER": "TABLE",
}
"""Behind which word of its own a statement names its table."""

_BETWEEN = frozenset(
    {"ONLY", "LATERAL", "TABLE", "IF", "NOT", "EXISTS", "OR", "IGNORE", "LOW_PRIORITY", "ROLLBACK", "ABORT", "FAIL"}
)
_BEHIND_WITH = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES"})
_MAY_BE_CALLED = frozenset({"SELECT", "DELETE"})
_WORDS = _BETWEEN | VERBS | {"FROM", "INTO", "WHERE", "WITH", "AS", "AND", "ON", "JOIN", "RECURSIVE"}

_NEXT = re.compile(r"[^\W\d][\w$]*|--|/\*|\$(?:[^\W\d]\w*)?\$|\S")
_NAME = re.compile(r"[^\W\d][\w$]{0,62}")
_CLOSED_BY = {'"': '"', "`": "`", "'": "'", "[": "]"}
# Of Oracle's `q'[...]'` and the like it is not told where they end.
_ODD_PREFIXES = frozenset({"Q", "NQ"})


class _Token(NamedTuple):
    """A piece of the text; of a string nothing.

    Attributes:
        text: A word in capitals, or a sign.
        name: What it is as a name; empty where it cannot be one.
        depth: How many brackets it is in.
    """

    text: str
    name: str
    depth: int


_Tokens = Iterator[_Token]
_END = _Token("", "", 0)


def operation_of(text: object) -> str | None:
    """Return what the operation of a query is; None where its text does not say it."""
    if not isinstance(text, str):
        return None
    return _operation(text) if len(text) <= _MAX_KEPT_CHARS else _read_operation(text[:MAX_CHARS])


def collection_of(text: object) -> str | None:
    """Return which table a query is about; None where its text does not say it."""
    if not isinstance(text, str):
        return None
    return _collection(text) if len(text) <= _MAX_KEPT_CHARS else _read_collection(text[:MAX_CHARS])


def as_operation(value: object) -> object:
    """Return the name of an operation as it is written here: what SQL knows in capitals, any other as it is."""
    return value.upper() if isinstance(value, str) and value.upper() in VERBS else value


def _read_operation(text: str) -> str | None:
    return _verb(_tokens(text), set()).text or None


def _read_collection(text: str) -> str | None:
    tokens, given = _tokens(text), set[str]()
    verb = _verb(tokens, given)
    word, depth, is_there = _BEFORE_TABLE.get(verb.text, ""), verb.depth, True
    while word and is_there:
        is_there = word == verb.text or _go_to(tokens, word, depth)
        each = next((each for each in tokens if each.text not in _BETWEEN and each.text != "("), _END)
        if each.text != "SELECT":
            found = _last_part(tokens, each, may_be_call=verb.text in _MAY_BE_CALLED) if is_there else None
            return None if found in given else found
        verb, word, depth = each, "FROM", each.depth
    return None


_operation = lru_cache(maxsize=_KEPT)(_read_operation)
_collection = lru_cache(maxsize=_KEPT)(_read_collection)


def _verb(tokens: _Tokens, given: set[str]) -> _Token:
    """Return the verb of the statement, or the end of it; the names that come before it in `WITH` are `given`."""
    first = next((each for each in tokens if each.text not in {"(", ";"}), _END)
    if first.text != "WITH":
        return first if first.text in VERBS else _END
    for each in tokens:
        if each.depth == first.depth and each.text in _BEHIND_WITH:
            return each
        if each.depth == first.depth and each.name:
            given.add(each.name)
    return _END


def _go_to(tokens: _Tokens, word: str, depth: int) -> bool:
    """Go behind `word` in the same brackets; return whether it is there, before the statement ends."""
    for each in tokens:
        if each.depth < depth or (each.text == ";" and each.depth == depth):
            return False
        if each.text == word and each.depth == depth:
            return True
    return False


def _last_part(tokens: _Tokens, first: _Token, *, may_be_call: bool) -> str | None:
    """Return the last part of the name that `first` begins; None where it is the name of a function."""
    each = first
    while each.name:
        follows = next(tokens, _END)
        if follows.text != ".":
            return None if may_be_call and follows.text == "(" else each.name
        each = next(tokens, _END)
    return None


def _tokens(text: str) -> _Tokens:
    """Yield the pieces of a text up to where it is not clear any more."""
    at, depth = 0, 0
    while at >= 0 and (found := _NEXT.search(text, at)) is not None:
        piece, at = found.group(), found.end()
        if piece in {"--", "/*"} or (piece[0] == "$" and len(piece) > 1):
            at = _behind(text, at, {"--": "\n", "/*": "*/"}.get(piece, piece))
        elif piece in _CLOSED_BY and not (piece == "[" and _is_index(text, found.start())):
            end = text.find(_CLOSED_BY[piece], at)
            if end < 0 or (piece != "[" and text[end - 1] == "\\"):
                return
            inside, at = text[at:end], end + 1
            yield _Token(piece, inside if piece != "'" and _NAME.fullmatch(inside) else "", depth)
        elif piece in "()":
            depth += 1 if piece == "(" else -1
            yield _Token(piece, "", depth)
        elif piece.upper() in _ODD_PREFIXES and text[at : at + 1] == "'":
            return
        else:
            word = piece.upper()
            yield _Token(word, piece if word not in _WORDS and _NAME.fullmatch(piece) else "", depth)


def _behind(text: str, at: int, end: str) -> int:
    """Return the place behind `end`, or -1."""
    found = text.find(end, at)
    return found + len(end) if found >= 0 else -1


def _is_index(text: str, at: int) -> bool:
    """Return whether a bracket is that of `a[1]` or `ARRAY[1]`, and not around a name."""
    return at > 0 and (text[at - 1].isalnum() or text[at - 1] in "_])")
