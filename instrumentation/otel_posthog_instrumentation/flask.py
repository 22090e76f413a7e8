"""The instrumentor `posthog_flask`: says who acts in requests of Flask, by its signals and Flask-Login's.

Flask's signals are before and after everything else of a request: `request_started` before `before_request`, and
`request_finished` when the session has been saved, so that to look at it leaves no trace in the response. Flask 2.3 or
newer, Flask-Login 0.6.2 or newer.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from otel_posthog.actor.request import Request, begin_request, count_fault, logged_in, logged_out
from otel_posthog_instrumentation.accounts import note
from otel_posthog_instrumentation.flask_login import FlaskLogin, id_of
from otel_posthog_instrumentation.framework import FrameworkInstrumentor, Hook

_REQUEST = "otel_posthog.request"


class PostHogFlaskInstrumentor(FrameworkInstrumentor):
    """Hooks into Flask and Flask-Login."""

    name = "posthog_flask"

    def __init__(self) -> None:
        super().__init__()
        # One of them for the whole process: it is made anew at each call, and is always the same.
        if not hasattr(self, "_connected"):
            self._connected: list[tuple[Any, Callable[..., None]]] = []

    def hooks(self) -> Mapping[str, Hook]:
        """Return what to call once Flask or Flask-Login is imported."""
        return {"flask.signals": self._hook_flask, "flask_login.signals": self._hook_login}

    def unhook(self) -> None:
        """Listen to no signal any more."""
        connected, self._connected = self._connected, []
        for signal, receiver in connected:
            signal.disconnect(receiver)

    def _hook_flask(self, signals: Any) -> None:
        self._connect(signals.request_started, _begin)
        self._connect(signals.request_finished, _answer)
        self._connect(signals.request_tearing_down, _end)

    def _hook_login(self, signals: Any) -> None:
        self._connect(signals.user_logged_in, _logged_in)
        self._connect(signals.user_logged_out, _logged_out)

    def _connect(self, signal: Any, does: Callable[..., None]) -> None:
        receiver = partial(_guarded, does)
        signal.connect(receiver, weak=False)
        self._connected.append((signal, receiver))


def _guarded(does: Callable[..., None], app: Any, **given: Any) -> None:
    try:
        does(app, **given)
    except Exception as error:
        count_fault("flask", error)


def _begin(app: Any, **_: object) -> None:
    environ = _environ()
    if _REQUEST in environ:
        return
    login = FlaskLogin.of(app) if "flask_login" in sys.modules else None
    adopt, resolve = (login.adopt, login.resolve) if login is not None else (None, None)
    begun = begin_request(partial(_header, environ), adopt, resolve)
    if begun is not None:
        environ[_REQUEST] = begun


def _answer(_: object, response: Any = None, **__: object) -> None:
    begun = _environ().get(_REQUEST)
    if isinstance(begun, Request):
        begun.answer(getattr(response, "status_code", None))


def _end(_: object, **__: object) -> None:
    begun = _environ().pop(_REQUEST, None)
    if isinstance(begun, Request):
        begun.end()


def _logged_in(_: object, user: Any = None, **__: object) -> None:
    logged_in()
    note("user_logged_in", id_of(user))


def _logged_out(_: object, user: Any = None, **__: object) -> None:
    user_id = id_of(user)
    logged_out(user_id)
    note("user_logged_out", user_id)


def _environ() -> dict[str, Any]:
    # Thrice in each request, where an import statement takes longer than all else here.
    flask = sys.modules["flask"]
    return flask.request.environ if flask.has_request_context() else {}


def _header(environ: Mapping[str, object], name: str) -> object:
    return environ.get("HTTP_" + name.upper().replace("-", "_"))
