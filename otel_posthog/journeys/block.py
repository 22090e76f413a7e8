"""`journey(...)`: a block of code, or a function, in which a journey begins or goes on."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from functools import wraps
from types import TracebackType
from typing import Any, Literal, TypeVar, cast

from otel_posthog.journeys.ids import kept
from otel_posthog.journeys.inside import caught
from otel_posthog.journeys.steps import Journey
from otel_posthog.journeys.words import word
from otel_posthog.values import Id

_Function = TypeVar("_Function", bound=Callable[..., Any])


class JourneyBlock:
    """What `journey()` returns: `with`, `async with`, or a decorator. One `with` at a time, any number of calls."""

    def __init__(  # noqa: PLR0913 - all that `journey()` takes
        self,
        name: str,
        *,
        own_id: Id | None,
        resume: Id | None,
        steps: Iterable[str],
        entry_point: str | None,
        distinct_id: Id | None,
    ) -> None:
        self._name, self._id, self._resume, self._who = word(name), own_id, resume, distinct_id
        self._steps, self._entry_point = _words(steps), None if entry_point is None else word(entry_point)
        self._entered: list[Journey] = []

    def __enter__(self) -> Journey:
        made = Journey(self._name, self._steps, self._who)
        self._entered.append(made)
        try:
            made.begin(kept(self._resume), kept(self._id), self._entry_point)
        except Exception as error:
            caught(error)
        return made

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        if self._entered:
            self._entered.pop().leave(error)
        return False

    async def __aenter__(self) -> Journey:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        return self.__exit__(kind, error, traceback)

    def __call__(self, function: _Function) -> _Function:
        """Return `function` with a journey around each call; inside, `current_journey()` is that."""
        return cast("_Function", wraps(function)(self._around(function)))

    def _around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isasyncgenfunction(function):

            async def of_async_generator(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
                with self._anew():
                    async for each in function(*args, **kwargs):
                        yield each

            return of_async_generator
        if inspect.iscoroutinefunction(function):

            async def of_coroutine(*args: Any, **kwargs: Any) -> Any:
                with self._anew():
                    return await function(*args, **kwargs)

            return of_coroutine
        if inspect.isgeneratorfunction(function):

            def of_generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                with self._anew():
                    return (yield from function(*args, **kwargs))

            return of_generator

        def of_function(*args: Any, **kwargs: Any) -> Any:
            with self._anew():
                return function(*args, **kwargs)

        return of_function

    def _anew(self) -> JourneyBlock:
        return JourneyBlock(
            self._name,
            own_id=self._id,
            resume=self._resume,
            steps=self._steps,
            entry_point=self._entry_point,
            distinct_id=self._who,
        )


def journey(  # noqa: PLR0913 - by keyword
    name: str,
    *,
    id: Id | None = None,  # noqa: A002 - what it is called everywhere else
    resume: Id | None = None,
    steps: Iterable[str] = (),
    entry_point: str | None = None,
    distinct_id: Id | None = None,
) -> JourneyBlock:
    """Begin a journey, or go on with one, in a block or in a function.

    At the end of the block it is done, unless `pause()` or `abandon()` was called. Where the block raises, or its last
    step did, it is abandoned, and the exception goes on.

    Args:
        name: What it is called: a plain word of at most 40 letters, digits, `_`, `.` and `-`; else it is `other`.
        id: An id of the app's own for a journey that begins; default one that says when and in which trace it began.
        resume: The id of one that was begun elsewhere; where it is None or empty, one begins.
        steps: The names of all its steps, in order, so that each has its number wherever it is taken.
        entry_point: Where it begins from, in a plain word (`menu`).
        distinct_id: Who goes it, where that is not known as who acts; as `capture()` has it.
    """
    return JourneyBlock(name, own_id=id, resume=resume, steps=steps, entry_point=entry_point, distinct_id=distinct_id)


def _words(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        return (word(given),)
    try:
        return tuple(word(each) for each in given)
    except TypeError:  # not what its type says; nothing is raised for it
        return ()
