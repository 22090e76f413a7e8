"""The user of one request as those who know tell it, and the events that wait until they have.

A framework knows the user of a request late, and to ask costs queries. So nobody asks: a user whom the app has loaded
is adopted, and an event of a request in which the app has loaded none waits until there is a response. Only then, where
there is such an event, the user is loaded: not inside the app's own transaction, loop or unit of work.
"""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from otel_posthog.actor.attributes import USER_ID_KEYS, first_id_in
from otel_posthog.model import ContextIdentity, Signal, Submit

Ask = Callable[[], object]
"""Returns a user's id; an empty text where nobody is logged in, None where it is not known."""

Caught = Callable[[str, BaseException], None]

MAX_HELD = 1000
"""Events of one request that wait; with one more all go, and the user is loaded if this is the request's thread."""

# Reentrant: a signal handler may make an event while this thread is inside.
_lock = threading.RLock()


class RequestUser:
    """The user of one request.

    Args:
        usable: Returns the id that a value is, an empty text for what is not to be one; None for None.
        caught: Counts what the app's code raises.
        adopt: Returns the id of the user whom the app has loaded. Asked for each event, on any thread, so it must cost
            and change nothing.
        resolve: Loads the user and returns the id, or an awaitable of it. Asked once, before the response is out.

    Attributes:
        is_open: Whether the request goes on, so that events wait for the user.
        last: Who acts, or acted last, where they have logged out since; empty where nobody has.
        browser_id: Who acts where no user is logged in, by what the browser sent.
    """

    def __init__(
        self, usable: Callable[[object], str | None], caught: Caught, adopt: Ask | None = None, resolve: Any = None
    ) -> None:
        self._usable, self._caught = usable, caught
        self._adopt, self._resolve = adopt, resolve
        self.browser_id: str | None = None
        self._resolved: str | None = None
        self.last = ""
        self._held: list[tuple[Submit, Signal]] = []
        self._process, self._thread = os.getpid(), threading.get_ident()
        self.is_open = False

    def ask(self, adopt: Ask | None, resolve: Any) -> None:
        """Ask others from now on."""
        self._adopt, self._resolve, self._resolved = adopt, resolve, None

    def now(self) -> str | None:
        """Return who acts; an empty text where nobody is logged in, None where that is not known."""
        found = None
        if self._adopt is not None:
            try:
                found = self._usable(self._adopt())
            except Exception as error:
                self._caught("user_adopt", error)
        if found is None:
            found = self._resolved
        if found:
            self.last = found
        return found

    @property
    def waits(self) -> bool:
        """Whether a user who is not known now may come to be known."""
        return self.is_open and (self._adopt is not None or self._resolve is not None)

    @property
    def has_waiting(self) -> bool:
        """Whether any event waits."""
        return bool(self._held)

    def hold(self, submit: Submit, signal: Signal, *, may_wait: bool = True) -> bool:
        """Keep an event of whose user nothing is known yet; return whether it is taken.

        Args:
            submit: Takes it once the user is known.
            signal: The event.
            may_wait: Whether it may wait for the response; if not, the user is loaded now, where that can be.
        """
        is_denied = signal.context is not None and signal.context.consent is False
        if is_denied or first_id_in(USER_ID_KEYS, {**signal.parent, **signal.attributes}) is not None:
            return False
        with _lock:
            if not self.is_open:
                return False
            self._held.append((submit, signal))
            is_full = len(self._held) > MAX_HELD
        if is_full or not may_wait:
            if self._thread == threading.get_ident() and not _is_in_loop():
                self.settle()
            else:
                self.release(self.now())
        return True

    def settle(self) -> None:
        """Load the user unless the app has, and let the events go that waited; on the request's own thread."""
        if self.now() is None and (resolve := self._take_resolve()) is not None:
            try:
                found = resolve()
                if inspect.iscoroutine(found):
                    found.close()
                    found = None
                self._resolved = self._usable(found)
            except Exception as error:
                self._caught("user_resolve", error)
        self.release(self.now())

    async def settle_async(self) -> None:
        """Do the same where the loop runs; what is awaitable is awaited, and nothing else is called."""
        if self.now() is None and (resolve := self._take_resolve()) is not None:
            try:
                found: Any = resolve()
                self._resolved = self._usable(await found if isinstance(found, Awaitable) else found)
            except Exception as error:
                self._caught("user_resolve", error)
        self.release(self.now())

    def _take_resolve(self) -> Any:
        """Return what loads the user, to whoever asks first: while it runs, events wait, and nobody asks again."""
        with _lock:
            resolve, self._resolve = self._resolve, None
        return resolve

    def release(self, user_id: str | None) -> None:
        """Let the events go that wait, as `user_id`'s.

        Args:
            user_id: Empty or None where it is nobody.
        """
        if user_id:
            self.last = user_id
        with _lock:
            held, self._held = self._held, []
        if self._process != os.getpid():
            return  # they are the parent's
        for submit, signal in held:
            submit(signal._replace(context=_named(signal.context, user_id or self.browser_id)))

    def left(self, value: object) -> None:
        """Take that a user has logged out: what they did before, and the request, is theirs."""
        self.release(self._usable(value) or self.now())

    def close(self) -> None:
        """Have no event wait from now on."""
        self.is_open = False
        self.release(self.now())


def _named(identity: ContextIdentity | None, user_id: str | None) -> ContextIdentity:
    found = replace(identity or ContextIdentity(), waits_for=None)
    if not user_id or found.user_id is not None:
        return found
    for each in found.open_consents:
        each.is_of(user_id)
    return replace(found, user_id=user_id)


def _is_in_loop() -> bool:
    import asyncio  # noqa: PLC0415 - `import otel_posthog` stays light, and this is rare

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _renew_lock() -> None:
    """Have no child of a fork wait for a thread that it does not have."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
