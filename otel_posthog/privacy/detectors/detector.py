"""What a detector is: a name, a function that finds hits, and the features a text must have for one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from otel_posthog.privacy.keys import KeyFacts

Span = tuple[int, int]
Run = re.Match[str]
"""A long number in a text: nine characters or more that are digits or may stand between them."""

Find = Callable[[str, KeyFacts, Sequence[Run]], list[Span]]


@dataclass(frozen=True, slots=True)
class Detector:
    """Finds one kind of value.

    Attributes:
        name: By which the policy switches it on; in brackets it replaces a hit.
        find: Gets a text, the facts of its key and the long numbers in the text; returns where the hits are, ascending
            and without overlaps. Takes time linear in the text.
        needs: The features of `otel_posthog.privacy.detectors.prefilter` without which no hit is possible; all of them.
        needs_one: The same, of which one is enough; 0 for none.
        in_versions: False if a version number may look like a hit: values under keys of versions are left out then.
        gives_way: Whether a hit that overlaps one of an earlier detector is dropped; else the wider of the two wins.
        for_features: Makes the function that finds hits in texts with certain features, where some of them spare it a
            part of its work; it finds the same as `find`.
        marker: What replaces a hit where the policy names no method.
    """

    name: str
    find: Find
    needs: int = 0
    needs_one: int = 0
    in_versions: bool = True
    gives_way: bool = True
    for_features: Callable[[int], Find] | None = None
    marker: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "marker", f"[{self.name}]")

    def finder(self, features: int) -> Find:
        """Return the function that finds hits in texts with `features`."""
        return self.find if self.for_features is None else self.for_features(features)

    def fits(self, features: int, *, version: bool) -> bool:
        """Return whether a hit is possible in a text with `features`."""
        if version and not self.in_versions:
            return False
        return features & self.needs == self.needs and (not self.needs_one or bool(features & self.needs_one))


def merge_overlaps(spans: list[Span]) -> list[Span]:
    """Return `spans` in ascending order, overlapping ones merged."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
