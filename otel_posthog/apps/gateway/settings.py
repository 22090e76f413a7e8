"""The settings of a gateway: as an app's, but never without a disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from otel_posthog import environment_variables as env
from otel_posthog.apps.gateway.options import Options
from otel_posthog.deliver.spool.files import HAS_LOCKS
from otel_posthog.errors import ConfigurationError
from otel_posthog.policy import DeliveryPolicy, Durability, Policy
from otel_posthog.setup.settings import Settings, read
from otel_posthog.state import make_directory, spool_directory

# What an app collects in seconds a gateway has in milliseconds: a request costs as much as some forty events.
_BASE = Policy(delivery=DeliveryPolicy(max_batch_events=500))


def read_settings(environ: Mapping[str, str], options: Options) -> Settings:
    """Return what is in force.

    Raises:
        ConfigurationError: One of the settings cannot work, nothing is collected, or there is no disk.
    """
    settings = read(environ, policy=options.policy, base=_BASE)
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
