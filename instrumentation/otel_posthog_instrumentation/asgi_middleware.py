"""The middleware that tells of requests of any ASGI app: pure ASGI, so that background tasks and streams are inside.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from types import SimpleNamespace
from typing import Any

from otel_posthog.actor.request import Request, begin_request, user_id_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_REQUESTS = {"http", "websocket"}
_BEGUN = "otel_posthog.begun"
_ID_NAMES = ("id", "pk", "user_id", "sub", "identity", "username")


class PostHogMiddleware:
    """Says who acts in the requests of an ASGI app.

    Args:
        app: What is inside.
        user: Returns the id of a request's user, or an awaitable of it, given the scope; an empty text where nobody is
            logged in. It is called once, before the response, for a request with product events whose user is not known
            by then; one that is not asynchronous runs in a thread.
        is_on: Returns whether it does anything.
    """

    def __init__(
        self, app: App, user: Callable[[Scope], Any] | None = None, is_on: Callable[[], bool] = lambda: True
    ) -> None:
        self.app = app
        self._user, self._is_on = user, is_on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        begun = self._begin(scope) if self._is_wanted(scope) else None
        if begun is None:
            await self.app(scope, receive, send)
            return

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                await begun.answer_async(message.get("status"))
            else:
                await begun.flush_async()
            await send(message)

        try:
            await self.app(scope, receive, sending)
            await begun.flush_async()
        finally:
            begun.end()

    def _is_wanted(self, scope: Scope) -> bool:
        """Return whether there is anything to do: inside another of these only where this one knows more."""
        return scope["type"] in _REQUESTS and self._is_on() and (self._user is not None or _BEGUN not in scope)

    def _begin(self, scope: Scope) -> Request | None:
        scope[_BEGUN] = True
        resolve = None if self._user is None else partial(_called, self._user, scope)
        return begin_request(partial(_header, scope), ASGIUser(scope).adopt, resolve)


class ASGIUser:
    """The user of a request: what an app's own middleware has put at `request.user` or `request.state.user`.

    Args:
        scope: The request's.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._seen: tuple[object, object] | None = None

    def adopt(self) -> object:
        """Return the id of the user who is there; empty where it is nobody, None where nobody has looked."""
        user = self._scope.get("user")
        if user is None:
            state = self._scope.get("state")
            user = state.get("user") if isinstance(state, Mapping) else None
        if user is None:
            return None
        if self._seen is None or self._seen[0] is not user:
            # Once: the attributes of a user may be gone after the app has closed its database session.
            self._seen = (user, _id_of(user))
        return self._seen[1]


def _id_of(user: object) -> object:
    named = SimpleNamespace(**user) if isinstance(user, Mapping) else user
    return "" if getattr(named, "is_authenticated", True) is False else user_id_of(named, _default_id)


def _default_id(user: Any) -> object:
    """Return the first of the usual attributes that the user has."""
    for name in _ID_NAMES:
        try:
            found = getattr(user, name, None)
        except NotImplementedError:  # Starlette's `BaseUser` names what it does not have
            continue
        if found is not None and not callable(found):
            return found
    return None


async def _called(user: Callable[[Scope], Any], scope: Scope) -> object:
    if iscoroutinefunction(user):
        return await user(scope)
    found = await asyncio.to_thread(user, scope)
    return await found if isawaitable(found) else found


def _header(scope: Scope, name: str) -> str | None:
    wanted = name.lower().encode()
    found = [value.decode("latin-1") for key, value in scope.get("headers") or () if key.lower() == wanted]
    return ",".join(found) if found else None
