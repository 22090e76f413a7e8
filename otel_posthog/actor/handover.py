"""What a task takes along to the worker that runs it: who acts, as far as the identity mode sends that, and consent.

    {"pseudonym": "user-5f0c…", "consent": true}

A text of JSON, for the headers of a message; of a user who objects, that alone. What set-up allows is decided there. A
worker believes it, since whoever can write into its queue has it run what they like; what it cannot read it takes for
a denial.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from otel_posthog.actor.attributes import agrees, as_id
from otel_posthog.model import NO_GROUPS, ContextIdentity, OpenConsent

_USER, _PSEUDONYM, _SESSION, _GROUPS, _CONSENT = "user", "pseudonym", "session", "groups", "consent"
_WINDOW = "window"

DENIED = ContextIdentity(consent=False)
"""Nobody's events are sent."""


class Sent(NamedTuple):
    """What of who acts may be handed over.

    Attributes:
        ids: Whether the ids of users, sessions, windows and groups may.
        pseudonym_of: Returns what stands for a user id; None where nothing that stands for a user may.
        handed_on: Returns what stands for a user whom another service sent a pseudonym of.
        heeds_dnt: Whether the header `DNT` is a denial.
    """

    ids: bool = False
    pseudonym_of: Callable[[str], str | None] | None = None
    handed_on: Callable[[str], str | None] | None = None
    heeds_dnt: bool = True


def _hand_over_nothing() -> str | None:
    return None


_pack: Callable[[], str | None] = _hand_over_nothing


def use_handover(pack: Callable[[], str | None] = _hand_over_nothing) -> None:
    """Have `packed` return what `pack` does: without set-up nothing is handed over."""
    global _pack
    _pack = pack


def packed() -> str | None:
    """Return what a task that is sent from here takes along; None where that is nothing."""
    return _pack()


def written(identity: ContextIdentity, sent: Sent) -> str | None:
    """Return what is handed over of `identity`; None where that is nothing."""
    entries = _entries(identity, sent)
    return json.dumps(entries, separators=(",", ":")) if entries else None


def read(text: object) -> ContextIdentity | None:
    """Return who acts by what was handed over; None where nothing was."""
    if text is None:
        return None
    try:
        entries = json.loads(text) if isinstance(text, (str, bytes)) else None
    except (ValueError, RecursionError):
        entries = None
    return _identity(entries) if isinstance(entries, dict) else DENIED


def _entries(identity: ContextIdentity, sent: Sent) -> Mapping[str, object]:
    user_id = identity.user_id
    is_denied = identity.consent is False or user_id in identity.denied
    if is_denied or (sent.heeds_dnt and identity.do_not_track):
        return {_CONSENT: False}
    entries = _who(identity, sent)
    who = user_id or identity.pseudonym
    is_first = [each.is_of(who) for each in identity.open_consents]
    if identity.consent is True or who in identity.consented or any(is_first):
        entries[_CONSENT] = True
    return entries


def _who(identity: ContextIdentity, sent: Sent) -> dict[str, object]:
    """Return who acts, as an id where ids may be handed over, else as what stands for one."""
    given: dict[str, object] = {}
    if sent.ids:
        given = {_USER: identity.user_id, _SESSION: identity.session_id, _WINDOW: identity.window_id}
        given[_GROUPS] = dict(identity.groups)
    elif identity.user_id and sent.pseudonym_of:
        given = {_PSEUDONYM: sent.pseudonym_of(identity.user_id)}
    if identity.pseudonym and not identity.user_id and sent.handed_on:
        given[_PSEUDONYM] = sent.handed_on(identity.pseudonym)
    return {key: value for key, value in given.items() if value}


def _identity(entries: Mapping[str, object]) -> ContextIdentity:
    said = entries.get(_CONSENT)
    if said is not None and not agrees(said):
        return DENIED
    user_id, pseudonym = as_id(entries.get(_USER)), as_id(entries.get(_PSEUDONYM))
    groups = entries.get(_GROUPS)
    given = groups.items() if isinstance(groups, dict) else ()
    who = user_id or pseudonym
    return ContextIdentity(
        user_id=user_id,
        session_id=as_id(entries.get(_SESSION)),
        window_id=as_id(entries.get(_WINDOW)),
        groups={kind: key for kind, value in given if (key := as_id(value)) is not None} or NO_GROUPS,
        pseudonym=None if user_id else pseudonym,
        consented=frozenset({who} if said and who else ()),
        open_consents=frozenset(() if who or not said else {OpenConsent()}),
    )
