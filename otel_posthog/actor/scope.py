"""What is known of who acts in one span, for itself and for all that is inside it, and how it is found.

It is kept with the span. One that is not recorded has no place for anything but its span context, whose trace state all
that is inside it inherits: a trace state of ours bears the scope along in this process; in a header or a pickle it is
the trace state that it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, SpanKind, TraceState, get_current_span

from otel_posthog.actor.attributes import (
    CONSENT_KEY,
    DNT_KEY,
    GPC_KEYS,
    SESSION_ID_KEYS,
    USER_ID_KEYS,
    WINDOW_ID_KEYS,
    agrees,
    as_id,
    first_id_in,
    objects,
    who_in,
)
from otel_posthog.actor.block import block_identity
from otel_posthog.actor.statement import Record, Statement, groups_in, statement_of
from otel_posthog.errors import Guard
from otel_posthog.model import NO_ATTRIBUTES, Attributes, ContextIdentity, OpenConsent

MAX_DEPTH = 64
"""How many spans around it a span looks at for a denial that came after its own start. A job that starts the next one
inside its own span, and so on for ever, must not keep all that went before in memory."""

# By name: to look a member up in its enumeration takes as long as several calls in Python 3.10 and 3.11.
_SERVER, _CONSUMER = SpanKind.SERVER, SpanKind.CONSUMER


class Scope:
    """What one span says of who acts; kept with the span, and what is inside it refers to it.

    Each span of the app gets one: what most of them never say is the class's.
    """

    parent: Scope | None = None
    """Of the span around it inside the request; None also where there are too many."""

    depth = 0
    """How many there are."""

    record: Record | None = None
    """Of the request that the span is in, if it is in one."""

    said: Mapping[str, object] = NO_ATTRIBUTES
    """Its attributes that say who acts, the SDK's limits notwithstanding."""

    started: Attributes = NO_ATTRIBUTES
    """The attributes with which a product event's span started."""

    block: ContextIdentity | None = None
    """Who acted in the blocks around its start."""

    consented: frozenset[str] = frozenset()
    """Whose consent the span said, with each that it was said of; a request's are in its record."""

    open_consents: frozenset[OpenConsent] = frozenset()
    """What it said of consent where nobody was known."""

    denies = False
    """Whether the span denies consent for all that is inside it; a request's denials are in its record."""

    tracks_not = False
    """Whether it came with `DNT`."""

    is_request = False
    """Whether it is the span of a request."""

    is_taken = False
    """Whether a request's span has it."""

    is_silent = False
    """Whether it is recorded for what it says only, and nothing of it is a product event."""

    is_blank = False
    """Whether it says nothing and is of any number of spans, none of them recorded."""

    @classmethod
    def inside(cls, parent: Scope | None) -> Scope:
        """Return the scope of a span inside the one of `parent`."""
        made = cls()
        if parent is not None:
            made.record, depth = parent.record, parent.depth + 1
            if depth > MAX_DEPTH:
                made.denies, made.tracks_not = parent.objections()
            else:
                made.parent, made.depth = parent, depth
        return made

    @classmethod
    def of_request(cls) -> Scope:
        """Return the scope of a request's span: what is said on it is said of the whole request."""
        made = cls()
        made.record, made.is_request = Record(), True
        return made

    @classmethod
    def blank(cls, parent: Scope) -> Scope:
        """Return the scope of spans that are not recorded and say nothing, inside the one of `parent`."""
        made = cls.inside(parent)
        made.is_blank = True
        return made

    def objections(self) -> tuple[bool, bool]:
        """Return whether this span, or one around it inside the request, denies consent, and whether one has `DNT`."""
        denies, tracks_not, scope = self.denies, self.tracks_not, self.parent
        while scope is not None:
            denies, tracks_not, scope = denies or scope.denies, tracks_not or scope.tracks_not, scope.parent
        return denies, tracks_not

    def start(self, said: dict[str, object]) -> None:
        """Take what the span says as it starts, all of it at once."""
        self.said = said
        statement = statement_of(said)
        if self.is_request and self.record is not None:
            self.record.say(statement, self._around())
        else:
            self._agree(statement.owner if statement.consent else None, is_said=statement.consent is True)
            self.denies, self.tracks_not = statement.consent is False, statement.do_not_track

    def see(self, said: Mapping[str, object]) -> None:
        """Take attributes that say who acts and were set later, together; never raises into the app's call."""
        try:
            # A denial beside a user's id is that user's, in whatever order they stand.
            for key in sorted(said, key=lambda key: key not in USER_ID_KEYS):
                if said[key] is not None:
                    self._see(key, said[key])
        except Exception:
            self.denies = True
            if Guard.reraise:
                raise

    def _see(self, key: str, value: object) -> None:
        self.said = {**self.said, key: value}
        if self.is_request and self.record is not None:
            self.record.say(self._news(self.record, key, value), self._around())
            return
        user_id = first_id_in(USER_ID_KEYS, self.said)
        if key in USER_ID_KEYS and user_id is not None:
            for each in self.open_consents:
                each.is_of(user_id)
        elif key == CONSENT_KEY and agrees(value):
            self._agree(user_id, is_said=True)
        elif (key == CONSENT_KEY and not agrees(value)) or (key in GPC_KEYS and objects(value)):
            self.denies = True
        elif key == DNT_KEY and objects(value):
            self.tracks_not = True

    def _agree(self, owner: str | None, *, is_said: bool) -> None:
        """Keep whose a consent is: of the user whom the span names, else of who acts, else of the first who will."""
        if not is_said:
            return
        who = owner or self._around() or (self.record and self.record.identity.user_id)
        if who:
            self.consented |= {who}
        else:
            self.open_consents |= {OpenConsent()}

    def _around(self) -> str | None:
        """Return who acts in the blocks around the span's start, else around what runs here."""
        found = (each.user_id for each in (self.block, block_identity()) if each is not None)
        return next((each for each in found if each is not None), None)

    def all_said(self) -> Mapping[str, object]:
        """Return what the span says, with the groups that it started with: of a product event those are not looked for.

        Its own events have them of themselves.
        """
        return {**who_in(self.started), **self.said} if self.started else self.said

    def _news(self, record: Record, key: str, value: object) -> Statement:
        """Return what the request learns from an attribute: only what that one says, since others may be older."""
        user_id = first_id_in(USER_ID_KEYS, self.said)
        if key in USER_ID_KEYS:
            is_denied = CONSENT_KEY in self.said and not agrees(self.said[CONSENT_KEY])
            # A key that counts less than one that is there says nothing new.
            is_new = user_id is not None and as_id(value) == user_id
            return Statement(user_id, consent=False if is_denied else None, owner=user_id) if is_new else Statement()
        if key == CONSENT_KEY:
            # Where another user has come to act since, it is not known whose it is: a denial then counts for all.
            is_yes = agrees(value)
            owner = user_id if is_yes or user_id == record.identity.user_id else None
            return Statement(consent=is_yes, owner=owner)
        if key in GPC_KEYS:
            return Statement(consent=False if objects(value) else None)
        if key == DNT_KEY:
            return Statement(do_not_track=objects(value))
        if key in SESSION_ID_KEYS:
            return Statement(session_id=self._new_id(SESSION_ID_KEYS, value))
        window_id = self._new_id(WINDOW_ID_KEYS, value) if key in WINDOW_ID_KEYS else None
        return Statement(groups=groups_in({key: value}), window_id=window_id)

    def _new_id(self, keys: tuple[str, ...], value: object) -> str | None:
        """Return the id that `value` is, which has come under one of `keys`; None where another of them counts more."""
        found = first_id_in(keys, self.said)
        return found if as_id(value) == found else None


