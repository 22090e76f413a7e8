"""Every mistake in configuration, not the first alone: what cannot be read is left out, and the rest is read again.

Comes in: the environment. Goes out: findings, and the settings as they are without the variables to blame, so that what
else is wrong is found as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor import hosts, keys
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.errors import OtelPostHogError
from otel_posthog.setup.settings import Settings, read_settings

ABOUT = "configuration"

POLICY = Kind(
    "policy_refused", Group.CONFIGURATION, Level.WRONG, "{error}", "", Gravity.NOTHING_STARTS, Symptom.NOTHING,
    "policy.yaml:1: `privcy` is not a key of the policy; did you mean `privacy`?",
)  # fmt: skip
SETTING = Kind(
    "setting_refused", Group.CONFIGURATION, Level.WRONG, "{error}", "", Gravity.NOTHING_STARTS, Symptom.NOTHING,
    "OTEL_POSTHOG_SAMPLER must be all, marked or off",
)  # fmt: skip
KINDS = (POLICY, SETTING)

# The first without which the error is gone is to blame.
_BLAMED = tuple(value for name, value in vars(env).items() if name.isupper() and isinstance(value, str))


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read.

    Attributes:
        settings: As an app would have them without `left_out`; None where even that cannot be read.
        environ: The environment without them.
        left_out: The variables to blame.
        findings: What is wrong with them.
    """

    settings: Settings | None
    environ: dict[str, str]
    left_out: frozenset[str]
    findings: tuple[Finding, ...]


def read(environ: Mapping[str, str]) -> Reading:
    """Return the settings and what is wrong with them; never raises what set-up would."""
    left, found, blamed = dict(environ), list[Finding](), set[str]()
    while True:
        error = _error(left)
        if error is None:
            return Reading(read_settings(left), left, frozenset(blamed), tuple(found))
        # The line of an error begins with the variable, unless that is only named in a file.
        names = (str(error).partition(" ")[0].rstrip(":"), *_BLAMED)
        name = next((each for each in names if each in left and _is_to_blame(each, left, error)), "")
        found += _findings(error, name, left)
        if not name:
            return Reading(None, left, frozenset(blamed), tuple(found))
        blamed.add(name)
        del left[name]


def _error(environ: Mapping[str, str]) -> OtelPostHogError | None:
    try:
        read_settings(environ)
    except OtelPostHogError as error:
        return error
    return None


def _is_to_blame(name: str, environ: Mapping[str, str], error: OtelPostHogError) -> bool:
    without = _error({each: value for each, value in environ.items() if each != name})
    return without is None or str(without) != str(error)


def _findings(error: OtelPostHogError, name: str, environ: Mapping[str, str]) -> list[Finding]:
    if name == env.POSTHOG_HOST:
        found = [hosts.of_variable(environ[name], name)]
    elif name and (name == env.POSTHOG_API_KEY or name not in _BLAMED):
        found = list(keys.of_key(environ[name], name))
    else:
        found = []
    kind = POLICY if name == env.OTEL_POSTHOG_POLICY else SETTING
    # The line of the error says what to write instead.
    return found or [kind.found(ABOUT, error=each) for each in (error, *getattr(error, "others", ()))]
