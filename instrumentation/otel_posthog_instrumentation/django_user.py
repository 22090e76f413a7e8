"""Whom Django has loaded in a request, and how to load them without a trace.

`request.user` is lazy: to touch it reads the session, which has the response vary by cookie, and queries. It is only
looked at where the app has loaded it. To load a user the session is read a second time, by a store that writes nothing,
and the request itself is left alone.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any, cast

from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.utils.functional import LazyObject, empty

from otel_posthog.actor.request import user_id_of

_NOT_LOADED = object()
# What a look at a session may lead to, where the app would have to keep it: a key that has changed, a user who is none.
_WRITES = ("save", "create", "delete", "flush", "cycle_key", "clear_expired", "set_expiry")
_CACHED = ("_acached_user", "_cached_user")


class DjangoUser:
    """What Django knows of the user of one request.

    Args:
        request: The request.
    """

    def __init__(self, request: Any) -> None:
        self._request = request
        self._known: tuple[object, object] = (None, None)

    def adopt(self) -> object:
        """Return the id of whoever is loaded; empty where that is nobody, None where nobody has looked."""
        user = _loaded(self._request)
        if user is _NOT_LOADED:
            return None
        known, user_id = self._known
        if known is not user:
            # Once for each: an attribute may be a query.
            user_id = id_of(user)
            self._known = (user, user_id)
        return user_id

    def resolve(self) -> object:
        """Return the id of the user that the session names, or whom a middleware of the app's own knows."""
        user = vars(self._request).get("user")
        session = vars(self._request).get("session")
        if user is None:
            return None
        if not (_is_of_session(user) and isinstance(session, SessionBase)):
            return id_of(user)
        if not session.session_key:
            return ""
        return id_of(auth.get_user(SimpleNamespace(session=_glance(session))))


def id_of(user: Any) -> object:
    """Return the id of a user of Django's, by the policy's attribute, else the primary key; empty for nobody."""
    if user is None or not user.is_authenticated:
        return ""
    return user_id_of(user, lambda each: each.pk)


def _loaded(request: Any) -> object:
    """Return the user whom the app has loaded, without a look at one who is not."""
    held = vars(request)
    user = held.get("user", _NOT_LOADED)
    if not issubclass(type(user), LazyObject):
        return user
    loaded = object.__getattribute__(user, "__dict__")["_wrapped"]
    if loaded is not empty:
        return loaded
    return next((held[name] for name in _CACHED if name in held), _NOT_LOADED)


def _is_of_session(user: object) -> bool:
    """Return whether `request.user` is the one that Django's own middleware makes of the session."""
    held = object.__getattribute__(user, "__dict__") if issubclass(type(user), LazyObject) else {}
    return getattr(held.get("_setupfunc"), "__module__", "") == "django.contrib.auth.middleware"


def _glance(session: SessionBase) -> SessionBase:
    made = _glancing(cast("Any", type(session)))(session.session_key)
    loaded = vars(session).get("_session_cache")
    if loaded is not None:
        vars(made)["_session_cache"] = dict(loaded)
    return made


@cache
def _glancing(kind: Any) -> Any:
    """Return a kind of session that is read as `kind` is, and writes nothing."""
    # The name of the class is in a session's signature.
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (kind,), {**dict.fromkeys(_WRITES, _write_nothing), **names})


def _write_nothing(*_: object, **__: object) -> None:
    """Do nothing."""
