"""The steps of a way through the product: onboarding, checkout, set-up."""

from __future__ import annotations

from typing import TypedDict

from otel_posthog.events.durations import Duration


class JourneyStarted(TypedDict, total=False):
    """`journey_started`: somebody set out.

    Attributes:
        journey: Its name in `snake_case`.
        entry_point: Where from: `menu`, `invitation`, ...
        step_count: Steps it has.
    """

    journey: str
    entry_point: str
    step_count: int


class JourneyStepCompleted(TypedDict, total=False):
    """`journey_step_completed`: a step was taken.

    Attributes:
        journey: Its name.
        step: The step's name in `snake_case`.
        step_number: From 1.
        step_count: Steps it has.
        attempt_count: Tries that it took.
        duration_ms: Since the step before.
    """

    journey: str
    step: str
    step_number: int
    step_count: int
    attempt_count: int
    duration_ms: Duration


class JourneyCompleted(TypedDict, total=False):
    """`journey_completed`: somebody arrived.

    Attributes:
        journey: Its name.
        step_count: Steps they took.
        duration_s: From start to end, in seconds.
    """

    journey: str
    step_count: int
    duration_s: Duration


class JourneyAbandoned(TypedDict, total=False):
    """`journey_abandoned`: somebody left on the way.

    Attributes:
        journey: Its name.
        step: The last step.
        step_number: From 1.
        reason: From a fixed list.
        duration_s: Since the start, in seconds.
    """

    journey: str
    step: str
    step_number: int
    reason: str
    duration_s: Duration
