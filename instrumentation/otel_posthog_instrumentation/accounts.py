"""Events of accounts that frameworks tell of: log-in, log-out, sign-up, and so on, where the policy has them derived.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_posthog.actor.request import requests_in_use, usable_id


def note(event: str, user_id: object = None, properties: Mapping[str, object] | None = None) -> None:
    """Emit an event of an account, if the policy has it or `accounts` in `derive`.

    Args:
        event: Its name, as in `otel_posthog.events.usual`.
        user_id: Whose account; None or empty where that is not to be said.
        properties: Its properties.
    """
    how = requests_in_use()
    if how is None or how.is_off() or not how.is_derived(event):
        return
    from otel_posthog import capture  # noqa: PLC0415 - only for those who derive it

    capture(event, properties, distinct_id=usable_id(user_id) or None)