class CarriedScope(TraceState):
    """A trace state with a scope.

    Args:
        state: The trace state that it is for everybody else.
        scope: What is known of the span that has it.
        is_dropped: Whether the app's sampler dropped that, and it is recorded for us only.
    """

    _inside: CarriedScope | None = None

    def __init__(self, state: TraceState | None, scope: Scope | None = None, *, is_dropped: bool = False) -> None:
        TraceState.__init__(self, list(state.items()) if state else None)
        self.scope, self.is_dropped = scope, is_dropped

    def inside(self) -> CarriedScope:
        """Return the trace state of the spans inside that say nothing themselves."""
        if self.scope is None or self.scope.is_blank:
            return self
        if self._inside is None:
            self._inside = CarriedScope(self, Scope.blank(self.scope))
        return self._inside

    def __reduce__(self) -> tuple[type[TraceState], tuple[list[tuple[str, str]]]]:
        return TraceState, (list(self.items()),)


def state_inside(state: TraceState | None, scope: Scope) -> CarriedScope:
    """Return `state` for a span that says nothing, inside one of which `scope` is known."""
    if type(state) is CarriedScope and state.scope is scope:
        return state.inside()
    return CarriedScope(state, Scope.blank(scope))


def is_request(kind: SpanKind | None, parent: SpanContext | None) -> bool:
    """Return whether a span of this kind, below `parent`, is a request: the first of its kind in this process."""
    is_one = kind is _SERVER or kind is _CONSUMER
    return is_one and (parent is None or not parent.is_valid or parent.is_remote)


def keep_scope(span: Span, scope: Scope) -> None:
    """Keep `scope` with `span`, for as long as that lives; a weak dictionary takes ten times as long."""
    span.otel_posthog_scope = scope  # type: ignore[attr-defined]


def kept_scope(span: object) -> Scope | None:
    """Return what is known of `span` itself."""
    found: Scope | None = getattr(span, "otel_posthog_scope", None)
    return found


def carried_scope(span: Any) -> Scope | None:
    """Return what the span context of `span` leads to: the request, or the nearest span that was not recorded."""
    state = getattr(span.get_span_context(), "trace_state", None)
    # By type: `isinstance` with a subclass of an abstract class would take ten times as long.
    return state.scope if type(state) is CarriedScope else None


def scope_of(span: Span) -> Scope | None:
    """Return what is known of `span`, or of the nearest around it that anything is known of."""
    return kept_scope(span) or carried_scope(span)


def scope_in(context: Context | None = None) -> Scope | None:
    """Return what is known of the span in `context`, or in the current one."""
    return scope_of(get_current_span(context))
