"""Notes in FastAPI, with sessions and SQLite: an app that knows nothing of OpenTelemetry and of analytics."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Annotated, Any
from urllib.parse import parse_qsl

import anyio.to_thread
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection

DATABASE = os.environ.get("NOTES_DATABASE", "notes.db")
SCHEMA = """
CREATE TABLE IF NOT EXISTS user (id TEXT PRIMARY KEY, email TEXT UNIQUE, password TEXT);
CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, user_id TEXT, text TEXT);
"""
FORM = '<!doctype html><title>Notes</title><form method="post"><input name="email"><input name="password"></form>'


class User(BaseUser):
    """Somebody with notes."""

    def __init__(self, id: str) -> None:
        self.id = id

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def display_name(self) -> str:
        return ""

    @property
    def identity(self) -> str:
        return self.id


class Sessions(AuthenticationBackend):
    """Finds the user in the session."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        user_id = conn.session.get("user")
        return (AuthCredentials(["authenticated"]), User(user_id)) if user_id else None


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """Yield a connection."""
    made = sqlite3.connect(DATABASE, timeout=30)
    made.create_function("pause", 1, time.sleep)
    try:
        yield made
        made.commit()
    finally:
        made.close()


def ask(statement: str, *words: Any) -> list[Any]:
    with database() as opened:
        return opened.cursor().execute(statement, words).fetchall()


def hashed(password: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), b"notes", 1000).hex()


def page(*notes: str) -> HTMLResponse:
    return HTMLResponse("<!doctype html><title>Notes</title>" + "".join(f"<p>{escape(each)}</p>" for each in notes))


async def form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode()))


def logged_in(request: Request) -> User:
    if not request.user.is_authenticated:
        raise HTTPException(401)
    return request.user


Form = Annotated[dict[str, str], Depends(form)]
Somebody = Annotated[User, Depends(logged_in)]
app = FastAPI()
app.add_middleware(AuthenticationMiddleware, backend=Sessions())
app.add_middleware(SessionMiddleware, secret_key=os.environ.get("NOTES_SECRET", "for development only"))


@app.get("/")
async def home() -> Response:
    return page()


@app.get("/login")
@app.get("/sign-up")
async def show_form() -> Response:
    return HTMLResponse(FORM)


@app.post("/sign-up")
def sign_up(words: Form) -> Response:
    ask("INSERT INTO user VALUES (?, ?, ?)", uuid.uuid4().hex, words["email"], hashed(words["password"]))
    return RedirectResponse("/login", 302)


@app.post("/login")
async def log_in(request: Request, words: Form) -> Response:
    asked = "SELECT id FROM user WHERE email = ? AND password = ?"
    rows = await anyio.to_thread.run_sync(ask, asked, words["email"], hashed(words["password"]))
    if not rows:
        return RedirectResponse("/login", 302)
    request.session["user"] = rows[0][0]
    return RedirectResponse("/notes", 302)


@app.post("/logout")
async def log_out(request: Request) -> Response:
    request.session.clear()
    return RedirectResponse("/", 302)


@app.get("/notes")
async def notes(user: Somebody) -> Response:
    return page(*await anyio.to_thread.run_sync(texts, user))


@app.post("/notes")
def write(user: Somebody, words: Form) -> Response:
    ask("INSERT INTO note (user_id, text) VALUES (?, ?)", user.id, words["text"])
    return RedirectResponse("/notes", 302)


@app.get("/notes/{number}")
def note(number: int, user: Somebody) -> Response:
    rows = ask("SELECT text FROM note WHERE id = ? AND user_id = ?", number, user.id)
    if not rows:
        raise HTTPException(404)
    return page(rows[0][0])


@app.get("/search")
async def search(user: Somebody, q: str = "") -> Response:
    return page(*[text for text in await anyio.to_thread.run_sync(texts, user) if q in text])


@app.get("/export")
def export(user: Somebody) -> Response:
    written = io.StringIO()
    csv.writer(written).writerows([text] for text in texts(user))
    return PlainTextResponse(written.getvalue(), media_type="text/csv")


@app.get("/report")
def report(_: Somebody) -> Response:
    """Count all notes, which takes as long as a report does."""
    return page(f"{ask('SELECT count(*), pause(0.6) FROM note')[0][0]} notes")


@app.get("/broken")
async def broken(email: str = "") -> Response:
    raise RuntimeError(f"no notes for {email}")


@app.get("/api/notes")
async def api_notes(user: Somebody) -> list[str]:
    return await anyio.to_thread.run_sync(texts, user)


@app.get("/api/broken")
def api_broken() -> None:
    raise ValueError("no such thing")


def texts(user: User) -> list[str]:
    return [row[0] for row in ask("SELECT text FROM note WHERE user_id = ? ORDER BY id", user.id)]


with database() as opened:
    opened.executescript(SCHEMA)
