"""The instrumentor `posthog_django`: says who acts in requests of Django, by a middleware of ours and Django's signals.

The middleware gets into the setting `MIDDLEWARE` as a handler reads that, so that the order in which instrumentors are
loaded, and whether settings are there yet, does not matter. No import of Django happens here.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

from otel_posthog.actor.request import count_fault, logged_in, logged_out
from otel_posthog_instrumentation.accounts import note
from otel_posthog_instrumentation.framework import FrameworkInstrumentor, Hook

_UID = "otel_posthog"


class PostHogDjangoInstrumentor(FrameworkInstrumentor):
    """Hooks into Django, its accounts and allauth's."""

    name = "posthog_django"

    _undo: list[Callable[[], object]] = []  # noqa: RUF012 - replaced, never changed

    def hooks(self) -> Mapping[str, Hook]:
        """Return what to call once a part of Django or allauth is imported."""
        return {
            "django.core.handlers.base": self._hook_handlers,
            "django.contrib.auth.signals": self._hook_accounts,
            "allauth.account.signals": self._hook_allauth,
        }

    def unhook(self) -> None:
        """Take the middleware out, and listen to no signal any more."""
        undo, self._undo = self._undo, []
        for each in undo:
            each()

    def _hook_handlers(self, base: Any) -> None:
        handler = base.BaseHandler
        inner = handler.load_middleware

        @wraps(inner)
        def load_middleware(self_: Any, *args: Any, **kwargs: Any) -> Any:
            _place()
            return inner(self_, *args, **kwargs)

        def undo() -> None:
            if handler.load_middleware is load_middleware:
                handler.load_middleware = inner
            _take_out()

        handler.load_middleware = load_middleware
        self._undo = [*self._undo, undo]

    def _hook_accounts(self, signals: Any) -> None:
        self._connect(signals.user_logged_in, _logged_in)
        self._connect(signals.user_logged_out, _logged_out)
        self._connect(signals.user_login_failed, lambda **_: note("login_failed"))

    def _hook_allauth(self, signals: Any) -> None:
        self._connect(signals.user_signed_up, lambda user, **_: note("user_signed_up", _id_of(user)))
        for name, is_reset in (("password_changed", False), ("password_reset", True)):
            self._connect(getattr(signals, name), partial(_password_changed, is_reset))

    def _connect(self, signal: Any, does: Callable[..., object]) -> None:
        receiver = partial(_guarded, does)
        signal.connect(receiver, weak=False, dispatch_uid=_UID)
        self._undo = [*self._undo, lambda: signal.disconnect(dispatch_uid=_UID)]


def _place() -> None:
    """Put the middleware into the settings, unless it is there."""
    try:
        from django.conf import settings  # noqa: PLC0415 - it is imported

        from otel_posthog_instrumentation.django_middleware import placed  # noqa: PLC0415

        found = settings.MIDDLEWARE
        with_ours = placed(found)
        if with_ours is not found:
            settings.MIDDLEWARE = with_ours
    except Exception as error:
        count_fault("django", error)


def _take_out() -> None:
    from django.conf import settings  # noqa: PLC0415 - it is imported

    from otel_posthog_instrumentation.django_middleware import PATH  # noqa: PLC0415

    if settings.configured and PATH in settings.MIDDLEWARE:
        found = settings.MIDDLEWARE
        settings.MIDDLEWARE = type(found)(each for each in found if each != PATH)


def _guarded(does: Callable[..., object], sender: Any = None, **given: Any) -> None:  # noqa: ARG001 - of a signal
    given.pop("signal", None)
    try:
        does(**given)
    except Exception as error:
        count_fault("django", error)


def _logged_in(user: Any = None, **_: object) -> None:
    logged_in()
    note("user_logged_in", _id_of(user))


def _logged_out(user: Any = None, **_: object) -> None:
    user_id = _id_of(user)
    logged_out(user_id)
    note("user_logged_out", user_id)


def _password_changed(is_reset: bool, user: Any = None, **_: object) -> None:
    note("password_changed", _id_of(user), {"is_reset": is_reset})


def _id_of(user: Any) -> object:
    from otel_posthog_instrumentation.django_user import id_of  # noqa: PLC0415 - Django is imported

    return id_of(user)
