"""Notes in Flask, with Flask-Login and SQLite: an app that knows nothing of OpenTelemetry and of analytics."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
import time
import uuid

from flask import Flask, Response, abort, g, jsonify, redirect, render_template_string, request
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user, logout_user
from werkzeug.security import check_password_hash, generate_password_hash

DATABASE = os.environ.get("NOTES_DATABASE", "notes.db")
SCHEMA = """
CREATE TABLE IF NOT EXISTS user (id TEXT PRIMARY KEY, email TEXT UNIQUE, password TEXT);
CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, user_id TEXT, text TEXT);
"""
PAGE = """<!doctype html><title>Notes</title><h1>Notes</h1>
{% for note in notes %}<p>{{ note }}</p>{% else %}<p>Nothing here.</p>{% endfor %}"""
FORM = '<!doctype html><title>Notes</title><form method="post"><input name="email"><input name="password"></form>'

app = Flask(__name__)
app.secret_key = os.environ.get("NOTES_SECRET", "for development only")
login_manager = LoginManager(app)
login_manager.login_view = "log_in"


class User(UserMixin):
    """Somebody with notes."""

    def __init__(self, row: sqlite3.Row) -> None:
        self.id, self.email, self.password = row["id"], row["email"], row["password"]


def database() -> sqlite3.Connection:
    """Return the request's connection."""
    if "database" not in g:
        g.database = sqlite3.connect(DATABASE, timeout=30)
        g.database.row_factory = sqlite3.Row
        g.database.create_function("pause", 1, time.sleep)
    return g.database


@app.teardown_appcontext
def close(_: BaseException | None) -> None:
    if "database" in g:
        g.pop("database").close()


@login_manager.user_loader
def load(user_id: str) -> User | None:
    row = database().cursor().execute("SELECT * FROM user WHERE id = ?", (user_id,)).fetchone()
    return User(row) if row else None


@app.get("/")
def home() -> str:
    return render_template_string(PAGE, notes=[])


@app.route("/sign-up", methods=["GET", "POST"])
def sign_up() -> str | Response:
    if request.method == "GET":
        return FORM
    words = (
        uuid.uuid4().hex,
        request.form["email"],
        generate_password_hash(request.form["password"], "pbkdf2:sha256:1000"),
    )
    database().cursor().execute("INSERT INTO user VALUES (?, ?, ?)", words)
    database().commit()
    return redirect("/login")


@app.route("/login", methods=["GET", "POST"])
def log_in() -> str | Response:
    if request.method == "GET":
        return FORM
    row = database().cursor().execute("SELECT * FROM user WHERE email = ?", (request.form["email"],)).fetchone()
    if row is None or not check_password_hash(row["password"], request.form["password"]):
        return redirect("/login")
    login_user(User(row))
    return redirect("/notes")


@app.post("/logout")
def log_out() -> Response:
    logout_user()
    return redirect("/")


@app.route("/notes", methods=["GET", "POST"])
@login_required
def notes() -> str | Response:
    if request.method == "POST":
        database().cursor().execute(
            "INSERT INTO note (user_id, text) VALUES (?, ?)", (current_user.id, request.form["text"])
        )
        database().commit()
        return redirect("/notes")
    return render_template_string(PAGE, notes=_texts())


@app.get("/notes/<int:number>")
@login_required
def note(number: int) -> str:
    words = (number, current_user.id)
    row = database().cursor().execute("SELECT text FROM note WHERE id = ? AND user_id = ?", words).fetchone()
    return render_template_string(PAGE, notes=[row["text"]]) if row else abort(404)


@app.get("/search")
@login_required
def search() -> str:
    return render_template_string(PAGE, notes=[text for text in _texts() if request.args.get("q", "") in text])


@app.get("/export")
@login_required
def export() -> Response:
    written = io.StringIO()
    csv.writer(written).writerows([text] for text in _texts())
    return Response(written.getvalue(), mimetype="text/csv")


@app.get("/report")
@login_required
def report() -> str:
    """Count all notes, which takes as long as a report does."""
    count, _ = database().cursor().execute("SELECT count(*), pause(0.6) FROM note").fetchone()
    return render_template_string(PAGE, notes=[f"{count} notes"])


@app.get("/broken")
def broken() -> str:
    raise RuntimeError(f"no notes for {request.args.get('email')}")


@app.get("/api/notes")
@login_required
def api_notes() -> Response:
    return jsonify(_texts())


@app.get("/api/broken")
def api_broken() -> str:
    raise ValueError("no such thing")


def _texts() -> list[str]:
    rows = database().cursor().execute("SELECT text FROM note WHERE user_id = ? ORDER BY id", (current_user.id,))
    return [row["text"] for row in rows]


with sqlite3.connect(DATABASE, timeout=30) as made:
    made.executescript(SCHEMA)
