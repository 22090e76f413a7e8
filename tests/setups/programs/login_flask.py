"""A Flask app with log-in and without a line of analytics."""

from __future__ import annotations

from flask import Flask, request
from flask_login import LoginManager, UserMixin, login_required, login_user

app = Flask("login_flask")
app.secret_key = "-" * 32
manager = LoginManager(app)


class User(UserMixin):  # type: ignore[misc]
    """A user."""

    def __init__(self, name: str) -> None:
        self.id = name


manager.user_loader(User)


@app.post("/login")
def log_in() -> str:
    """Log in."""
    login_user(User(request.form["name"]))
    return "in"


@app.get("/tickets")
@login_required  # type: ignore[untyped-decorator]
def tickets() -> str:
    """Show what is only shown to users."""
    return "tickets"


@app.get("/news")
def news() -> str:
    """Show what everybody may see."""
    return "news"
