"""What a start says: one line, and the notice where it is the first of its installation.

The line is logged. Where logging would not show it, and by default it shows no INFO, it goes to standard error, once
for a program and the processes that it starts: people are to see what is collected without having configured anything.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping

from otel_posthog import environment_variables as env
from otel_posthog.identity import Installation, mismatch_line, notice_box, start_line
from otel_posthog.policy import Collection, InstallationRotation, Policy

_log = logging.getLogger("otel_posthog")

# Inherited by what the program starts: the process that showed the line, and the line.
TOLD = "OTEL_POSTHOG_TOLD"


def tell_start(policy: Policy, collection: Collection, environ: MutableMapping[str, str]) -> None:
    """Say what is collected, or what switched it off."""
    line = start_line(policy, collection)
    if _log.isEnabledFor(logging.INFO) and _log.hasHandlers():
        _log.info("%s", line)
    elif not _told_by_parent(line, environ):
        show(line)
        environ[TOLD] = f"{os.getpid()} {line}"
    mismatch = mismatch_line(environ)
    if mismatch:
        _log.warning("%s", mismatch)


def tell_first_run(policy: Policy, installation: Installation) -> None:
    """Show the notice, once per installation; where nothing can be kept, say what that means instead."""
    if not installation.is_kept:
        named = env.OTEL_POSTHOG_STATE_DIR
        if policy.installation_rotation is InstallationRotation.NEVER:
            named = f"{env.INSTANCE_ID} or {named}"
        _log.warning("no writable state directory: this process counts as an installation of its own; set %s", named)
    elif installation.claim_notice():
        show(notice_box(policy, encoding=getattr(sys.stderr, "encoding", None) or "ascii"))


def show(text: str) -> None:
    """Write `text` to standard error, where there is one."""
    with contextlib.suppress(AttributeError, OSError, ValueError):  # none, full, closed
        sys.stderr.write(f"{text}\n")


def _told_by_parent(line: str, environ: Mapping[str, str]) -> bool:
    pid, _, told = environ.get(TOLD, "").partition(" ")
    # A program that replaces itself (exec) keeps its process id, and starts anew.
    return told == line and pid != str(os.getpid())
