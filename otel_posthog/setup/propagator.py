"""The propagator that puts who acts into outgoing baggage: what the policy allows, and nothing after an opt-out.

It is put together as a call goes out, since a denial may come after the block or the request began.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from opentelemetry import baggage
from opentelemetry.context import Context, get_current
from opentelemetry.propagate import get_global_textmap, set_global_textmap
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)

from otel_posthog.actor.context import (
    CONSENT_ENTRY,
    PSEUDONYM_ENTRY,
    Baggage,
    baggage_in_use,
    carried_consent,
    use_baggage,
)
from otel_posthog.errors import Guard
from otel_posthog.identity import Pseudonyms, usable
from otel_posthog.intake import acting
from otel_posthog.model import ContextIdentity
from otel_posthog.policy import CollectionChoice, IdentityMode, Policy
from otel_posthog.setup.handover import hand_over_actor


class ActorPropagator(TextMapPropagator):
    """Puts who acts into the context that the program's propagator writes into headers.

    Args:
        inner: The program's.
        guard: Counts what goes wrong; the pseudonym is then not sent.
    """

    def __init__(self, inner: TextMapPropagator, guard: Guard) -> None:
        self._inner, self._guard = inner, guard

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Do what the program's propagator does."""
        return self._inner.extract(carrier, context, getter)

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Have the program's propagator write who acts as well."""
        how = baggage_in_use()
        if how.pseudonym_of is not None:
            context = get_current() if context is None else context
            try:
                context = _with_actor(context, how, how.pseudonym_of)
            except Exception as error:
                context = baggage.remove_baggage(PSEUDONYM_ENTRY, context)
                self._guard.caught("baggage", error)
        self._inner.inject(carrier, context, setter)

    @property
    def fields(self) -> set[str]:
        """The headers that the program's propagator writes."""
        return self._inner.fields


def propagate_actor(policy: Policy, pseudonyms: Pseudonyms, choice: CollectionChoice, guard: Guard) -> None:
    """Do with baggage, and with the messages of queues, what `policy` says.

    A lasting pseudonym is sent where a destination has lasting ids, else one of the day where one has those.
    """
    modes = {policy.identity_of(each) for each in policy.destinations if each.api_key}
    make: Callable[[str, int], str | None] | None = None
    if IdentityMode.PSEUDONYMOUS in modes or IdentityMode.IDENTIFIED in modes:
        make = pseudonyms.user
    elif IdentityMode.DAILY in modes:
        make = pseudonyms.daily

    def pseudonym_of(user_id: str) -> str | None:
        try:
            if make is None or choice.is_off() or usable(user_id, _unnoted, max_chars=None) is None:
                return None
            return make(user_id, time.time_ns())
        except Exception as error:
            guard.caught("baggage", error)
            return None

    def prepare() -> None:
        # A program may set its own at any time, also one that holds ours.
        if not isinstance(get_global_textmap(), ActorPropagator):
            set_global_textmap(ActorPropagator(get_global_textmap(), guard))

    hand_over_actor(policy, pseudonym_of, choice, guard)
    carried = policy.identity_baggage
    sends = carried.sends
    use_baggage(
        Baggage(
            pseudonym_of if sends else None,
            accepts=carried.accepts,
            heeds_dnt=policy.collection.heed_dnt,
            prepare=prepare if sends else None,
        )
    )
    if sends:
        prepare()


def _with_actor(context: Context, how: Baggage, pseudonym_of: Callable[[str], str | None]) -> Context:
    """Return `context` with who acts in its baggage; of a user who objects, only that they do."""
    identity = acting(context) or ContextIdentity()
    said = baggage.get_baggage(CONSENT_ENTRY, context)
    user_id = identity.user_id
    is_denied = identity.consent is False or user_id in identity.denied or (how.heeds_dnt and identity.do_not_track)
    if is_denied or (said is not None and not carried_consent(said)):
        context = baggage.remove_baggage(PSEUDONYM_ENTRY, context)
        return baggage.set_baggage(CONSENT_ENTRY, "false", context)
    if user_id is not None:
        # Another person's pseudonym and consent do not stay beside a user of this service.
        for entry in (PSEUDONYM_ENTRY, CONSENT_ENTRY):
            context = baggage.remove_baggage(entry, context)
        pseudonym = pseudonym_of(user_id)
        if pseudonym:
            context = baggage.set_baggage(PSEUDONYM_ENTRY, pseudonym, context)
    is_open = [each.is_of(user_id) for each in identity.open_consents]
    if identity.consent is True or user_id in identity.consented or any(is_open):
        context = baggage.set_baggage(CONSENT_ENTRY, "true", context)
    return context


def _unnoted(_: str) -> None:
    """Count nothing: the events of this user do."""
