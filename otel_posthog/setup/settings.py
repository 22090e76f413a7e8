"""What is in force: the policy file, the environment and the arguments of `configure`, in one value.

Arguments win over the environment, the environment over the policy file, the file over the built-in policy; an off
switch wins over all of them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeVar

from otel_posthog import environment_variables as env
from otel_posthog.deliver import ingestion_url, is_app
from otel_posthog.errors import ConfigurationError, PolicyError
from otel_posthog.identity import KeyRing, read_keys
from otel_posthog.identity.keys import MAKE_ONE, MIN_KEY_BYTES
from otel_posthog.intake import Lift
from otel_posthog.policy import (
    Carried,
    Collection,
    Destination,
    IdentityMode,
    InstallationRotation,
    Policy,
    decide,
)
from otel_posthog.policy.advice import other_word
from otel_posthog.policy.checks import is_attribute, problems
from otel_posthog.policy.collection import FALSE_WORDS, PREVIEW, TRUE_WORDS
from otel_posthog.policy.fields import words_of
from otel_posthog.policy.link_checks import is_url
from otel_posthog.policy.secrets import with_secrets
from otel_posthog.policy.shipped_rules import WORDS
from otel_posthog.regex import regex

# Tokens of every age: letters and digits, in older ones `-` and `_` of base64 too.
_KEY = regex(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that set-up decides on.

    Attributes:
        policy: With key, host and identity mode filled in.
        collection: Whether anything is sent, and if not, which switch decided.
        lift: Which unsampled spans are recorded; None leaves the sampler alone.
        light_spans: Whether light spans may stand for those.
        keys: The keys of the mode `pseudonymous`, where some are configured.
        api_key: The argument of that name, for another policy.
        host: The argument of that name, for another policy.
        remarks: What was taken otherwise than it is written, one line each.
    """

    policy: Policy
    collection: Collection
    lift: Lift | None
    keys: KeyRing | None = None
    api_key: str | None = field(default=None, repr=False)
    host: str | None = None
    remarks: tuple[str, ...] = ()
    light_spans: bool = True


def read_settings(  # noqa: PLR0913 - all but the first by name
    environ: Mapping[str, str],
    *,
    policy: Policy | str | os.PathLike[str] | None = None,
    api_key: str | None = None,
    host: str | None = None,
    sampler: str | None = None,
    base: Policy | None = None,
) -> Settings:
    """Return the settings.

    Args:
        environ: The environment.
        policy: A policy, or the path of a policy file.
        api_key: The PostHog project's key.
        host: The PostHog host.
        sampler: `all`, `marked` or `off`, as `OTEL_POSTHOG_SAMPLER`.
        base: What holds where a policy file says nothing; default the built-in policy.

    Raises:
        ConfigurationError: One of them cannot work; the message says which, and what to write instead.
    """
    chosen = _with_derived(_policy(environ, policy, base), environ)
    key = (api_key or environ.get(env.POSTHOG_API_KEY, "")).strip() or None
    url = (host or environ.get(env.POSTHOG_HOST, "")).strip() or None
    if url is not None:
        _check_host(url, env.POSTHOG_HOST if host is None else "host")
    chosen = with_secrets(chosen.with_credentials(key, url), environ)
    for each in chosen.destinations:
        if each.api_key is not None:
            _check_key(each.api_key, _name_of_key(each, key, api_key))
    chosen, remarks = _at_ingestion_hosts(_with_bridge(_with_exit(_with_identity(chosen, environ), environ), environ))
    _check_rotation(chosen, environ)
    collection = decide(chosen, environ)
    if collection.is_preview and not any(each.api_key for each in chosen.destinations):
        # A preview is for those as well who have no project yet; nothing is sent with this.
        chosen = chosen.with_credentials(PREVIEW, None)
    lift, keys = read_lift(environ, sampler), keys_of(chosen, environ)
    light = read_light_spans(environ)
    return Settings(chosen, collection, lift, keys, api_key=api_key, host=host, remarks=remarks, light_spans=light)


def read_policy(environ: Mapping[str, str], policy: str | None = None) -> Policy:
    """Return the policy with the identity mode that the environment asks for; keys are neither needed nor read.

    Args:
        environ: The environment.
        policy: The path of a policy file; default the one that `environ` names.

    Raises:
        ConfigurationError: It cannot be used.
    """
    return _with_identity(_with_derived(_policy(environ, policy), environ), environ)


def stripping_only(environ: Mapping[str, str]) -> Settings:
    """Return settings that strip by the built-in policy and send nothing, for where the right ones cannot be had.

    Args:
        environ: Where it asks for the bridge, posthog-python sends nothing either.
    """
    is_bridged = environ.get(env.OTEL_POSTHOG_BRIDGE, "").strip().lower() in TRUE_WORDS
    collection = replace(Policy().collection, bridge=is_bridged)
    return Settings(
        replace(Policy(), collection=collection), Collection(enabled=False, reason="an error at start"), lift=None
    )


