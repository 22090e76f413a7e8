"""What set-up logs: one line at a start, the notice at an installation's first, and what it could not attach to.

The line of a start is logged. Where logging would not show it, and by default it shows no INFO, it goes to standard
error, once for a program and the processes that it starts: people are to see what is collected without having
configured anything. Later warnings are seen in the same way.
"""

from __future__ import annotations

import logging
import os
import sys
import weakref
from collections.abc import Mapping, MutableMapping

from opentelemetry.sdk.trace import SpanProcessor

from otel_posthog import environment_variables as env
from otel_posthog.identity import Installation, mismatch_line, notice_box, start_line
from otel_posthog.logger import is_shown, own_logger, show
from otel_posthog.policy import Collection, InstallationRotation, Policy
from otel_posthog.setup.settings import Settings

_log = own_logger()

WRAP_IT = "wrap its exporter in otel_posthog.Operational{Span,LogRecord,Metric}Exporter"

# Inherited by what the program starts: the process that showed the line, and the line.
SHOWN_LINE = "OTEL_POSTHOG_TOLD"

_logged: weakref.WeakSet[type] = weakref.WeakSet()
_unwrapped: list[str] = []


def log_start(policy: Policy, collection: Collection, environ: MutableMapping[str, str]) -> None:
    """Log what is collected, or what switched it off."""
    line = start_line(policy, collection)
    _log.info("%s", line)
    is_logged = _log.isEnabledFor(logging.INFO) and is_shown(logging.INFO)
    if not is_logged and not is_shown_by_parent(SHOWN_LINE, line, environ):
        show(line)
        environ[SHOWN_LINE] = f"{os.getpid()} {line}"
    mismatch = mismatch_line(policy, environ)
    if mismatch and collection.enabled:
        _log.warning("%s", mismatch)


def log_remarks(settings: Settings) -> None:
    """Log what was taken otherwise than it is written, where events are sent by it."""
    if settings.collection.enabled:
        for remark in settings.remarks:
            _log.warning("%s", remark)


def log_first_run(policy: Policy, installation: Installation) -> None:
    """Show the notice, once per installation; where nothing can be kept, say what that means instead."""
    if not installation.is_kept:
        named = env.OTEL_POSTHOG_STATE_DIR
        if policy.installation_rotation is InstallationRotation.NEVER:
            named = f"{env.INSTANCE_ID} or {named}"
        _log.warning("no writable state directory: this process counts as an installation of its own; set %s", named)
    elif installation.claim_notice():
        show(notice_box(policy, encoding=getattr(sys.stderr, "encoding", None) or "ascii"))


def note_unwrapped(holder: object) -> None:
    """Note a processor or reader that has no exporter that can be wrapped, unless it only adds to spans that start."""
    kind = type(holder)
    only_adds = isinstance(holder, SpanProcessor) and getattr(kind, "on_end", None) is SpanProcessor.on_end
    if kind in _logged or only_adds:
        return
    _logged.add(kind)
    _unwrapped.append(f"{kind.__module__}.{kind.__qualname__}")


def log_unwrapped() -> None:
    """Log in one line what was noted since the last time."""
    names = [_unwrapped.pop(0) for _ in range(len(_unwrapped))]
    if names:
        has = "has" if len(names) == 1 else "have"
        _log.warning(
            "%s %s no exporter that can be wrapped: if anything is sent there, that is not redacted; %s",
            ", ".join(names),
            has,
            WRAP_IT,
        )


def log_foreign(provider: object) -> None:
    """Log, once for each class, that a provider is not the OpenTelemetry SDK's: nothing can be attached to it."""
    kind = type(provider)
    if kind not in _logged:
        _logged.add(kind)
        _log.warning(
            "%s.%s is not a provider of OpenTelemetry's SDK: product events from there are not seen, and what it sends "
            "is not stripped of analytics.* and not redacted",
            kind.__module__,
            kind.__qualname__,
        )


def is_shown_by_parent(variable: str, line: str, environ: Mapping[str, str]) -> bool:
    """Return whether a process that this one comes from has shown the line.

    Args:
        variable: In which it has left its id and the line.
        line: What would be shown.
        environ: Has the variable.
    """
    pid, _, shown = environ.get(variable, "").partition(" ")
    # A program that replaces itself (exec) keeps its process id, and starts anew.
    return shown == line and pid != str(os.getpid())
