"""The middleware that tells of Django's requests: inside OpenTelemetry's, where that is there, and around all others.

Around the session's, so that a response is made before anybody is looked for.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async

from otel_posthog.actor.request import Request, begin_request
from otel_posthog_instrumentation.django_user import DjangoUser

PATH = f"{__name__}.RequestMiddleware"
_CONTRIB = "opentelemetry.instrumentation.django."


class RequestMiddleware:
    """Begins and ends requests.

    Args:
        get_response: What is inside.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        """Serve a request, or return what does."""
        if self._is_async:
            return self._serve(request)
        begun = _begin(request, DjangoUser(request).resolve)
        if begun is None:
            return self._get_response(request)
        try:
            response = self._get_response(request)
            begun.answer(response.status_code)
            return response
        finally:
            begun.end()

    async def _serve(self, request: Any) -> Any:
        begun = _begin(request, _awaited(DjangoUser(request)))
        if begun is None:
            return await self._get_response(request)
        try:
            response = await self._get_response(request)
            await begun.answer_async(response.status_code)
            return response
        finally:
            begun.end()


def placed(middleware: list[str] | tuple[str, ...]) -> list[str] | tuple[str, ...]:
    """Return the setting `MIDDLEWARE` with ours in it."""
    if PATH in middleware:
        return middleware
    at = next((place + 1 for place, each in enumerate(middleware) if each.startswith(_CONTRIB)), 0)
    return type(middleware)((*middleware[:at], PATH, *middleware[at:]))


def _begin(request: Any, resolve: Callable[[], object]) -> Request | None:
    return begin_request(partial(_header, request.META), DjangoUser(request).adopt, resolve)


def _header(meta: dict[str, object], name: str) -> object:
    return meta.get("HTTP_" + name.upper().replace("-", "_"))


def _awaited(user: DjangoUser) -> Callable[[], Awaitable[object]]:
    async def resolve() -> object:
        return await sync_to_async(user.resolve)()

    return resolve
