"""What is said of who acts at one moment, and what several such statements come to, for one item or a whole request.

A request has one record for all that gets its context, written on any thread of the app.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from otel_posthog.actor.attributes import (
    CONSENT_KEY,
    DNT_KEY,
    GROUP_PREFIX,
    SESSION_ID_KEYS,
    USER_ID_KEYS,
    WINDOW_ID_KEYS,
    agrees,
    as_id,
    first_id_in,
    is_do_not_track,
    is_objection,
)
from otel_posthog.model import NO_GROUPS, Attributes, ContextIdentity, OpenConsent

if TYPE_CHECKING:
    from otel_posthog.actor.request_user import RequestUser

NOBODY = ContextIdentity()

MAX_IDS = 1000
"""Of users whose denial or consent is kept for one request, which may be a consumer that runs for days: past it a
denial counts for everybody, and a consent for nobody."""

# Reentrant: a signal handler may write while this thread is inside.
_writing = threading.RLock()


class Statement(NamedTuple):
    """What one call, or the attributes of one span, say.

    Attributes:
        user_id: Who acts from now on; None leaves it at who did.
        session_id: In which session.
        groups: Group type -> group key.
        consent: What is said of consent, if anything is.
        owner: Whose consent that is; a denial without one is everybody's.
        do_not_track: Whether a browser asks for it.
        opened: What a consent is where nobody is known; None makes one.
        window_id: In which window of the browser.
    """

    user_id: str | None = None
    session_id: str | None = None
    groups: Mapping[str, str] = NO_GROUPS
    consent: bool | None = None
    owner: str | None = None
    do_not_track: bool = False
    opened: OpenConsent | None = None
    window_id: str | None = None


class Record:
    """The actor of one request.

    Attributes:
        identity: Who acts now, by what was said; what is read stays as it is, a write replaces it.
        user: Knows the user where nobody has said it.
        span: The request's span, while it lives.
        children: What was found inside it that rules ask of.
        is_task: Whether a worker has begun a task with it.
    """

    identity: ContextIdentity = NOBODY
    user: RequestUser | None = None
    span: Callable[[], object] | None = None
    children: frozenset[str] = frozenset()
    is_task = False

    def acting(self, *, is_its_span: bool = False) -> ContextIdentity:
        """Return who acts now, with the user whom the app has loaded, or with who is to tell where it has not.

        Args:
            is_its_span: Whether it is asked for the request itself, which is that of who has just logged out.
        """
        identity, user = self.identity, self.user
        if user is None or identity.user_id is not None:
            return identity
        found = user.now()
        if found is None and user.waits:
            return replace(identity, waits_for=user)
        found = found or (user.last if is_its_span else None) or user.browser_id
        return come_to_act(replace(identity, user_id=found)) if found else identity

    def say(self, said: Statement, in_force: str | None = None) -> None:
        """Take a statement: another user wins from now on, a denial for ever.

        Args:
            said: The statement.
            in_force: Who acts by the blocks around it.
        """
        with _writing:
            self.identity = come_to_act(merged(self.identity, said, in_force))

    def has_inside(self, children: Iterable[str]) -> None:
        """Take what was found inside it."""
        with _writing:
            self.children = self.children.union(children)

    def begin_with(self, around: ContextIdentity) -> None:
        """Take who acts where the request begins, for what nobody says inside it."""
        with _writing:
            self.identity = combined(self.identity, around) or around


def agreed(*said: bool | None) -> bool | None:
    """Return what several say of consent together: a denial anywhere wins; None where nobody has said."""
    if False in said:
        return False
    return True if True in said else None


def statement_of(attributes: Attributes) -> Statement:
    """Return what `attributes` of a span say together."""
    user_id = first_id_in(USER_ID_KEYS, attributes)
    consent = agrees(attributes[CONSENT_KEY]) if attributes.get(CONSENT_KEY) is not None else None
    is_named = consent is not None
    if is_objection(attributes):
        # The browser's word is about whoever sits before it, whatever name the app knows them by.
        consent, is_named = False, False
    return Statement(
        user_id,
        first_id_in(SESSION_ID_KEYS, attributes),
        groups_in(attributes),
        consent,
        user_id if is_named else None,
        DNT_KEY in attributes and is_do_not_track(attributes),
        window_id=first_id_in(WINDOW_ID_KEYS, attributes),
    )


def groups_in(attributes: Attributes) -> Mapping[str, str]:
    """Return the groups that `attributes` name."""
    given = ((key[len(GROUP_PREFIX) :], as_id(value)) for key, value in attributes.items() if _is_group(key))
    return {kind: key for kind, key in given if key is not None} or NO_GROUPS


def merged(around: ContextIdentity, said: Statement, in_force: str | None = None) -> ContextIdentity:
    """Return who acts where `said` is said inside `around`.

    Args:
        around: Who acted.
        said: What is said now; it wins, but for a denial that was there.
        in_force: Who acts where neither says it: a consent that names nobody is theirs.
    """
    user_id = said.user_id or around.user_id
    consent, denied, consented = around.consent, around.denied, around.consented
    open_consents = around.open_consents
    if said.consent is False:
        if said.owner is None or len(denied) >= MAX_IDS:
            consent = False
        else:
            denied |= {said.owner}
    elif said.consent is True:
        owner = said.owner or user_id or in_force
        if owner is None:
            open_consents |= {said.opened or OpenConsent()}
        elif len(consented) < MAX_IDS:
            consented |= {owner}
    return ContextIdentity(
        user_id=user_id,
        session_id=said.session_id or around.session_id,
        groups={**around.groups, **said.groups} if said.groups else around.groups,
        consent=consent,
        pseudonym=around.pseudonym,
        denied=denied,
        consented=consented,
        open_consents=open_consents,
        do_not_track=around.do_not_track or said.do_not_track,
        waits_for=around.waits_for if user_id is None else None,
        window_id=said.window_id or around.window_id,
    )


def come_to_act(identity: ContextIdentity) -> ContextIdentity:
    """Return `identity`; a consent that was given before anybody was known is from now on the user's."""
    if identity.open_consents and identity.user_id is not None:
        for each in identity.open_consents:
            each.is_of(identity.user_id)
    return identity


