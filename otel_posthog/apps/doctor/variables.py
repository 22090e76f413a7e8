"""Variables that somebody set and nobody reads: a word of ours with a mistake in it, or what others call the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.browser import KEYS
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom

ABOUT = "variables"
KNOWN = frozenset(value for name, value in vars(env).items() if name.isupper() and isinstance(value, str))

UNKNOWN = Kind(
    "variable_unknown", Group.CONFIGURATION, Level.NOTE, "{given} is set, and nobody reads it", "{fix}",
    Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
KINDS = (UNKNOWN,)

_PREFIX = "OTEL_POSTHOG_"
_WORDS = [name.removeprefix(_PREFIX) for name in sorted(KNOWN) if name.startswith(_PREFIX)]
# Left by processes of ours for those that they start.
_MARK = f"{_PREFIX}TOLD"
_SLIP = 0.9
_MEANT = {
    env.POSTHOG_API_KEY: (
        "POSTHOG_KEY", "POSTHOG_APIKEY", "POSTHOG_TOKEN", "POSTHOG_PROJECT_API_KEY", "POSTHOG_PROJECT_KEY",
        "POSTHOG_PROJECT_TOKEN", "POSTHOG_PUBLIC_KEY", *KEYS,
    ),
    env.POSTHOG_HOST: (
        "POSTHOG_API_HOST", "POSTHOG_URL", "POSTHOG_ENDPOINT", "POSTHOG_INGESTION_HOST", "POSTHOG_SERVER",
    ),
}  # fmt: skip


def of_variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield each variable that nobody reads and that looks as if somebody should."""
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in KNOWN and not name.startswith(_MARK):
            meant = _of_posthog(name.removeprefix("OTEL_"))
            if meant:
                is_set = environ.get(meant, "").strip()
                fix = f"take it out: {meant} is set, and read" if is_set else f"rename it to {meant}"
                yield UNKNOWN.found(ABOUT, given=name, fix=fix)
                continue
            # Without what all of them have in common.
            close = get_close_matches(name.removeprefix(_PREFIX), _WORDS, 1)
            fix = f"rename it to {_PREFIX}{close[0]}" if close else "take it out; docs/setup.md has the variables"
            yield UNKNOWN.found(ABOUT, given=name, fix=fix)
    for meant, others in _MEANT.items():
        alike = (each for each in sorted(environ) if each != meant and _is_slip(each, meant))
        given = next((each for each in (*others, *alike) if environ.get(each, "").strip()), None)
        if given and not environ.get(meant, "").strip():
            yield UNKNOWN.found(ABOUT, given=given, fix=f"set {meant} to the same, if this app is to send there")


def _of_posthog(name: str) -> str:
    """Return the variable of PostHog's that a name is, or is meant to be; empty for none."""
    return next((meant for meant, others in _MEANT.items() if name in {meant, *others} or _is_slip(name, meant)), "")


def _is_slip(name: str, meant: str) -> bool:
    """Return whether a name is another one with a slip in it, and not one of several (`POSTHOG_API_KEY_2`)."""
    is_one_of_many = name.startswith(f"{meant}_") or name[-1:].isdigit()
    return not is_one_of_many and bool(get_close_matches(name, [meant], 1, _SLIP))
