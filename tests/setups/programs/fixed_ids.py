"""An id generator that gives the same ids in every run, for programs that do one thing after the other."""

from __future__ import annotations

import random

from opentelemetry.sdk.trace.id_generator import IdGenerator


class FixedIds(IdGenerator):
    """Ids from a sequence that is always the same."""

    def __init__(self) -> None:
        self._random = random.Random(4711)

    def generate_span_id(self) -> int:
        """Return the next id of a span."""
        return self._random.getrandbits(64)

    def generate_trace_id(self) -> int:
        """Return the next id of a trace."""
        return self._random.getrandbits(128)
