"""Whether what a subcommand needs besides the package is installed."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec


def first_missing(names: Iterable[str]) -> str | None:
    """Return the first of the modules `names` that is not installed, or None."""
    return next((name for name in names if not _is_installed(name)), None)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # one of its parents is missing
        return False
