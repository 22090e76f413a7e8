"""Who acts, carried by the OpenTelemetry context.

A Context key of our own, so that it follows await, and nothing but this process reads it: propagators do not know it.
Where set-up was told to, a pseudonym and the consent go into baggage as well, which propagators send to whoever is
called, and are read from it; never the id itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from opentelemetry import baggage
from opentelemetry import context as context_api
from opentelemetry.context import Context

from otel_posthog.any_value import Id, id_text
from otel_posthog.model import ContextIdentity

PSEUDONYM_ENTRY = "analytics.user.pseudonym"
CONSENT_ENTRY = "analytics.consent"

_KEY = context_api.create_key("otel-posthog-identity")
_CONSENTS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Baggage:
    """What is done with baggage.

    Attributes:
        pseudonym_of: Returns what stands for a user id in what this service sends; None sends nothing.
        accepts: Whether what other services sent is believed.
    """

    pseudonym_of: Callable[[str], str | None] | None = None
    accepts: bool = False


_baggage = Baggage()


def use_baggage(how: Baggage) -> None:
    """Do `how` with baggage from now on, in this process."""
    global _baggage
    _baggage = how


@contextmanager
def user_context(
    distinct_id: Id | None = None,
    *,
    session_id: Id | None = None,
    groups: Mapping[str, Id] | None = None,
    consent: bool | None = None,
) -> Iterator[None]:
    """Say who acts in everything that starts inside; what is not given is taken from the context around it.

    Args:
        distinct_id: The user's id; whether it leaves this process is the identity mode's decision.
        session_id: The session's id.
        groups: Group type -> group key.
        consent: False keeps every event inside from being sent, whatever is said further inside.
    """
    around = current_identity() or ContextIdentity()
    inside = ContextIdentity(
        user_id=id_text(distinct_id) if distinct_id is not None else around.user_id,
        session_id=id_text(session_id) if session_id is not None else around.session_id,
        groups={**around.groups, **{name: id_text(key) for name, key in (groups or {}).items()}},
        consent=agreed(around.consent, consent),
        pseudonym=around.pseudonym if distinct_id is None else None,
    )
    token = context_api.attach(
        _with_baggage(context_api.set_value(_KEY, inside), inside, is_new=distinct_id is not None)
    )
    try:
        yield
    finally:
        context_api.detach(token)


def current_identity(context: Context | None = None) -> ContextIdentity | None:
    """Return who acts in `context`, or in the current one."""
    value = context_api.get_value(_KEY, context)
    own = value if isinstance(value, ContextIdentity) else None
    return _with_handed_on(own, context) if _baggage.accepts else own


def agreed(*said: bool | None) -> bool | None:
    """Return what several say of consent together: a denial anywhere wins; None where nobody has said."""
    if False in said:
        return False
    return True if True in said else None


def _with_baggage(context: Context, inside: ContextIdentity, *, is_new: bool) -> Context:
    """Return `context` with what other services are told: nothing of a user who objects but that they do."""
    is_denied = inside.consent is False
    # Somebody else's pseudonym does not stay beside a new user.
    if (is_new or is_denied) and baggage.get_baggage(PSEUDONYM_ENTRY, context) is not None:
        context = baggage.remove_baggage(PSEUDONYM_ENTRY, context)
    pseudonym_of = _baggage.pseudonym_of
    if pseudonym_of is None:
        return context
    pseudonym = pseudonym_of(inside.user_id) if is_new and inside.user_id and not is_denied else None
    if pseudonym:
        context = baggage.set_baggage(PSEUDONYM_ENTRY, pseudonym, context)
    if inside.consent is not None:
        context = baggage.set_baggage(CONSENT_ENTRY, str(inside.consent).lower(), context)
    return context


def _with_handed_on(own: ContextIdentity | None, context: Context | None) -> ContextIdentity | None:
    """Return `own` with what another service sent: its pseudonym where there is no user, its consent in any case."""
    pseudonym, said = baggage.get_baggage(PSEUDONYM_ENTRY, context), baggage.get_baggage(CONSENT_ENTRY, context)
    if pseudonym is None and said is None:
        return own
    known = own or ContextIdentity()
    # What is there and no plain yes is a denial.
    consent = None if said is None else _CONSENTS.get(str(said).strip().lower(), False)
    handed_on = pseudonym if known.user_id is None and isinstance(pseudonym, str) else known.pseudonym
    return replace(known, consent=agreed(known.consent, consent), pseudonym=handed_on)
