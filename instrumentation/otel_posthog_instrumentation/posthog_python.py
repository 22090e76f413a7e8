"""The instrumentor `posthog_python`: what an app sends with posthog-python goes through this pipeline instead.

Off unless the policy says `collection.bridge: true`, or `OTEL_POSTHOG_BRIDGE=true`. It takes an event where a client
has made all of it and calls `before_send`, the last public point before the client's queue, in every release alike; and
while a client captures, `send` is False for it, so that nothing goes out twice, whatever it does after that. Both names
are constructor arguments. Calls, contexts, tags, flags and exception autocapture stay posthog-python's own.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]

from otel_posthog import bridge
from otel_posthog.environment_variables import CONFIG_FILE
from otel_posthog.switches import is_disabled, is_disabled_in_file

# Those of any release; each hands one event over and returns its uuid.
CAPTURING = ("capture", "capture_ai", "set", "set_once", "alias", "group_identify", "identify", "page", "screen")
ENDING = ("shutdown", "join")
_NAME = "posthog_python"
_SEND, _BEFORE_SEND = "send", "before_send"
_ENDING_S = 5.0

_log = logging.getLogger("otel_posthog")


class PostHogPythonInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Takes over what clients of posthog-python send, once it is asked for; never raises."""

    _is_forced = False
    _taken_off: Callable[[], None] | None = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return no requirement: it is asked for by a setting, and says so itself where posthog-python is not there."""
        return ()

    def instrument(self, **options: Any) -> None:
        """Take over what posthog-python sends if that is asked for.

        Args:
            options: `bridge=True` asks for it, whatever the policy says.
        """
        asked = options.pop("bridge", None)
        is_forced = asked is True or str(asked).lower() == "true"
        if self.is_instrumented_by_opentelemetry or not (is_forced or bridge.is_asked_for()) or _is_disabled():
            return
        self._is_forced = is_forced
        super().instrument(**{**options, "skip_dep_check": True})

    def _instrument(self, **_: object) -> None:
        try:
            self._taken_off = _put_on(self._is_on)
        except Exception as error:
            _log.error(
                "posthog-python could not be bridged (%s): its events go to PostHog by themselves, unfiltered",
                type(error).__name__,
            )

    def _uninstrument(self, **_: object) -> None:
        taken_off, self._taken_off, self._is_forced = self._taken_off, None, False
        if taken_off is not None:
            taken_off()

    def _is_on(self) -> bool:
        return self._taken_off is not None and (self._is_forced or bridge.is_asked_for())


def _is_disabled() -> bool:
    """Return whether the instrumentor of the package is disabled, which is the end of all of them, or this one is."""
    path = os.environ.get(CONFIG_FILE, "")
    return any(is_disabled(name, os.environ) or is_disabled_in_file(name, path) for name in ("posthog", _NAME))


def _put_on(is_on: Callable[[], bool]) -> Callable[[], None]:
    """Put hooks on posthog-python's clients, those that there are already too; return what takes them off again.

    Args:
        is_on: Whether events are to be taken over now.
    """
    patches = [*_patches(_client_class(), is_on), *_async_patches(is_on)]
    before = [(owner, name, vars(owner).get(name)) for owner, name, _ in patches]
    for owner, name, made in patches:
        setattr(owner, name, made)

    def take_off() -> None:
        for owner, name, was in before:
            if was is None:
                delattr(owner, name)
            else:
                setattr(owner, name, was)

    return take_off


def _client_class() -> type:
    from posthog.client import Client  # noqa: PLC0415 - it takes long, and most programs do not ask for it

    return Client


def _async_client_class() -> type | None:
    try:
        from posthog.async_client import AsyncClient  # noqa: PLC0415
    except ImportError:  # before 7.71
        return None
    return AsyncClient


_Patch = tuple[type, str, Any]


def _patches(owner: type, is_on: Callable[[], bool]) -> Iterator[_Patch]:
    _check(owner)
    yield owner, _SEND, property(_sends, partial(_keep, _SEND))
    yield owner, _BEFORE_SEND, property(partial(_hook_of, is_on, _before_send), partial(_keep, _BEFORE_SEND))
    for name in CAPTURING:
        if name in vars(owner):
            yield owner, name, _capturing(vars(owner)[name], is_on)
    yield owner, "flush", _flushing(vars(owner)["flush"], is_on)
    for name in ENDING:
        yield owner, name, _flushing(vars(owner)[name], is_on, _ENDING_S)


def _async_patches(is_on: Callable[[], bool]) -> Iterator[_Patch]:
    """Yield those of the client for asyncio, which calls `before_send` where it is about to send."""
    owner = _async_client_class()
    if owner is None:
        return
    _check(owner)
    yield owner, _SEND, property(_sends, partial(_keep, _SEND))
    yield owner, _BEFORE_SEND, property(partial(_hook_of, is_on, _async_before_send), partial(_keep, _BEFORE_SEND))
    yield owner, "capture_immediate", _capturing_immediately(vars(owner)["capture_immediate"], is_on)
    yield owner, "flush", _flushing_async(vars(owner)["flush"], is_on)
    yield owner, "shutdown", _flushing_async(vars(owner)["shutdown"], is_on, _ENDING_S)


def _check(owner: type) -> None:
    """Refuse a release in which the two names are not what they have been.

    Raises:
        TypeError: They are not.
    """
    given = inspect.signature(owner).parameters
    if not {_SEND, _BEFORE_SEND} <= given.keys() or {_SEND, _BEFORE_SEND} & vars(owner).keys():
        raise TypeError(owner.__name__)


class _Taking:
    """One call that captures.

    Attributes:
        client: On which client.
        messages: What the client would have sent.
        is_open: Whether the call is still running.
    """

    __slots__ = ("client", "is_open", "messages")

    def __init__(self, client: Any) -> None:
        self.client, self.messages, self.is_open = client, list[Any](), True

    def deliver(self, uuid: str | None) -> None:
        """Hand over what the call has come to; nothing where the client refused it."""
        if uuid is not None:
            for message in self.messages or [None]:
                bridge.deliver(self.client, message, uuid)


_taking: ContextVar[_Taking | None] = ContextVar("otel_posthog_taking", default=None)


def _taking_of(client: object) -> _Taking | None:
    found = _taking.get()
    return found if found is not None and found.is_open and found.client is client else None


def _sends(client: Any) -> bool:
    """Return what a client is told of `send`: no, while what it captures is taken over."""
    return _taking_of(client) is None and bool(vars(client).get(_SEND, True))


def _keep(name: str, client: Any, value: object) -> None:
    vars(client)[name] = value


def _hook_of(is_on: Callable[[], bool], hook: Callable[..., Any], client: Any) -> Any:
    """Return what a client is told of `before_send`: ours, around the app's own."""
    own = vars(client).get(_BEFORE_SEND)
    is_taken = _taking_of(client) is not None or (is_on() and vars(client).get(_SEND, True))
    return partial(hook, client, own) if is_taken else own