def _policy(
    environ: Mapping[str, str], given: Policy | str | os.PathLike[str] | None, base: Policy | None = None
) -> Policy:
    base = base or Policy()
    if isinstance(given, Policy):
        for each in problems(given):
            raise PolicyError(each.problem, fix=each.fix, path=f"policy: {'.'.join(map(str, each.path))}")
        return given
    path = given or environ.get(env.OTEL_POSTHOG_POLICY, "").strip()
    if not path:
        return base
    from otel_posthog.policy.yaml_file import load_policy  # noqa: PLC0415 - YAML is only for those with a file

    return load_policy(os.fspath(path), base)


def _check_host(host: str, name: str) -> None:
    if not is_url(host):
        raise ConfigurationError(f"{name} is not a URL; write e.g. {name}=https://eu.i.posthog.com")


def _at_ingestion_hosts(policy: Policy) -> tuple[Policy, tuple[str, ...]]:
    """Return `policy` with hosts that take events for those of PostHog's app, and what is to be said of each."""
    hosts = {each.host: ingestion_url(each.host) for each in policy.destinations if is_app(each.host)}
    remarks = tuple(
        f"destination {each.name}: PostHog's app does not take events; they go to {hosts[each.host]}"
        for each in policy.destinations
        if each.api_key and each.host in hosts
    )
    moved = tuple(replace(each, host=hosts.get(each.host, each.host)) for each in policy.destinations)
    return replace(policy, destinations=moved), remarks


def _name_of_key(destination: Destination, key: str | None, argument: str | None) -> str:
    """Return where a key came from: the argument, the environment, or else the policy."""
    if key is None or destination.api_key != key:
        return destination.api_key_env or f"api_key of the destination {destination.name} in the policy"
    return env.POSTHOG_API_KEY if argument is None else "api_key"


def _check_key(key: str, name: str) -> None:
    bare = key.strip("\"'`\u2018\u2019\u201c\u201d")
    # A personal key (phx_) opens the whole account, a secret one (phs_) its flags; PostHog takes events with neither.
    if bare.startswith(("phx_", "phs_")):
        kind = "personal" if bare.startswith("phx_") else "secret"
        raise ConfigurationError(f"{name} is a {kind} API key; use the project's key, which begins with phc_")
    if bare != key:
        raise ConfigurationError(f"{name} has quotes around it; write the key without them")
    if not _KEY.fullmatch(key):
        raise ConfigurationError(f"{name} has spaces or unusual characters; copy the project's key again (phc_...)")


def _with_identity(policy: Policy, environ: Mapping[str, str]) -> Policy:
    """Return `policy` with the identity mode and the use of baggage that the environment asks for."""
    mode = _word(environ, env.OTEL_POSTHOG_IDENTITY, IdentityMode)
    carried = _word(environ, env.OTEL_POSTHOG_IDENTITY_BAGGAGE, Carried)
    anonymize = _anonymize(environ)
    if mode is not None and anonymize is (mode is IdentityMode.IDENTIFIED):
        names = f"{env.OTEL_POSTHOG_IDENTITY} and {env.ANALYTICS_ANONYMIZE_USER_IDS}"
        raise ConfigurationError(f"{names} contradict each other; set one of them")
    if mode is None and anonymize is not None:
        # A policy that sends even less goes on doing so.
        anonymous = min(IdentityMode.INSTALLATION, policy.identity, key=list(IdentityMode).index)
        mode = anonymous if anonymize else IdentityMode.IDENTIFIED
    if carried is not None:
        policy = replace(policy, identity_baggage=carried)
    attribute = environ.get(env.OTEL_POSTHOG_IDENTITY_USER_ATTRIBUTE, "").strip()
    if attribute and not is_attribute(attribute):
        raise ConfigurationError(
            f"{env.OTEL_POSTHOG_IDENTITY_USER_ATTRIBUTE} is no name of an attribute; write e.g. uuid"
        )
    if attribute:
        policy = replace(policy, identity_user=replace(policy.identity_user, attribute=attribute))
    return policy if mode is None else policy.with_identity(mode)


def _with_derived(policy: Policy, environ: Mapping[str, str]) -> Policy:
    """Return `policy` with the rules on that the environment names by their words."""
    given = environ.get(env.OTEL_POSTHOG_DERIVE, "").split(",")
    words = [word for each in given if (word := each.strip().lower())]
    for word in words:
        if word not in WORDS:
            shown = f"there is no {word!r}" if word.isidentifier() and word.isascii() else "one of them is no word"
            raise ConfigurationError(f"{env.OTEL_POSTHOG_DERIVE}: {shown}; {other_word(word, WORDS)}")
    return policy.with_derived(words) if words else policy


def _check_rotation(policy: Policy, environ: Mapping[str, str]) -> None:
    rotation = policy.installation_rotation
    if rotation is not InstallationRotation.NEVER and environ.get(env.INSTANCE_ID, "").strip():
        raise ConfigurationError(
            f"{env.INSTANCE_ID} gives this installation one id for ever, and installation_rotation: {rotation.value} "
            f"another one each time; unset {env.INSTANCE_ID}, or write `installation_rotation: never`"
        )


