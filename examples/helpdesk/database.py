"""The helpdesk's SQLite database: one connection a request.

Statements go through cursors, because that is what the sqlite3 instrumentation traces.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import flask

SCHEMA = """
CREATE TABLE IF NOT EXISTS customers (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL, email TEXT NOT NULL UNIQUE, phone TEXT NOT NULL,
    plan TEXT NOT NULL, password_hash TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tickets (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), subject TEXT NOT NULL,
    priority TEXT NOT NULL, channel TEXT NOT NULL, comment TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, trace TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS replies (
    id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES tickets (id), author TEXT NOT NULL,
    text TEXT NOT NULL, created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
"""

Value = str | int | float | None


def initialise(app: flask.Flask, path: str) -> None:
    """Make the tables in `path` and let `app` use it."""
    app.config["DATABASE"] = path
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA journal_mode = WAL;" + SCHEMA)
    app.teardown_appcontext(_close)


def rows(statement: str, *values: Value) -> list[sqlite3.Row]:
    """Return what `statement` selects."""
    with closing(_connection().cursor()) as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def row(statement: str, *values: Value) -> sqlite3.Row | None:
    """Return the first row that `statement` selects, or None."""
    return next(iter(rows(statement, *values)), None)


def insert(statement: str, *values: Value) -> int:
    """Run `statement`, commit, and return the id of the new row."""
    with closing(_connection().cursor()) as cursor:
        cursor.execute(statement, values)
        _connection().commit()
        return cursor.lastrowid or 0


def _connection() -> sqlite3.Connection:
    if "connection" not in flask.g:
        connection = sqlite3.connect(flask.current_app.config["DATABASE"], timeout=10)
        connection.row_factory = sqlite3.Row
        # With write-ahead logging this loses nothing when the process dies, and waits for no disk.
        connection.execute("PRAGMA synchronous = NORMAL")
        flask.g.connection = connection
    return flask.g.connection  # type: ignore[no-any-return]


def _close(_error: BaseException | None) -> None:
    connection = flask.g.pop("connection", None)
    if connection is not None:
        connection.close()
