"""The secret keys that a policy names, read once at start: from the environment or from files, never from the policy.

Comes in: a policy that says where its keys are. Goes out: the same policy with the keys in it, in fields that no file
sets and no `repr` shows. An error names the variable or the file, never what was in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from otel_posthog.errors import ConfigurationError
from otel_posthog.policy.policy import Policy
from otel_posthog.policy.sections.delivery import Destination
from otel_posthog.policy.sections.privacy import KeyReference, PrivacyPolicy

MIN_KEY_BYTES = 32
"""As long as the output of SHA-256; RFC 2104 section 3 discourages less."""


def with_secrets(policy: Policy, environ: Mapping[str, str]) -> Policy:
    """Return `policy` with its keys read.

    Args:
        policy: Names variables of `environ` and files.
        environ: The process's environment.

    Raises:
        ConfigurationError: A key for the method `hmac` is missing or too short.
    """
    return replace(
        policy,
        privacy=_with_hmac_secret(policy.privacy, environ),
        destinations=tuple(_with_key(each, environ) for each in policy.destinations),
    )


def read_key(reference: KeyReference, environ: Mapping[str, str]) -> bytes:
    """Return the key that `reference` names, without white space around it.

    Raises:
        ConfigurationError: There is none, or it has less than 32 bytes.
    """
    if reference.env is not None:
        key, where = environ.get(reference.env, "").encode(), f"the environment variable {reference.env}"
    else:
        where = f"the file {reference.file}"
        try:
            key = Path(str(reference.file)).read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{where} with a key cannot be read ({error.strerror})") from None
    key = key.strip()
    if len(key) < MIN_KEY_BYTES:
        found = f"has {len(key)} bytes" if key else "is not set" if reference.env else "is empty"
        raise ConfigurationError(
            f"{where} {found}; put a random key of at least {MIN_KEY_BYTES} bytes there (openssl rand -hex 32)"
        )
    return key


def _with_hmac_secret(privacy: PrivacyPolicy, environ: Mapping[str, str]) -> PrivacyPolicy:
    if privacy.hmac_key is None:
        return privacy
    return replace(privacy, hmac_secret=read_key(privacy.hmac_key, environ))


def _with_key(destination: Destination, environ: Mapping[str, str]) -> Destination:
    """Return `destination` with its project's key; without one it gets nothing, as when it never had any."""
    if destination.privacy is not None:
        destination = replace(destination, privacy=_with_hmac_secret(destination.privacy, environ))
    if destination.api_key_env is None:
        return destination
    return replace(destination, api_key=environ.get(destination.api_key_env, "").strip() or None)
