"""The logger `otel_posthog`, as what a program does to its logging leaves it.

`logging.config` silences every logger that it was not told of unless it is told not to, which nobody means who has
never heard of ours: the one line about a wrong key would be gone.
"""

from __future__ import annotations

import inspect
import logging
from typing import Any

NAME = "otel_posthog"


def own_logger() -> logging.Logger:
    """Return the logger, which `dictConfig` and `fileConfig` do not switch off; `disabled = True` of a person does."""
    logger = logging.getLogger(NAME)
    if not isinstance(logger, _Stays):
        # Of whatever class the program has its loggers be.
        logger.__class__ = type("OwnLogger", (_Stays, type(logger)), {})
    return logger


class _Stays(logging.Logger):
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
