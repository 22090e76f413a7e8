"""Who acts, said by the app: for a block, or for the request that it is in.

Blocks are in a Context key of our own, so that they follow await, and nothing but this process reads it: propagators do
not know it. Where the policy asks for that, a pseudonym and the consent go into the baggage of outgoing calls as well,
and are read from that of incoming ones; never the id itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from opentelemetry import baggage
from opentelemetry.context import Context

from otel_posthog.actor import NOBODY, Statement, agreed, block_identity, current_record, enter, leave
from otel_posthog.actor.attributes import agrees, as_id
from otel_posthog.actor.block import BLOCK_KEY
from otel_posthog.logger import own_logger
from otel_posthog.model import NO_GROUPS, ContextIdentity, OpenConsent
from otel_posthog.values import Id, id_text

PSEUDONYM_ENTRY = "analytics.user.pseudonym"
CONSENT_ENTRY = "analytics.consent"

_log = own_logger()


class Baggage(NamedTuple):
    """What is done with baggage.

    Attributes:
        pseudonym_of: Returns what stands for a user id in what this service sends; None sends nothing.
        accepts: Whether what other services sent is believed.
        heeds_dnt: Whether the header `DNT` is a denial.
        prepare: Called where a request or a block begins, so that outgoing calls carry who acts.
    """

    pseudonym_of: Callable[[str], str | None] | None = None
    accepts: bool = False
    heeds_dnt: bool = True
    prepare: Callable[[], None] | None = None


_baggage = Baggage()
_is_off = False


def use_baggage(how: Baggage) -> None:
    """Do `how` with baggage from now on, in this process."""
    global _baggage
    _baggage = how


def baggage_in_use() -> Baggage:
    """Return what is done with baggage in this process."""
    return _baggage


def say_off(*, is_off: bool) -> None:
    """Take whether set-up found that nothing is collected, by a switch that is read at start."""
    global _is_off
    _is_off = is_off


def is_off_for_good() -> bool:
    """Return whether nothing is collected for as long as this process runs, so that nobody asks who acts."""
    return _is_off


def prepare_baggage() -> None:
    """Have outgoing calls carry who acts, where set-up asked for that."""
    if _baggage.prepare is not None:
        _baggage.prepare()


@contextmanager
def user_context(
    distinct_id: Id | None = None,
    *,
    session_id: Id | None = None,
    groups: Mapping[str, Id] | None = None,
    consent: bool | None = None,
) -> Iterator[None]:
    """Say who acts in everything that starts inside; what is not given is taken from the context around it.

    In a request it is said of all that happens later in it as well, as by `set_user`.

    Args:
        distinct_id: The user's id; whether it leaves this process is the identity mode's decision.
        session_id: The session's id.
        groups: Group type -> group key.
        consent: False keeps the events of the user that is given with it from being sent, and without one every event,
            whatever is said further inside; so does what is no plain yes. True is the consent of that user and of
            nobody else.
    """
    said = _statement(distinct_id, session_id, groups, consent)
    in_force = _in_force()
    _say(said)
    entered = enter(said, in_force)
    try:
        yield
    finally:
        leave(entered)


def set_user(
    distinct_id: Id | None = None,
    *,
    session_id: Id | None = None,
    groups: Mapping[str, Id] | None = None,
    consent: bool | None = None,
) -> bool:
    """Say who acts in the rest of the request that this is called in: in all its spans, threads and tasks.

    A request is the first span of kind SERVER or CONSUMER in this process, and all that is inside it. What is not given
    stays as it was. An item says it first, then its span, then the `user_context` around it, then this.

    Args:
        distinct_id: The user's id; whether it leaves this process is the identity mode's decision.
        session_id: The session's id.
        groups: Group type -> group key.
        consent: False keeps the events of the user that is given with it from being sent, and without one every later
            event of the request, for good; so does what is no plain yes. True is the consent of that user and of
            nobody else.

    Returns:
        False where this is no request: nothing is said then, which is logged once. Where nothing is collected, too.
    """
    is_request = _say(_statement(distinct_id, session_id, groups, consent))
    if not is_request and not is_off_for_good():
        _log_no_request()
    return is_request


def current_identity(context: Context | None = None) -> ContextIdentity | None:
    """Return who acts in the blocks of `context`, or of the current one, and by what other services sent."""
    if _baggage.accepts:
        return _with_handed_on(block_identity(context), context)
    # At each span's start, where most are in no block.
    return None if context is not None and BLOCK_KEY not in context else block_identity(context)


def _statement(
    distinct_id: Id | None, session_id: Id | None, groups: Mapping[str, Id] | None, consent: bool | None
) -> Statement:
    user_id = None if distinct_id is None else as_id(id_text(distinct_id))
    return Statement(
        user_id,
        None if session_id is None else as_id(id_text(session_id)),
        {name: id_text(key) for name, key in groups.items()} if groups else NO_GROUPS,
        None if consent is None else agrees(consent),
        user_id,
        opened=OpenConsent() if consent is not None and user_id is None else None,
    )


def _in_force() -> str | None:
    """Return who acts in the request, where this is one."""
    record = current_record()
    return record.identity.user_id if record is not None else None


def _say(said: Statement) -> bool:
    """Say `said` of the request; return False where this is none."""
    prepare_baggage()
    record = current_record()
    if record is None:
        return False
    around = block_identity() if said.consent else None
    record.say(said, None if around is None else around.user_id)
    return True


@cache
def _log_no_request() -> None:
    _log.warning(
        "set_user() was called where there is no request (no span of kind SERVER or CONSUMER around it, or one of a "
        "tracer provider that is not set up) and says nothing there: use user_context() (logged once)"
    )


def _with_handed_on(own: ContextIdentity | None, context: Context | None) -> ContextIdentity | None:
    """Return `own` with what another service sent: its pseudonym, and the consent that belongs to that."""
    pseudonym, said = baggage.get_baggage(PSEUDONYM_ENTRY, context), baggage.get_baggage(CONSENT_ENTRY, context)
    if pseudonym is None and said is None:
        return own
    known = own or NOBODY
    known_as = pseudonym if isinstance(pseudonym, str) else None
    consent = None if said is None else carried_consent(said)
    if consent is True and known_as is not None:
        return replace(known, pseudonym=known_as, consented=known.consented | {known_as})
    return replace(known, pseudonym=known_as, consent=agreed(known.consent, consent))


def carried_consent(said: object) -> bool:
    """Return what an entry of baggage says of consent: what is there and no plain yes is a denial."""
    return str(said).strip().lower() == "true"


def recognised(identity: ContextIdentity) -> ContextIdentity:
    """Return `identity` with the user in the place of the pseudonym where another service sent one.

    Its consent is the user's where this service makes the same pseudonym of the user.
    """
    user_id, pseudonym, pseudonym_of = identity.user_id, identity.pseudonym, _baggage.pseudonym_of
    if pseudonym is None or user_id is None:
        return identity
    is_theirs = pseudonym in identity.consented and pseudonym_of is not None and pseudonym_of(user_id) == pseudonym
    return replace(identity, pseudonym=None, consented=identity.consented | ({user_id} if is_theirs else frozenset()))
