"""What the filters would do with an app's events: the policy in force, and what it lets out too much or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.policy.checks import weaknesses
from otel_posthog.policy.policy import revision_of
from otel_posthog.setup.settings import Settings

ABOUT = "policy"

IN_FORCE = Kind("policy", Group.FILTERS, Level.OK, "{source}, version {version}")
WEAKER = Kind(
    "policy_weaker", Group.FILTERS, Level.NOTE, "weaker than built in: {said}", "nothing, if it is meant so",
    Gravity.LEAKS, Symptom.PRIVACY,
)  # fmt: skip
KINDS = (IN_FORCE, WEAKER)


def of_filters(settings: Settings) -> Iterator[Finding]:
    """Yield what is found of the policy in force."""
    policy = settings.policy
    source = "built in" if policy.source == "built-in" else policy.source
    yield IN_FORCE.found(ABOUT, source=source, version=revision_of(policy))
    yield from (WEAKER.found(ABOUT, said=said) for said in weaknesses(policy))
