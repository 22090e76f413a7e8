"""Rules: which keys (or which detector's hits under them) get which method."""

from __future__ import annotations

from dataclasses import dataclass, field

from otel_posthog.policy.defaults import DETECTORS
from otel_posthog.policy.sections.method import Method


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: (key selector, detector, method). The first rule that picks a key decides.

    Attributes:
        name: What receipts and counts call it: lowercase letters, digits and `_`; `rule` where not given.
        keys: Keys that it picks, at any depth, however they are capitalised; `*` stands for any characters
            (`billing.*`), and `form.iq` also picks the `iq` in a map `form`.
        words: Words that pick a key when they stand in it as whole tokens, as in `sensitive_keys`.
        detector: Picks only what this detector finds in the values; None picks the values whole.
        method: What is done with what is picked.
        keep_last: For `mask`: how many of the last characters stay readable, at most 4 and at most a quarter of the
            value (two of eight); 0 keeps none.
        max_chars: For `truncate`: how many characters are kept.
        bounds: For `bucket`: the ascending limits between the ranges.
    """

    name: str = "rule"
    keys: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    detector: str | None = field(default=None, metadata={"choices": DETECTORS, "noun": "detector"})
    method: Method = Method.DROP
    keep_last: int = field(default=0, metadata={"minimum": 0, "maximum": 4})
    max_chars: int = 64
    bounds: tuple[float, ...] = field(default=(), metadata={"minimum": None})
