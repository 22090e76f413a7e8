"""What a gateway starts with: an app's settings, but never without a disk, and the key of log records' uuids.

Whoever has the same key makes the same uuids.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.apps.gateway.command import Options
from otel_posthog.deliver.spool.files import HAS_LOCKS
from otel_posthog.errors import ConfigurationError
from otel_posthog.policy import DeliveryPolicy, Durability, Policy
from otel_posthog.setup.settings import Settings
from otel_posthog.setup.settings import read_settings as read_setup_settings
from otel_posthog.state import make_directory, read_or_create, spool_directory, state_directory

# What an app collects in seconds a gateway has in milliseconds: a request costs as much as some forty events.
_BASE = Policy(delivery=DeliveryPolicy(max_batch_events=500))
MIN_KEY_CHARS = 32
_UUID_KEY_FILE = "uuid-key"


def read_settings(environ: Mapping[str, str], options: Options) -> Settings:
    """Return what is in force.

    Raises:
        ConfigurationError: One of the settings cannot work, nothing is collected, or there is no disk.
    """
    settings = read_setup_settings(environ, policy=options.policy, base=_BASE)
    if not settings.collection.enabled:
        raise ConfigurationError(
            f"there is nothing to do: usage statistics are disabled by {settings.collection.reason}; "
            f"a gateway needs {env.POSTHOG_API_KEY} (phc_...), or {env.OTEL_POSTHOG_ENABLED}=preview to look on"
        )
    if not settings.collection.is_preview:
        _check_spool(environ)
    # Success is answered for what is on disk; a policy that says `memory` is an app's.
    delivery = replace(settings.policy.delivery, durability=Durability.SPOOL)
    return replace(settings, policy=replace(settings.policy, delivery=delivery))


def _check_spool(environ: Mapping[str, str]) -> None:
    directory = spool_directory(environ)
    if not HAS_LOCKS:
        raise ConfigurationError("this system has no file locks of POSIX, which a gateway's spool needs")
    if not make_directory(directory) or not os.access(directory, os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"the spool {directory} cannot be written in, and a gateway keeps events there before it answers; "
            f"name another directory in {env.OTEL_POSTHOG_SPOOL_DIR}"
        )


def read_uuid_key(environ: Mapping[str, str], file: str | None) -> bytes:
    """Return the key of `file` or of the environment, else the installation's, made at its first start.

    Where the state directory keeps nothing, it is this process's: what is sent again after its end is another event.

    Raises:
        ConfigurationError: It cannot be a key.
    """
    given = environ.get(env.UUID_KEY, "").strip()
    if file is not None:
        try:
            given = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ConfigurationError(f"--uuid-key-file {file} cannot be read: {why}") from None
    if given or file is not None:
        # The Collector puts it between quotes.
        if len(given) < MIN_KEY_CHARS or not given.replace("-", "").replace("_", "").isalnum() or not given.isascii():
            raise ConfigurationError(
                f"the key of uuids must be {MIN_KEY_CHARS} or more letters, digits, - and _; make one with "
                "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        return given.encode()
    kept = read_or_create(state_directory(environ) / _UUID_KEY_FILE, _new_uuid_key)
    return (kept or _new_uuid_key()).encode()


def _new_uuid_key() -> str:
    return secrets.token_urlsafe(32)