def _before_send(client: Any, own: Callable[[Any], Any] | None, message: Any) -> Any:
    """Take `message` as the app's `before_send` leaves it; a client whose call is not known is told to drop it."""
    taking = _taking_of(client)
    with _nothing_taken():
        try:
            left = own(message) if own else message
        except Exception:
            # Some releases send it as it was then, the later ones do not; what the call returns says which.
            _note(taking, message)
            raise
    return _left(client, taking, left)


async def _async_before_send(client: Any, own: Callable[[Any], Any] | None, message: Any) -> Any:
    """Do the same for asyncio; the app's own runs where the client would have it run."""
    taking, uuid = _taking_of(client), message.get("uuid")
    with _nothing_taken():
        left = message if own is None else await _called(own, message)
    if isinstance(left, dict):
        left = {**left, "uuid": uuid}  # the client does not let it be changed
    return _left(client, taking, left)


async def _called(own: Callable[[Any], Any], message: Any) -> Any:
    left = own(message) if inspect.iscoroutinefunction(own) else await asyncio.to_thread(own, message)
    return await left if inspect.isawaitable(left) else left


def _note(taking: _Taking | None, message: Any) -> None:
    if taking is not None:
        taking.messages.append(message)


def _left(client: Any, taking: _Taking | None, message: Any) -> Any:
    """Return what the client is to go on with."""
    if not isinstance(message, dict):
        return message  # dropped by the app, or no event
    if taking is None:
        bridge.deliver(client, message, message.get("uuid") or "")
        return None
    taking.messages.append(message)
    return message


@contextmanager
def _nothing_taken() -> Iterator[None]:
    """Have what the app's own hook captures be a call of its own."""
    token = _taking.set(None)
    try:
        yield
    finally:
        _taking.reset(token)


@contextmanager
def _open(client: Any) -> Iterator[_Taking]:
    taking = _Taking(client)
    token = _taking.set(taking)
    try:
        yield taking
    finally:
        taking.is_open = False
        _taking.reset(token)


def _capturing(wrapped: Callable[..., Any], is_on: Callable[[], bool]) -> Callable[..., Any]:
    @wraps(wrapped)
    def call(client: Any, *args: Any, **kwargs: Any) -> Any:
        if not (is_on() and vars(client).get(_SEND, True)):
            return wrapped(client, *args, **kwargs)
        with _open(client) as taking:
            uuid = wrapped(client, *args, **kwargs)
        taking.deliver(uuid)
        if uuid is not None and getattr(client, "sync_mode", False):
            bridge.flush_call(getattr(client, "timeout", None))
        return uuid

    return call


def _capturing_immediately(wrapped: Callable[..., Any], is_on: Callable[[], bool]) -> Callable[..., Any]:
    @wraps(wrapped)
    async def call(client: Any, *args: Any, **kwargs: Any) -> Any:
        if not (is_on() and vars(client).get(_SEND, True)):
            return await wrapped(client, *args, **kwargs)
        with _open(client) as taking:
            uuid = await wrapped(client, *args, **kwargs)
        taking.deliver(uuid)
        if uuid is not None:
            await asyncio.to_thread(bridge.flush_call, getattr(client, "timeout", None))
        return uuid

    return call


def _flushing(
    wrapped: Callable[..., Any], is_on: Callable[[], bool], timeout_s: float | None = None
) -> Callable[..., Any]:
    """Return a call after which what was taken over is delivered, in the time that the caller has for it."""

    @wraps(wrapped)
    def call(client: Any, *args: Any, **kwargs: Any) -> Any:
        done = wrapped(client, *args, **kwargs)
        here = inspect.currentframe()
        # Without a caller it is the exit of the process, which this package has a share of its own in.
        if is_on() and here is not None and here.f_back is not None:
            bridge.flush(timeout_s or _seconds(args, kwargs))
        return done

    return call


def _flushing_async(
    wrapped: Callable[..., Any], is_on: Callable[[], bool], timeout_s: float | None = None
) -> Callable[..., Any]:
    @wraps(wrapped)
    async def call(client: Any, *args: Any, **kwargs: Any) -> Any:
        done = await wrapped(client, *args, **kwargs)
        if is_on():
            await asyncio.to_thread(bridge.flush, timeout_s or _seconds(args, kwargs))
        return done

    return call


def _seconds(args: tuple[Any, ...], kwargs: dict[str, Any]) -> float | None:
    given = args[0] if args else kwargs.get("timeout_seconds")
    return given if isinstance(given, (int, float)) else None
