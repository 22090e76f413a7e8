"""A request as a framework's hooks see it: begun, answered, ended; what the browser says, and who knows the user.

For hooks into frameworks. Comes in: what reads a header, and what knows the user. Goes out: nothing; the request's
record has it. Every call runs on the application's threads, never raises into them, and does nothing where the package
is not set up or collects nothing.

    request = begin_request(environ.get, adopt=..., resolve=...)    # as early as may be; None: leave everything alone
    request.answer(status_code)                                     # or `await request.answer_async(status_code)`
    request.end()                                                   # in a `finally`
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from otel_posthog.actor.attachment import Attachment, leave
from otel_posthog.actor.attributes import as_id, objects
from otel_posthog.actor.context import baggage_in_use, prepare_baggage
from otel_posthog.actor.request_block import current_record, enter_request
from otel_posthog.actor.request_user import Ask, RequestUser
from otel_posthog.actor.statement import Record, Statement
from otel_posthog.errors import Guard
from otel_posthog.logger import own_logger
from otel_posthog.values import id_text

SESSION_HEADER, WINDOW_HEADER = "X-POSTHOG-SESSION-ID", "X-POSTHOG-WINDOW-ID"
DISTINCT_ID_HEADER = "X-POSTHOG-DISTINCT-ID"
GPC_HEADER, DNT_HEADER = "Sec-GPC", "DNT"

Header = Callable[[str], object]
"""Returns the value of a header, whatever the case of its name; None where there is none."""

# What a browser sends is anybody's: an id of PostHog's has 36 characters, and this is no place for a text.
_SENT_ID = re.compile(r"[\x21-\x7e]{1,200}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")

_log = own_logger()


class Requests(NamedTuple):
    """What is done with requests; set-up says it.

    Attributes:
        caught: Counts what is caught, by place.
        is_off: Whether the user has opted out.
        foresees: Returns whether a request with this record and status code makes an event of its own span.
        tells_users_apart: Whether a user's id makes a difference to anything that is sent.
        user_attribute: Which attribute of a user is their id; None leaves that to the framework.
        takes_emails: Whether an id may be an e-mail address.
        believes_browser: Whether the distinct id that a browser sends is believed.
        is_derived: Returns whether an event of this name is made of what frameworks tell.
    """

    caught: Callable[[str, BaseException], None]
    is_off: Callable[[], bool] = lambda: False
    foresees: Callable[[Record, int | None], bool] = lambda _record, _status: False
    tells_users_apart: bool = True
    user_attribute: str | None = None
    takes_emails: bool = False
    believes_browser: bool = False
    is_derived: Callable[[str], bool] = lambda _: False


_requests: Requests | None = None


def use_requests(how: Requests | None) -> None:
    """Do `how` with requests from now on, in this process; None leaves them alone."""
    global _requests
    _requests = how


def requests_in_use() -> Requests | None:
    """Return what is done with requests in this process."""
    return _requests


class Request:
    """A request that has begun.

    Args:
        how: What is done with requests.
        record: Its record.
        user: Its user.
        entered: What is left at its end; None where a span has the record.
        is_inside: Whether it is one framework inside another, of which the outer one ends it.
    """

    def __init__(
        self, how: Requests, record: Record, user: RequestUser, entered: Attachment | None, *, is_inside: bool
    ) -> None:
        self._how, self._record, self._user = how, record, user
        self._entered, self._is_inside = entered, is_inside

    def answer(self, status_code: int | None = None) -> None:
        """Load the user if this request has made or will make an event that has none; before the response is out.

        Args:
            status_code: Of the response.
        """
        try:
            if self._is_wanted(status_code):
                self._user.settle()
        except Exception as error:
            self._how.caught("request_answer", error)

    async def answer_async(self, status_code: int | None = None) -> None:
        """Do the same in asynchronous code, where nothing is called that could block.

        Args:
            status_code: Of the response.
        """
        try:
            if self._is_wanted(status_code):
                await self._user.settle_async()
        except Exception as error:
            self._how.caught("request_answer", error)

    async def flush_async(self) -> None:
        """Load the user if events wait: after the response has begun, in a stream, a socket or a background task."""
        try:
            if self._user.has_waiting:
                await self._user.settle_async()
        except Exception as error:
            self._how.caught("request_flush", error)

    def end(self) -> None:
        """End the request; what still waits goes."""
        try:
            if not self._is_inside:
                self._user.close()
            if self._entered is not None:
                entered, self._entered = self._entered, None
                leave(entered)
        except Exception as error:
            self._how.caught("request_end", error)

    def _is_wanted(self, status_code: int | None) -> bool:
        record, user = self._record, self._user
        if not user.waits or record.identity.user_id is not None or record.identity.consent is False:
            return user.has_waiting
        return user.has_waiting or self._how.foresees(record, status_code)


def begin_request(header: Header | None = None, adopt: Ask | None = None, resolve: Any = None) -> Request | None:
    """Begin a request; None where nothing is collected.

    Args:
        header: Reads a header; None where there are none.
        adopt: Returns the id of the user whom the app has loaded, an empty text where it has found that nobody is
            logged in, None where it has not looked. It must cost and change nothing, on any thread.
        resolve: Loads the user and returns the id, leaving no trace in the response; or an awaitable of it. It is
            called once, in `answer`, and only for a request with events whose user is not known.
    """
    how = _requests
    if how is None:
        return None
    try:
        if how.is_off():
            return None
        prepare_baggage()
        record, entered = current_record(), None
        if record is None:
            record = Record()
            entered = enter_request(record)
        user, is_inside = record.user, record.user is not None
        if user is None:
            user = record.user = RequestUser(usable_id, how.caught)
        if adopt is not None or resolve is not None:
            user.ask(adopt, resolve)
        objected = header is not None and _take_headers(record, user, header, how)
        if not is_inside:
            user.is_open = how.tells_users_apart and not objected
        return Request(how, record, user, entered, is_inside=is_inside)
    except Exception as error:
        how.caught("request_begin", error)
        return None


def set_user_source(adopt: Ask | None = None, resolve: Any = None) -> bool:
    """Name functions that know the user of the request that this is called in; return whether there is one.

    Args:
        adopt: Returns the id of the user whom the app has loaded, an empty text where nobody is logged in, None where
            that is not known yet. It must cost and change nothing: it is asked for each event, on any thread.
        resolve: Loads the user and returns the id, or an awaitable of it. Where an instrumentor of ours is in place, it
            is called once, before the response, for a request with events whose user is not known; else never.
    """
    record, how = current_record(), _requests
    if record is None or how is None:
        return False
    if record.user is None:
        record.user = RequestUser(usable_id, how.caught)
    record.user.ask(adopt, resolve)
    return True


def logged_in() -> None:
    """Take that somebody has logged in, in this request: what they have not done is not theirs."""
    _change(lambda user: user.release(""))


def logged_out(user_id: object) -> None:
    """Take that a user has logged out: what waits is theirs, and so is the request."""
    _change(lambda user: user.left(user_id))


def count_fault(place: str, error: BaseException) -> None:
    """Count what a hook has caught, which is not raised into the framework.

    Args:
        place: The hook, a fixed identifier.
        error: What was caught.

    Raises:
        BaseException: `error` itself, under test only.
    """
    if _requests is not None:
        _requests.caught(place, error)
    elif Guard.reraise:
        raise error


def user_id_of(user: object, default: Callable[[Any], object]) -> object:
    """Return the id of a framework's user: the attribute that the policy names, else what `default` returns.

    Args:
        user: The user; None and a text are returned as they are.
        default: The framework's own way.
    """
    how = _requests
    if user is None or isinstance(user, str) or how is None:
        return user
    if how.user_attribute is None:
        return default(user)
    found: Any = user
    for name in how.user_attribute.split("."):
        found = getattr(found, name)
    return found() if callable(found) else found


def usable_id(value: object) -> str | None:
    """Return the id that `value` is, None for None; empty for what is no id, or an e-mail address that may be none."""
    if value is None:
        return None
    found = as_id(id_text(value)) or ""  # type: ignore[arg-type]
    if _EMAIL.fullmatch(found) and not (_requests and _requests.takes_emails):
        _log_email()
        return ""
    return found


def _change(change: Callable[[RequestUser], None]) -> None:
    record, how = current_record(), _requests
    if record is None or record.user is None or how is None:
        return
    try:
        change(record.user)
    except Exception as error:
        how.caught("request_user", error)


def _take_headers(record: Record, user: RequestUser, header: Header, how: Requests) -> bool:
    """Take what the browser sent; return whether it objects."""
    gpc, dnt = objects(header(GPC_HEADER)), objects(header(DNT_HEADER))
    session_id, window_id = _sent(header(SESSION_HEADER)), _sent(header(WINDOW_HEADER))
    if gpc or dnt or session_id or window_id:
        consent = False if gpc else None
        record.say(Statement(session_id=session_id, consent=consent, do_not_track=dnt, window_id=window_id))
    if how.believes_browser:
        user.browser_id = usable_id(_sent(header(DISTINCT_ID_HEADER))) or None
    return gpc or (dnt and baggage_in_use().heeds_dnt)


def _sent(value: object) -> str | None:
    return value if isinstance(value, str) and _SENT_ID.fullmatch(value) else None


_has_logged = False


def _log_email() -> None:
    global _has_logged
    if not _has_logged:
        _has_logged = True
        _log.warning(
            "the id of a user is an e-mail address, so it is taken for nobody's: name another attribute in "
            "identity_user.attribute, or allow it with identity_user.takes_emails (logged once)"
        )
