"""How this stage tells that a part of an event had to be left out."""

from __future__ import annotations

from collections.abc import Callable

Note = Callable[[str], None]
"""Told a reason, which is a fixed identifier and is counted; never a value."""
