"""A span that is the current one until it is left, in whatever way that is; nothing is raised into the program."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from functools import cache

from opentelemetry import context as context_api
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, Span, Status, StatusCode, get_tracer

from otel_posthog.errors import Guard
from otel_posthog.journeys.words import type_name

_log = logging.getLogger("otel_posthog")

# Where a token cannot be reset is not where the span was entered: an asynchronous generator that is closed elsewhere.
_entered: ContextVar[object] = ContextVar("otel-posthog-inside", default=None)


class Inside:
    """The context inside a span.

    Args:
        span: The span; it ends as it is left.
        context: The context, with the span in it.

    Attributes:
        span: As given.
        context: As given.
    """

    __slots__ = ("_here", "_token", "context", "span")

    def __init__(self, span: Span, context: Context) -> None:
        self.span, self.context = span, context
        self._here = _entered.set(self)
        self._token = context_api.attach(context)

    def leave(self, error: BaseException | None, *, is_recorded: bool = True) -> None:
        """Go back to what was around the span, and end it.

        Args:
            error: What was raised inside, if anything was.
            is_recorded: Whether to record that on the span.
        """
        try:
            _entered.reset(self._here)
        except ValueError:
            pass  # the context goes with the task that it is of
        else:
            context_api.detach(self._token)
        try:
            if error is not None:
                self._fail(error, is_recorded=is_recorded and isinstance(error, Exception))
            self.span.end()
        except Exception as fault:
            caught(fault)

    def _fail(self, error: BaseException, *, is_recorded: bool) -> None:
        if is_recorded:
            self.span.record_exception(error)
        self.span.set_attribute("error.type", type_name(error))
        # Without a description: that would be the message.
        self.span.set_status(Status(StatusCode.ERROR))


def start_span(name: str, context: Context, attributes: Mapping[str, str], links: Iterable[Link] = ()) -> Span:
    """Return a span that has begun; one that says nothing where the program's own cannot begin."""
    try:
        # Anew each time: one that was made before set-up keeps the sampler that it was made with.
        tracer = get_tracer("otel_posthog")
        return tracer.start_span(name, context, attributes=attributes, links=list(links))
    except Exception as error:
        caught(error)
        return INVALID_SPAN


def caught(error: Exception) -> None:
    """Log an error of a kind once: no pipeline is known here that would count it.

    Raises:
        Exception: `error` itself, under test only.
    """
    if Guard.reraise:
        raise error
    _log_once(type(error).__name__)


@cache
def _log_once(error_type: str) -> None:
    _log.warning("a journey could not be told: %s (logged once)", error_type)
