"""The package's logger, `otel_posthog`: it stays on, and a person sees its warnings.

By default `logging.config` silences every logger that its configuration does not name, and no program names ours: the
one line about a wrong key would be gone. And where no handler of the program shows a warning to a person, it goes to
standard error.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import sys
from typing import Any

NAME = "otel_posthog"


def own_logger() -> logging.Logger:
    """Return the logger, which `dictConfig` and `fileConfig` do not switch off; `disabled = True` of a person does."""
    logger = logging.getLogger(NAME)
    if not isinstance(logger, _KeptLogger):
        # Of whatever class the program has its loggers be.
        logger.__class__ = type("OwnLogger", (_KeptLogger, type(logger)), {})
    return logger


def show_warnings() -> None:
    """Have every warning of this package seen, whatever handlers the program has; idempotent."""
    logger = own_logger()
    if not any(isinstance(each, _LastResort) for each in logger.handlers):
        logger.addHandler(_LastResort(logging.WARNING))


def is_shown(level: int) -> bool:
    """Return whether a handler of the program shows what is logged at `level`, or keeps it on this machine."""
    logger: logging.Logger | None = own_logger()
    while logger is not None:
        if any(level >= each.level and not _is_silent(each) for each in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False


def show(text: str) -> None:
    """Write `text` to standard error, where there is one."""
    with contextlib.suppress(AttributeError, OSError, ValueError):  # none, full, closed
        sys.stderr.write(f"{text}\n")


class _LastResort(logging.Handler):
    """Shows this package's warnings on standard error where no other handler shows them to a person.

    Python's own last resort is for programs without any handler. OpenTelemetry's on the root logger ends it, though
    that one sends the line away with the telemetry, where the person who has just set a key does not look.
    """

    def emit(self, record: logging.LogRecord) -> None:
        if logging.lastResort is not None and not is_shown(record.levelno):
            show(record.getMessage())


def _is_silent(handler: logging.Handler) -> bool:
    if isinstance(handler, (logging.NullHandler, _LastResort)):
        return True
    return any(each.__module__.partition(".")[0] == "opentelemetry" for each in type(handler).__mro__)


class _KeptLogger(logging.Logger):
    def __setattr__(self, name: str, value: Any) -> None:
        if not (name == "disabled" and value and _is_configuration()):
            super().__setattr__(name, value)

    def removeHandler(self, hdlr: logging.Handler) -> None:  # noqa: N802 - its name there
        # Ours is no handler of the program's, that it would want to put another one in place of.
        if not (type(hdlr).__module__.partition(".")[0] == NAME and _is_configuration()):
            super().removeHandler(hdlr)


def _is_configuration() -> bool:
    """Return whether the caller's caller is `logging.config`."""
    here = inspect.currentframe()
    caller = here and here.f_back and here.f_back.f_back
    return caller is not None and caller.f_globals.get("__name__") == "logging.config"
