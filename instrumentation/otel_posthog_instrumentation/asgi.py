"""The instrumentor `posthog_asgi`: says who acts in requests of Starlette and FastAPI, by a middleware of ours.

It stands around the app's own middlewares, and inside of the one for server errors, which OpenTelemetry's
instrumentation of FastAPI wants to find outermost: none of that one's hooks is taken. An app that has served a request
before the instrumentor does not get it. Other ASGI apps take the middleware by hand.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from otel_posthog.actor.request import count_fault
from otel_posthog_instrumentation.asgi_middleware import PostHogMiddleware
from otel_posthog_instrumentation.framework import FrameworkInstrumentor, Hook
from otel_posthog_instrumentation.wrapping import Undo, put_around

__all__ = ["PostHogASGIInstrumentor", "PostHogMiddleware"]


class PostHogASGIInstrumentor(FrameworkInstrumentor):
    """Hooks into Starlette and FastAPI."""

    name = "posthog_asgi"

    _undo: tuple[Undo, ...] = ()

    def hooks(self) -> Mapping[str, Hook]:
        """Return what to call once Starlette or FastAPI is imported."""
        return {"starlette.applications": self._hook_starlette, "fastapi.applications": self._hook_fastapi}

    def unhook(self) -> None:
        """Have apps made without the middleware, and those that have it pass it by."""
        undo, self._undo = self._undo, ()
        for each in reversed(undo):
            each()

    def _hook_starlette(self, module: Any) -> None:
        self._undo += (put_around(module.Starlette, "build_middleware_stack", self._build),)

    def _hook_fastapi(self, module: Any) -> None:
        self._undo += (put_around(module.FastAPI, "build_middleware_stack", self._build),)

    def _build(self, inner: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        stack = inner(*args, **kwargs)
        try:
            if isinstance(getattr(stack, "app", None), PostHogMiddleware):
                return stack  # where FastAPI leaves it to Starlette
            if type(stack).__name__ == "ServerErrorMiddleware":
                stack.app = PostHogMiddleware(stack.app, is_on=self._is_in_use)
                return stack
            return PostHogMiddleware(stack, is_on=self._is_in_use)
        except Exception as error:
            count_fault("asgi", error)
            return stack

    def _is_in_use(self) -> bool:
        return self._is_on
