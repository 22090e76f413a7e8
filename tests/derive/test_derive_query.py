"""What a query does and to which table, told by its text: never a value, whatever the text is."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from otel_posthog.query import MAX_CHARS, VERBS, as_operation, collection_of, operation_of

QUERIES = [
    ("SELECT * FROM post", "SELECT", "post"),
    ("select 1", "SELECT", None),
    ("  \n( select * from post )", "SELECT", "post"),
    ('INSERT OR REPLACE INTO "public"."post" (title) VALUES (?)', "INSERT", "post"),
    ("INSERT IGNORE INTO `post` VALUES (1)", "INSERT", "post"),
    ("insert into post(title) select title from draft", "INSERT", "post"),
    ("REPLACE INTO post VALUES (1)", "REPLACE", "post"),
    ("UPDATE ONLY post SET title = 'from x'", "UPDATE", "post"),
    ("UPDATE auth_user SET last_login = %s WHERE id = %s", "UPDATE", "auth_user"),
    ("DELETE FROM post WHERE id = 1", "DELETE", "post"),
    ("DELETE a FROM a JOIN b ON a.id = b.id", "DELETE", "a"),
    ("MERGE INTO post USING draft ON a = b", "MERGE", "post"),
    ("TRUNCATE TABLE post", "TRUNCATE", "post"),
    ("truncate post", "TRUNCATE", "post"),
    ("CREATE TABLE IF NOT EXISTS post (id int)", "CREATE", "post"),
    ("DROP TABLE IF EXISTS post", "DROP", "post"),
    ("CREATE INDEX i ON post (id)", "CREATE", None),
    ("COPY post FROM STDIN", "COPY", "post"),
    ("LOCK TABLE post", "LOCK", "post"),
    ("BEGIN", "BEGIN", None),
    ("EXPLAIN SELECT * FROM post", "EXPLAIN", None),
    ("/* from a */ -- from b\n SELECT * FROM post", "SELECT", "post"),
    ("SELECT extract(year FROM ts), (SELECT 1 FROM a) FROM post", "SELECT", "post"),
    ("SELECT * FROM (SELECT * FROM post) x", "SELECT", "post"),
    ("SELECT * FROM ((post JOIN a))", "SELECT", "post"),
    ("SELECT * FROM [dbo].[post]", "SELECT", "post"),
    ("SELECT a[1] FROM post", "SELECT", "post"),
    ("SELECT $$ from ludwig $$, $a$ from ludwig $a$, $1 FROM post", "SELECT", "post"),
    ("SELECT 'it''s from ludwig' FROM post", "SELECT", "post"),
    ("WITH a AS (SELECT * FROM b) INSERT INTO post SELECT * FROM a", "INSERT", "post"),
    ("WITH RECURSIVE a (n) AS (SELECT 1) SELECT * FROM post", "SELECT", "post"),
    ("WITH a AS (SELECT * FROM b) SELECT * FROM a", "SELECT", None),
    ("SELECT * FROM generate_series(1, 2)", "SELECT", None),
    ("SELECT 1; SELECT * FROM post", "SELECT", None),
    ("SELECT * FROM (VALUES (1, 'ludwig')) x", "SELECT", None),
    ("SELECT * FROM 'ludwig'", "SELECT", None),
    ("SELECT * FROM ?", "SELECT", None),
    ("SELECT * FROM %s", "SELECT", None),
    ("SELECT * FROM", "SELECT", None),
    ("SELECT * FROM a.", "SELECT", None),
    # Where it ends is another matter for MySQL than for PostgreSQL.
    (r"SELECT 'it\'s from ludwig' FROM post", "SELECT", None),
    (r'SELECT "it\"s from ludwig" FROM post', "SELECT", None),
    ("SELECT q'[it's from ludwig]' FROM post", "SELECT", None),
    ("SELECT 'never closed from ludwig", "SELECT", None),
    ("SELECT /* never closed from ludwig", "SELECT", None),
    ("GET ludwig", None, None),
    ("'ludwig'", None, None),
    ('{"find": "ludwig"}', None, None),
    ("", None, None),
    (" ;;( ", None, None),
]


@pytest.mark.parametrize(("text", "operation", "collection"), QUERIES)
def test_a_query_tells_its_verb_and_its_first_table(text: str, operation: str | None, collection: str | None) -> None:
    """As they stand in the text, in capitals or not, without a schema; nothing where it is not clear."""
    assert (operation_of(text), collection_of(text)) == (operation, collection)


def test_what_is_no_text_tells_nothing() -> None:
    """An attribute may be anything."""
    for value in (None, 5, b"select", ["select"]):
        assert operation_of(value) is None
        assert collection_of(value) is None


def test_an_operation_has_one_form() -> None:
    """What SQL knows in capitals; what else there is (`findAndModify`) as it is."""
    given_ = ("insert", "INSERT", "findAndModify", 5)
    assert [as_operation(each) for each in given_] == ["INSERT", "INSERT", "findAndModify", 5]


SECRET = "ludwig"
PIECES = st.sampled_from(
    [
        *("select", "insert into", "update", "delete from", "from", "where", "with", "as", "values", "join", "set"),
        *("(", ")", ",", ";", ".", "=", "--", "\n", "/*", "*/", "[", "]", "a", "b.c", "1", "?", "$1", "q", "e", "#"),
        *('"t"', "`t`", "''", "\\", "'x'", "$$", "$a$", "é", "\ufeff", "'", '"', "`"),
    ]
)
TEXTS = st.lists(PIECES, max_size=25).map(" ".join) | st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=80)
VALUES = st.sampled_from([f"'{SECRET}'", f"'a from {SECRET}'", f"'it''s from {SECRET}'", f"$$ from {SECRET} $$"])


@settings(deadline=None)
@given(TEXTS)
@example("select from " + "(" * 3000)
@example("with " * 1000)
def test_no_text_is_too_odd(text: str) -> None:
    """A verb that SQL knows or none, a plain name of the text or none, nothing raised."""
    operation, collection = operation_of(text), collection_of(text)
    assert operation is None or operation in VERBS
    assert collection is None or (re.fullmatch(r"[^\W\d][\w$]{0,62}", collection) and collection in text)
    assert operation is not None or collection is None


@settings(deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=4), st.sampled_from(["", "t", "a.t", '"t"']), st.booleans())
def test_a_value_is_never_told(values: list[str], table: str, is_first: bool) -> None:
    """Wherever it stands in a statement that a database would take."""
    listed = ", ".join(values)
    for text in (
        f"SELECT {listed} FROM {table}" if is_first else f"SELECT a FROM {table} WHERE a IN ({listed})",
        f"INSERT INTO {table} VALUES ({listed})",
        f"UPDATE {table} SET a = {values[0]} WHERE b = {values[-1]}",
        f"DELETE FROM {table} WHERE a = {values[0]}",
        f"SELECT * FROM (VALUES ({listed})) x",
    ):
        assert SECRET not in f"{operation_of(text)} {collection_of(text)}"


LONG = ["/*", "(", "$a$", "'", "a.", "select ", "from ", "with a as (", "[", "--", "\\'", ";", "from (select "]


@pytest.mark.parametrize("piece", LONG)
def test_no_text_takes_long(piece: str) -> None:
    """However long it is, and whatever it is made of: a part of it is read, once."""
    for text in (piece * 100_000, f"select * from {piece * 100_000}", f"select {piece * 100_000}"):
        began_s = time.perf_counter()
        operation_of(text)
        collection_of(text)
        assert time.perf_counter() - began_s < 1


def test_a_table_behind_what_is_read_is_none() -> None:
    """Half a name would be another one."""
    text = f"select {'a, ' * MAX_CHARS} b from post"
    assert (operation_of(text), collection_of(text)) == ("SELECT", None)
