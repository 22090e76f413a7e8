"""A hook that is called before ours and breaks a part of the package, as a fault of ours would; names it in BROKEN."""

from __future__ import annotations

import os
from importlib import import_module
from typing import NoReturn


def broken(*_: object, **__: object) -> NoReturn:
    """Fail with a message that must not be told."""
    raise MemoryError("u-4711 was here")


def break_it() -> None:
    """Break what BROKEN names: module:attribute, more than one with commas between them."""
    for name in os.environ["BROKEN"].split(","):
        module, _, attribute = name.partition(":")
        setattr(import_module(module), attribute, broken)
