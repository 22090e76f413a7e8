"""What is found of the policy's destinations, by how they are written: key, host, identity mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor import hosts, keys
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.deliver.spool.folder import project_of
from otel_posthog.policy import Destination
from otel_posthog.privacy import without_secrets
from otel_posthog.setup.settings import Settings

SET = Kind("destination", Group.POSTHOG, Level.OK, "{host}, identity {mode}, key set{key}")
NO_KEY = Kind(
    "destination_no_key", Group.POSTHOG, Level.NOTE, "{host}: no key, so nothing is sent there", "set {variable}",
    Gravity.NOTHING_ARRIVES, Symptom.NOTHING,
)  # fmt: skip
TWICE = Kind(
    "destination_twice", Group.POSTHOG, Level.WRONG, "{names} are one project: it gets each event more than once",
    "leave one of them in `destinations`", Gravity.SOME_MISSING, Symptom.SOME,
)  # fmt: skip
KINDS = (SET, NO_KEY, TWICE)


def of_destinations(settings: Settings, environ: Mapping[str, str], *, is_key_wrong: bool) -> Iterator[Finding]:
    """Yield what is found of each destination.

    Args:
        settings: As an app would have them.
        environ: As those were read from.
        is_key_wrong: Whether there is a key that cannot be used, which is a finding already.
    """
    for each in settings.policy.destinations:
        yield from _of_one(settings, each, environ, is_key_wrong=is_key_wrong)
        if each.api_key:
            yield from hosts.of_host(each.host)
    projects: dict[str, list[str]] = {}
    for each in settings.policy.destinations:
        if each.api_key:
            projects.setdefault(project_of(each), []).append(each.name)
    yield from (TWICE.found("destinations", names=" and ".join(each)) for each in projects.values() if len(each) > 1)
    for remark in settings.remarks:
        yield hosts.APP.found(hosts.ABOUT, remark=remark)


def _of_one(
    settings: Settings, destination: Destination, environ: Mapping[str, str], *, is_key_wrong: bool
) -> Iterator[Finding]:
    about, host = f"destination {destination.name}", without_secrets(destination.host)
    if destination.api_key:
        shown = keys.shortened(destination.api_key)
        mode = settings.policy.identity_of(destination).value
        yield SET.found(about, host=host, mode=mode, key=f" ({shown})" if shown else "")
        if not settings.collection.is_preview:
            variable = destination.api_key_env or env.POSTHOG_API_KEY
            given = environ.get(variable, "")
            is_there = given.strip() == destination.api_key
            name = variable if is_there else f"api_key of the destination {destination.name}"
            yield from keys.of_key(given if is_there else destination.api_key, name)
    elif not is_key_wrong:
        yield NO_KEY.found(about, host=host, variable=destination.api_key_env or env.POSTHOG_API_KEY)
