"""Where benchmarks keep what they fetch once: peers to compare with, in this user's cache."""

from __future__ import annotations

import os
from pathlib import Path


def kept(*names: str) -> Path:
    """Return the place of something in the cache, whether it is there or not."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").joinpath("otel-posthog", *names)