def combined(first: ContextIdentity | None, second: ContextIdentity | None) -> ContextIdentity | None:
    """Return what two layers say together: for each field the first that says anything, and every denial."""
    if first is None or second is None:
        return first or second
    user_id = first.user_id or second.user_id
    return replace(
        first,
        user_id=user_id,
        session_id=first.session_id or second.session_id,
        groups={**second.groups, **first.groups},
        consent=agreed(first.consent, second.consent),
        pseudonym=first.pseudonym or second.pseudonym,
        denied=first.denied | second.denied,
        consented=first.consented | second.consented,
        open_consents=first.open_consents | second.open_consents,
        hears_span=first.hears_span or second.hears_span,
        do_not_track=first.do_not_track or second.do_not_track,
        other_ids=tuple(overruled(first, second)),
        waits_for=first.waits_for or second.waits_for if user_id is None else None,
        window_id=first.window_id or second.window_id,
    )


def overruled(first: ContextIdentity, second: ContextIdentity) -> Iterator[tuple[str, str]]:
    """Yield (whose, id) of what `second` says and `first` says otherwise, and of what they had overruled themselves."""
    yield from (*first.other_ids, *second.other_ids)
    for what, won, given in (
        ("user", first.user_id, second.user_id),
        ("session", first.session_id, second.session_id),
        ("window", first.window_id, second.window_id),
        *(("group", first.groups.get(kind), key) for kind, key in second.groups.items()),
    ):
        if given is not None and won is not None and given != won:
            yield what, given


def _is_group(key: object) -> bool:
    return isinstance(key, str) and key.startswith(GROUP_PREFIX)


def _renew_lock() -> None:
    """Have no child of a fork wait for a thread that it does not have."""
    global _writing
    _writing = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
