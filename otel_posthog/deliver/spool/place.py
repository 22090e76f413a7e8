"""Where a destination's events are: a folder of the spool, named after it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_OTHER = re.compile(r"[^a-z0-9_-]+")


def folder_of(root: Path, destination: str) -> Path:
    """Return the folder of `destination`: its name, made fit for every file system and still unique."""
    if _PLAIN.fullmatch(destination):
        return root / destination
    readable = _OTHER.sub("-", destination.lower())[:40].strip("-")
    return root / f"{readable or 'destination'}.{hashlib.sha256(destination.encode()).hexdigest()[:12]}"
