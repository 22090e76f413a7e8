"""What a task takes along of who acts: what the policy's identity modes send, and after an opt-out consent alone."""

from __future__ import annotations

from collections.abc import Callable

from otel_posthog.actor.handover import DENIED, Sent, use_handover, written
from otel_posthog.errors import Guard
from otel_posthog.identity import pseudonym_day
from otel_posthog.intake import acting
from otel_posthog.policy import CollectionChoice, IdentityMode, Policy


def hand_over_actor(
    policy: Policy, pseudonym_of: Callable[[str], str | None], choice: CollectionChoice, guard: Guard
) -> None:
    """Have queues hand over who acts, as far as `policy` lets it leave this process at all.

    Args:
        policy: Has the destinations and their identity modes.
        pseudonym_of: Returns what stands for a user id in what this service sends, None where nothing does.
        choice: Whether the user of this installation has opted out.
        guard: Counts what goes wrong; a denial is handed over then.
    """
    modes = {policy.identity_of(each) for each in policy.destinations if each.api_key}
    is_lasting = any(each.has_persons for each in modes)

    def handed_on(pseudonym: str) -> str | None:
        day = pseudonym_day(pseudonym)
        if day == "" and not is_lasting:
            return pseudonym_of(pseudonym)
        return pseudonym if day is not None and is_lasting is (day == "") else None

    consent_alone = Sent(heeds_dnt=policy.collection.heed_dnt)
    sent = Sent(IdentityMode.IDENTIFIED in modes, pseudonym_of, handed_on, policy.collection.heed_dnt)
    if not any(each.tells_users_apart for each in modes):
        sent = consent_alone

    def pack() -> str | None:
        try:
            identity = acting()
            return None if identity is None else written(identity, consent_alone if choice.is_off() else sent)
        except Exception as error:
            guard.caught("handover", error)
            return written(DENIED, consent_alone)

    use_handover(pack)
