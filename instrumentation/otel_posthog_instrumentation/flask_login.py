"""Whom Flask-Login has loaded in a request, and how to have it load them without a trace.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from operator import methodcaller
from typing import Any

from typing_extensions import Self

from otel_posthog.actor.request import user_id_of

_LOADED = "_login_user"
_SESSION_ID = "_user_id"
_behind = methodcaller("_get_current_object")
"""Returns the object behind one of Flask's proxies."""

_FLAGS = ("accessed", "modified", "new", "permanent")


class FlaskLogin:
    """What Flask-Login knows of the user of one request.

    Args:
        held: Flask's `g` of the request.
        context: The request's, which has the session.
    """

    def __init__(self, held: Any, context: Any) -> None:
        self._held, self._context = held, context
        self._known: tuple[object, object] = (None, None)

    @classmethod
    def of(cls, app: Any) -> Self | None:
        """Return that of the current request; None where the app has no login manager."""
        from flask import globals as names  # noqa: PLC0415 - it is imported

        if getattr(app, "login_manager", None) is None:
            return None
        # Later versions have one context for both, and warn of the older name.
        held: Any = names.g
        context: Any = vars(names).get("request_ctx") or names.app_ctx
        return cls(_behind(held), _behind(context))

    def adopt(self) -> object:
        """Return the id of whoever is loaded; empty where that is nobody, None where nobody has looked."""
        user = self._held.get(_LOADED)
        if user is None:
            return None
        known, user_id = self._known
        if known is not user:
            # Once for each: what an ORM has let expire would be read again.
            user_id = id_of(user)
            self._known = (user, user_id)
        return user_id

    def resolve(self) -> object:
        """Have the user loaded, and everything as it was."""
        from flask_login import current_user  # noqa: PLC0415 - it is imported

        with _kept(_session_of(self._context)):
            try:
                return "" if current_user.is_anonymous else self.adopt()
            finally:
                self._held.pop(_LOADED, None)


def id_of(user: Any) -> object:
    """Return the id of a user of Flask-Login's, by the policy's attribute, else `get_id()`; empty for nobody."""
    if user is None or user.is_anonymous:
        return ""
    return user_id_of(user, lambda each: each.get_id())


def _session_of(context: Any) -> Any:
    """Return the session of a context; to ask for it in the public way is to look at it."""
    held = vars(context)
    return held["_session"] if "_session" in held else held.get("session")


@contextmanager
def _kept(session: Any) -> Iterator[None]:
    """Have a session be afterwards what it was, with what says whether it was looked at or changed."""
    if not isinstance(session, MutableMapping):
        yield
        return
    flags = {name: vars(session)[name] for name in _FLAGS if name in getattr(session, "__dict__", {})}
    before = dict(session)
    try:
        yield
    finally:
        if dict(session) != before:
            session.clear()
            session.update(before)
        for name in _FLAGS:
            if name in flags:
                vars(session)[name] = flags[name]
            else:
                getattr(session, "__dict__", {}).pop(name, None)
