"""Who an event is about: the item's own word first, then its span's, then the context's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from otel_posthog.context import PSEUDONYM_ENTRY
from otel_posthog.model import NO_GROUPS, Attributes, ContextIdentity, Signal, Subject
from otel_posthog.privacy_control import is_do_not_track, is_objection
from otel_posthog.said import CONSENT_KEY, SESSION_ID_KEYS, USER_ID_KEYS, agrees, as_id, first_id_in
from otel_posthog.translate.note import Note
from otel_posthog.translate.sorted import Sorted
from otel_posthog.translate.vocabulary import ALIAS_KEY, first_id

_NAMES = (("user", (*USER_ID_KEYS, ALIAS_KEY, PSEUDONYM_ENTRY)), ("session", SESSION_ID_KEYS))
_NOBODY = ContextIdentity()


def subject_of(signal: Signal, own: Sorted, span: Sorted, note: Note) -> Subject:
    """Return who the events of `signal` are about.

    Args:
        signal: The signal.
        own: Its attributes, sorted.
        span: Those of its span, for a span event.
        note: Told `user_id_invalid`, `session_id_invalid`, `alias_invalid` or `group_key_invalid` for what is no id.
    """
    context = signal.context or _NOBODY
    layers = (signal.attributes, signal.parent) if signal.parent else (signal.attributes,)
    groups = _groups(context.groups, span, own, note)
    named = own.user_id if own.user_id is not None else span.user_id
    user_id = _id(USER_ID_KEYS, named, note, "user_id_invalid", *layers) or as_id(context.user_id)
    session = own.session_id if own.session_id is not None else span.session_id
    return Subject(
        user_id=user_id,
        alias=first_id((ALIAS_KEY,), note, "alias_invalid", signal.attributes),
        session_id=_id(SESSION_ID_KEYS, session, note, "session_id_invalid", *layers) or as_id(context.session_id),
        groups=groups,
        person_set=own.person_set,
        person_set_once=own.person_set_once,
        consent=_consent(signal, user_id, context),
        pseudonym=context.pseudonym,
        other_ids=tuple(_other_ids((*layers, signal.resource), context, groups, (span, own))),
        wants_profile=own.wants_profile,
        do_not_track=context.do_not_track or any(is_do_not_track(each) for each in layers),
    )


def _id(keys: tuple[str, ...], named: object, note: Note, invalid: str, *layers: Attributes) -> str | None:
    """Return the first usable id: of our own key, of a property of PostHog's, of the keys that others write."""
    if named is None:
        return first_id(keys, note, invalid, *layers)
    own = {keys[0]: layers[0].get(keys[0]), "named": named}
    return first_id(tuple(own), note, invalid, own) or first_id(keys[1:], note, invalid, *layers)


def _groups(given: Mapping[str, str], span: Sorted, own: Sorted, note: Note) -> Mapping[str, str]:
    if not (given or span.groups or own.groups):
        return NO_GROUPS
    return {**_context_groups(given, note), **span.groups, **own.groups} or NO_GROUPS


def _other_ids(
    layers: Iterable[Attributes], context: ContextIdentity, groups: Mapping[str, str], items: Iterable[Sorted]
) -> Iterator[tuple[str, str]]:
    """Yield every id that stands anywhere, with whose it is: those that win are among them."""
    items = tuple(items)
    given: list[tuple[str, object]] = [
        (what, layer.get(key)) for layer in layers for what, keys in _NAMES for key in keys
    ]
    given += [("user", context.user_id), ("user", context.pseudonym), ("session", context.session_id)]
    given += [who for each in items for who in (("user", each.user_id), ("session", each.session_id))]
    given += context.other_ids
    if groups:
        named = (context.groups, *(each.groups for each in items))
        given += [("group", key) for each in named for key in each.values()]
    for what, value in given:
        found = None if value is None else as_id(value)
        if found is not None:
            yield what, found


def _context_groups(groups: Mapping[str, str], note: Note) -> dict[str, str]:
    found = {}
    for group_type, value in groups.items():
        key = as_id(value)
        if key is None or not isinstance(group_type, str):
            note("group_key_invalid")
        else:
            found[group_type] = key
    return found


def _consent(signal: Signal, user_id: str | None, context: ContextIdentity) -> bool | None:
    """Return whether the user agreed: a denial of theirs, or of everybody, wins; a consent is of who it was given for.

    Args:
        signal: The signal.
        user_id: The user, where the telemetry tells one.
        context: What was said around it.
    """
    own, span = _said(signal.attributes), _said(signal.parent)
    # What the span says of consent is of the user whom it names, else of who acts there.
    of_span = first_id_in(USER_ID_KEYS, signal.parent) or as_id(context.user_id)
    if span is False and of_span in context.denied:
        span = None  # a request's, which is known to be that user's and nobody's else
    if False in {own, span, context.consent} or user_id in context.denied:
        return False
    is_theirs = span is True and of_span in {None, user_id}
    given = own or is_theirs or context.consent or (user_id or context.pseudonym) in context.consented
    return True if given else None


def _said(attributes: Attributes) -> bool | None:
    if is_objection(attributes):
        return False
    value = attributes.get(CONSENT_KEY)
    return None if value is None else agrees(value)
