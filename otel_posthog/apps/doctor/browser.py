"""The browser's half of an app, by the variables with which a build gives it what it needs of the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.identity import mismatch_line
from otel_posthog.policy import Policy

_PREFIXES = ("NEXT_PUBLIC_", "VITE_", "VITE_PUBLIC_", "REACT_APP_", "NUXT_PUBLIC_", "PUBLIC_")
KEYS = tuple(f"{prefix}POSTHOG_{word}" for prefix in _PREFIXES for word in ("KEY", "API_KEY", "TOKEN"))
"""What the key of PostHog is called there."""

MISMATCH = Kind(
    "browser_mismatch", Group.FILTERS, Level.WRONG, "{line}", "set both to the same, and build the browser's half anew",
    Gravity.LEAKS, Symptom.SOME,
    "ANALYTICS_ANONYMIZE_USER_IDS and NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS differ: user ids are anonymized "
    "here and preserved in the browser, so that no user matches; set both alike",
)  # fmt: skip
OTHER_PROJECT = Kind(
    "browser_other_project", Group.FILTERS, Level.NOTE,
    "{variable} is another key than {ours}, so that browser and server send to two projects",
    "set both to the same project's key; nothing, if two projects are meant", Gravity.SOME_MISSING, Symptom.SOME,
)  # fmt: skip
KINDS = (MISMATCH, OTHER_PROJECT)


def of_browser(policy: Policy, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield where the browser's half of an app does otherwise than this one, as far as its variables are here.

    Args:
        policy: In force here.
        environ: May have the variables of both.
    """
    line = mismatch_line(policy, environ)
    if line:
        yield MISMATCH.found("browser", line=line)
    keys = {each.api_key for each in policy.destinations if each.api_key}
    for variable in KEYS:
        key = environ.get(variable, "").strip()
        if key and keys and key not in keys:
            yield OTHER_PROJECT.found("browser", variable=variable, ours=env.POSTHOG_API_KEY)
