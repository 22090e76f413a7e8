"""`notice_text()` for a user interface: what the policy in force collects, in words."""

from __future__ import annotations

import os

from otel_posthog import identity
from otel_posthog.policy import Policy, active
from otel_posthog.setup import configure
from otel_posthog.setup.settings import read


def notice_text(policy: Policy | str | os.PathLike[str] | None = None) -> str:
    """Return what users are told about usage statistics under the policy in force, as plain text.

    Args:
        policy: For a program that asks before it calls `configure(policy=...)`: the same. By default the policy in
            force, and before there is one the one that the environment names.

    Raises:
        ConfigurationError: Nothing is in force yet, and what is to be cannot be used.
    """
    if policy is None and configure.running() is not None:
        return identity.notice_text(active())
    return identity.notice_text(read(os.environ, policy=policy).policy)
