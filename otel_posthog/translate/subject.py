"""Who an event is about: as the item itself says, else its span, else the context around it.

Comes in: the sorted attributes of the item and of its span, and the context identity of the signal. Goes out: a
`Subject` with ids, groups, person properties and consent, and every other id that stands anywhere, so that identity can
find those that leak into texts. Runs on the worker; what may be sent of it is decided later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from otel_posthog.actor.attributes import (
    CONSENT_KEY,
    SESSION_ID_KEYS,
    USER_ID_KEYS,
    WINDOW_ID_KEYS,
    agrees,
    as_id,
    first_id_in,
    is_do_not_track,
    is_objection,
)
from otel_posthog.model import NO_GROUPS, Attributes, ContextIdentity, Note, Signal, Source, Subject
from otel_posthog.translate.vocabulary import ALIAS_KEY, IDS, JOURNEY_KEY, SortedAttributes, first_id

_ID_KEYS = frozenset(IDS)
_NOBODY = ContextIdentity()
_NOBODY_KNOWN = Subject()


def subject_of(signal: Signal, own: SortedAttributes, span: SortedAttributes, note: Note) -> Subject:
    """Return who the events of `signal` are about.

    Args:
        signal: The signal.
        own: Its attributes, sorted.
        span: Those of its span, for a span event.
        note: Called with `user_id_invalid`, `session_id_invalid`, `window_id_invalid`, `alias_invalid`,
            `journey_id_invalid` or `group_key_invalid` for what is no id.
    """
    context = signal.context or _NOBODY
    groups = _groups(context.groups, span, own, note)
    named = own.user_id if own.user_id is not None else span.user_id
    user_id = _id(USER_ID_KEYS, named, note, "user_id_invalid", own.ids, span.ids) or as_id(context.user_id)
    alias = first_id((ALIAS_KEY,), note, "alias_invalid", own.ids) if ALIAS_KEY in own.ids else None
    named = own.session_id if own.session_id is not None else span.session_id
    session_id = _id(SESSION_ID_KEYS, named, note, "session_id_invalid", own.ids, span.ids)
    named = own.window_id if own.window_id is not None else span.window_id
    window_id = _id(WINDOW_ID_KEYS, named, note, "window_id_invalid", own.ids, span.ids)
    is_span = signal.source is Source.SPAN
    is_said = bool(own.choices or span.choices)
    consent = _consent(own, span, user_id, context, is_span=is_span) if is_said else _consent_in(context, user_id)
    if alias is not None and consent is not False:
        # An alias says that both ids are one person's.
        other = _consent(own, span, alias, context, is_span=is_span)
        consent = consent if other is consent or other is True else other
    return Subject(
        user_id=user_id,
        alias=alias,
        session_id=session_id or as_id(context.session_id),
        groups=groups,
        person_set=own.person_set,
        person_set_once=own.person_set_once,
        consent=consent,
        pseudonym=context.pseudonym,
        other_ids=_other_ids(own, span, signal, groups),
        wants_profile=own.wants_profile,
        journey_id=first_id((JOURNEY_KEY,), note, "journey_id_invalid", own.ids, span.ids),
        window_id=window_id or as_id(context.window_id),
        do_not_track=context.do_not_track
        or (is_said and (is_do_not_track(own.choices) or is_do_not_track(span.choices))),
    )


def names_id(keys: Iterable[str]) -> bool:
    """Return whether any of these attributes is an id of a user, a session or the like."""
    return not _ID_KEYS.isdisjoint(keys)


class IdKeys(NamedTuple):
    """The attributes of an item that are ids, by what they are ids of; each in the order in which they count.

    Attributes:
        all: Each with whose it is.
        user: Of users.
        session: Of sessions.
        window: Of windows.
        journey: Of journeys.
    """

    all: tuple[tuple[str, str], ...]
    user: tuple[str, ...]
    session: tuple[str, ...]
    window: tuple[str, ...]
    journey: tuple[str, ...]


def id_keys(keys: Collection[str]) -> IdKeys:
    """Return those of `keys` that name ids, sorted."""
    kinds = USER_ID_KEYS, SESSION_ID_KEYS, WINDOW_ID_KEYS, (JOURNEY_KEY,)
    return IdKeys(
        tuple((key, what) for key, what in IDS.items() if key in keys),
        *(tuple(key for key in kind if key in keys) for kind in kinds),
    )


def subject_of_ids(attributes: Attributes, keys: IdKeys, note: Note) -> Subject:
    """Return what `subject_of` does where nothing but the ids of the item itself says who acts.

    Args:
        attributes: Of the item.
        keys: Its ids; no alias is among them.
        note: As `subject_of` has it.
    """
    others = [
        (what, found)
        for key, what in keys.all
        if (value := attributes[key]) is not None and (found := as_id(value)) is not None
    ]
    return Subject(
        user_id=first_id(keys.user, note, "user_id_invalid", attributes) if keys.user else None,
        session_id=first_id(keys.session, note, "session_id_invalid", attributes) if keys.session else None,
        other_ids=tuple(others),
        journey_id=first_id(keys.journey, note, "journey_id_invalid", attributes) if keys.journey else None,
        window_id=first_id(keys.window, note, "window_id_invalid", attributes) if keys.window else None,
    )


def subject_in_context(context: ContextIdentity | None, note: Note) -> Subject:
    """Return what `subject_of` does where neither the item nor its span nor its resource says who acts.

    Args:
        context: The identity in context, if any.
        note: Called with `group_key_invalid`.
    """
    if context is None:
        return _NOBODY_KNOWN
    user_id, session_id, pseudonym = as_id(context.user_id), as_id(context.session_id), as_id(context.pseudonym)
    groups = _context_groups(context.groups, note) if context.groups else NO_GROUPS
    window_id = as_id(context.window_id)
    named = (("user", user_id), ("user", pseudonym), ("session", session_id), ("window", window_id))
    others = [(what, each) for what, each in named if each is not None]
    others += [(what, found) for what, each in context.other_ids if (found := as_id(each)) is not None]
    if groups:
        others += [("group", found) for each in context.groups.values() if (found := as_id(each)) is not None]
    return Subject(
        user_id=user_id,
        session_id=session_id,
        groups=groups or NO_GROUPS,
        consent=_consent_in(context, user_id),
        pseudonym=context.pseudonym,
        other_ids=tuple(others),
        do_not_track=context.do_not_track,
        window_id=window_id,
    )


def _consent_in(context: ContextIdentity, user_id: str | None) -> bool | None:
    who = user_id or context.pseudonym
    is_first = [each.is_of(who) for each in context.open_consents] if context.open_consents else ()
    if context.consent is False or user_id in context.denied:
        return False
    return True if context.consent or who in context.consented or any(is_first) else None


def _id(keys: tuple[str, ...], named: object, note: Note, invalid: str, *layers: Attributes) -> str | None:
    """Return the first usable id: of our own key, of a property of PostHog's, of the keys that others write."""
    if named is None:
        return first_id(keys, note, invalid, *layers)
    own = {keys[0]: layers[0].get(keys[0]), "named": named}
    return first_id(tuple(own), note, invalid, own) or first_id(keys[1:], note, invalid, *layers)


