"""What is done with the requests of web frameworks, by the policy in force."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from otel_posthog.actor.request import Requests, use_requests
from otel_posthog.errors import Guard
from otel_posthog.intake.foresight import foresees
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Policy


def follow_requests(policy: Policy, pipeline: Pipeline, is_off: Callable[[], bool], guard: Guard) -> None:
    """Do with requests what `policy` says.

    Args:
        policy: The policy in force.
        pipeline: Has the rules.
        is_off: Whether the user has opted out.
        guard: Counts what goes wrong.
    """
    user = policy.identity_user
    use_requests(
        Requests(
            caught=guard.caught,
            is_off=is_off,
            foresees=partial(foresees, pipeline.recogniser),
            is_derived=policy.derives,
            tells_users_apart=any(
                policy.identity_of(each).tells_users_apart for each in policy.destinations if each.api_key
            ),
            user_attribute=user.attribute,
            takes_emails=user.takes_emails,
            believes_browser=user.believes_browser,
        )
    )
