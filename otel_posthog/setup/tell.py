"""What a start says: one line, and the notice where it is the first of its installation.

The line is logged. Where logging would not show it, and by default it shows no INFO, it goes to standard error, once
for a program and the processes that it starts: people are to see what is collected without having configured anything.
Warnings later on are seen in the same way.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping

from otel_posthog import environment_variables as env
from otel_posthog.identity import Installation, mismatch_line, notice_box, start_line
from otel_posthog.logger import is_shown, own_logger, show
from otel_posthog.policy import Collection, InstallationRotation, Policy
from otel_posthog.setup.settings import Settings

_log = own_logger()

# Inherited by what the program starts: the process that showed the line, and the line.
TOLD = "OTEL_POSTHOG_TOLD"


def tell_start(policy: Policy, collection: Collection, environ: MutableMapping[str, str]) -> None:
    """Say what is collected, or what switched it off."""
    line = start_line(policy, collection)
    _log.info("%s", line)
    is_logged = _log.isEnabledFor(logging.INFO) and is_shown(logging.INFO)
    if not is_logged and not told_by_parent(TOLD, line, environ):
        show(line)
        environ[TOLD] = f"{os.getpid()} {line}"
    mismatch = mismatch_line(policy, environ)
    if mismatch and collection.enabled:
        _log.warning("%s", mismatch)


def tell_remarks(settings: Settings) -> None:
    """Say what was taken otherwise than it is written, where events are sent by it."""
    if settings.collection.enabled:
        for remark in settings.remarks:
            _log.warning("%s", remark)


def tell_first_run(policy: Policy, installation: Installation) -> None:
    """Show the notice, once per installation; where nothing can be kept, say what that means instead."""
    if not installation.is_kept:
        named = env.OTEL_POSTHOG_STATE_DIR
        if policy.installation_rotation is InstallationRotation.NEVER:
            named = f"{env.INSTANCE_ID} or {named}"
        _log.warning("no writable state directory: this process counts as an installation of its own; set %s", named)
    elif installation.claim_notice():
        show(notice_box(policy, encoding=getattr(sys.stderr, "encoding", None) or "ascii"))


def told_by_parent(variable: str, line: str, environ: Mapping[str, str]) -> bool:
    """Return whether a process that this one comes from has said so.

    Args:
        variable: In which it has left its id and the line.
        line: What would be said.
        environ: Has the variable.
    """
    pid, _, told = environ.get(variable, "").partition(" ")
    # A program that replaces itself (exec) keeps its process id, and starts anew.
    return told == line and pid != str(os.getpid())