def _with_exit(policy: Policy, environ: Mapping[str, str]) -> Policy:
    """Return `policy` with the patience at exit that the environment asks for."""
    word = environ.get(env.OTEL_POSTHOG_EXIT_TRY_S, "").strip()
    if not word:
        return policy
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise ConfigurationError(f"{env.OTEL_POSTHOG_EXIT_TRY_S} must be a number of seconds, such as 1 or 0.5")
    return replace(policy, delivery=replace(policy.delivery, exit_try_s=seconds))


def _with_bridge(policy: Policy, environ: Mapping[str, str]) -> Policy:
    """Return `policy` with the bridge that the environment asks for."""
    word = _yes_or_no(environ, env.OTEL_POSTHOG_BRIDGE)
    return policy if word is None else replace(policy, collection=replace(policy.collection, bridge=word))


def read_light_spans(environ: Mapping[str, str]) -> bool:
    """Return whether light spans may stand for unsampled ones.

    Raises:
        ConfigurationError: The word is neither yes nor no.
    """
    return _yes_or_no(environ, env.OTEL_POSTHOG_LIGHT_SPANS) is not False


def _anonymize(environ: Mapping[str, str]) -> bool | None:
    return _yes_or_no(environ, env.ANALYTICS_ANONYMIZE_USER_IDS)


def _yes_or_no(environ: Mapping[str, str], name: str) -> bool | None:
    word = environ.get(name, "").strip().lower()
    if not word:
        return None
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise ConfigurationError(f"{name} must be true or false")
    return word in TRUE_WORDS


_Choice = TypeVar("_Choice", bound=Enum)


def _word(environ: Mapping[str, str], name: str, choices: type[_Choice]) -> _Choice | None:
    word = environ.get(name, "").strip().lower()
    if not word:
        return None
    try:
        return choices(word)
    except ValueError:
        raise ConfigurationError(f"{name} must be one of {', '.join(words_of(choices))}") from None


def read_identity_keys(environ: Mapping[str, str], policy: str | None = None) -> KeyRing:
    """Return the keys of the mode `pseudonymous` as a program in `environ` has them.

    Args:
        environ: The environment.
        policy: The path of a policy file; default the one that `environ` names.

    Raises:
        ConfigurationError: There are none, or they cannot be keys.
    """
    keys = find_identity_keys(environ, policy)
    if keys is None:
        raise ConfigurationError(
            f"no keys: set {env.OTEL_POSTHOG_IDENTITY_KEYS_FILE} or {env.IDENTITY_KEYS} as it is set for the app"
        )
    return keys


def find_identity_keys(environ: Mapping[str, str], policy: str | None = None) -> KeyRing | None:
    """Return the same, or None where there are none.

    Args:
        environ: The environment.
        policy: The path of a policy file; default the one that `environ` names.

    Raises:
        ConfigurationError: They cannot be keys.
    """
    return read_keys(environ, _policy(environ, policy).identity_keys_file)


def keys_of(policy: Policy, environ: Mapping[str, str]) -> KeyRing | None:
    """Return the keys that are configured; those of a policy that needs none are read all the same, for baggage.

    Raises:
        ConfigurationError: They cannot be keys, or the policy needs some and there are none.
    """
    keys = read_keys(environ, policy.identity_keys_file)
    modes = {policy.identity_of(each) for each in policy.destinations}
    if keys is None and IdentityMode.PSEUDONYMOUS in modes:
        raise ConfigurationError(
            f"identity: pseudonymous needs a key of {MIN_KEY_BYTES} bytes or more; {MAKE_ONE} and name its file in "
            f"{env.OTEL_POSTHOG_IDENTITY_KEYS_FILE}"
        )
    return keys


OPTIONS = ("policy", "api_key", "host", "sampler")


def read_options(environ: Mapping[str, str], options: Mapping[str, Any], by: str) -> Settings:
    """Return the settings with the options of an integration that a file may give; None stands for not given.

    Args:
        environ: The environment.
        options: As the keyword arguments of `read_settings`.
        by: The integration whose options they are, in words.

    Raises:
        ConfigurationError: There is no such option, or one of the settings cannot work.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in OPTIONS:
            raise ConfigurationError(f"{by} has no option {name!r}; there are {', '.join(OPTIONS)}")
    return read_settings(environ, **given)


def read_lift(environ: Mapping[str, str], given: str | None = None) -> Lift:
    """Return which unsampled spans are recorded.

    Raises:
        ConfigurationError: The word is not one of the three.
    """
    name = env.OTEL_POSTHOG_SAMPLER if given is None else "sampler"
    word = (environ.get(name, "") if given is None else str(given)).strip().lower() or Lift.ALL.value
    if word == "false":
        return Lift.OFF  # so YAML reads a bare `off`
    if word not in set(Lift):
        raise ConfigurationError(f"{name} must be all, marked or off")
    return Lift(word)