def _groups(given: Mapping[str, str], span: SortedAttributes, own: SortedAttributes, note: Note) -> Mapping[str, str]:
    if not (given or span.groups or own.groups):
        return NO_GROUPS
    return {**_context_groups(given, note), **span.groups, **own.groups} or NO_GROUPS


def _other_ids(
    own: SortedAttributes, span: SortedAttributes, signal: Signal, groups: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Return (whose, id) of every id that stands anywhere, those that win included."""
    context = signal.context or _NOBODY
    given: list[tuple[str, object]] = []
    for layer in (own.ids, span.ids):
        if layer:
            given += _ids_of(layer)
    if not _ID_KEYS.isdisjoint(signal.resource):
        given += _ids_of(signal.resource)
    if context is not _NOBODY:
        given += (("user", context.user_id), ("user", context.pseudonym), ("session", context.session_id))
        given.append(("window", context.window_id))
    for each in (span, own):
        if each.user_id is not None or each.session_id is not None or each.window_id is not None:
            given += (("user", each.user_id), ("session", each.session_id), ("window", each.window_id))
    given += context.other_ids
    if groups:
        given += [("group", key) for each in (context, span, own) for key in each.groups.values()]
    # Most are not there, and to ask takes half the time of a call.
    return tuple([(what, found) for what, value in given if value is not None and (found := as_id(value)) is not None])


def _ids_of(attributes: Attributes) -> list[tuple[str, object]]:
    return [(IDS[key], attributes[key]) for key in IDS if key in attributes]


def _context_groups(groups: Mapping[str, str], note: Note) -> dict[str, str]:
    found = {}
    for group_type, value in groups.items():
        key = as_id(value)
        if key is None or not isinstance(group_type, str):
            note("group_key_invalid")
        else:
            found[group_type] = key
    return found


def _consent(
    own: SortedAttributes, span: SortedAttributes, user_id: str | None, context: ContextIdentity, *, is_span: bool
) -> bool | None:
    """Return whether the user agreed: a denial by them or for all wins; a consent counts for whom it was given.

    Args:
        own: What the item says.
        span: What its span says, for a span event.
        user_id: The user, where the telemetry names one.
        context: What was said around it.
        is_span: Whether the item is a span itself.
    """
    said, around, is_theirs = _said(own.choices), _said(span.choices), False
    if around is not None:
        # The span's statement is about the user whom it names, else about whoever acts there.
        of_span = first_id_in(USER_ID_KEYS, span.ids) or as_id(context.user_id)
        if around is False and of_span in context.denied:
            around = None  # the request's denial, which is known to concern that user alone
        is_theirs = around is True and of_span in {None, user_id} and not context.hears_span
    in_context = _consent_in(context, user_id)
    if said is False or around is False or in_context is False:
        return False
    if is_span and context.hears_span:
        said = None  # another user may have come since; whose statement it was has been kept
    return True if said or is_theirs or in_context else None


def _said(choices: Attributes) -> bool | None:
    if not choices:
        return None
    if is_objection(choices):
        return False
    value = choices.get(CONSENT_KEY)
    return None if value is None else agrees(value)
