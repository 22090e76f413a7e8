"""What a detector is: a name, a function that says where it finds something, and what a text must have for that."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from otel_posthog.privacy.keys import KeyFacts

Span = tuple[int, int]
Run = re.Match[str]
"""Nine characters or more in a row of which a long number may consist."""

Find = Callable[[str, KeyFacts, Sequence[Run]], list[Span]]


@dataclass(frozen=True, slots=True)
class Detector:
    """Finds one kind of value.

    Attributes:
        name: As the policy switches it on; also what stands in a hit's place, in brackets.
        find: Gets a text, what its key tells and the long numbers in the text; returns where the hits are, ascending
            and apart. Works in time linear in the text.
        needs: What of `otel_posthog.privacy.detectors.look` a text must have for a hit to be possible; all of it.
        needs_one: The same, of which one is enough; 0 where there is no such choice.
        in_versions: False where a version number looks like a hit; not asked about values of version-like keys then.
        gives_way: A hit that overlaps one of a detector before it is not taken; without it the wider of the two wins.
        marker: What stands for a hit where no method says otherwise.
    """

    name: str
    find: Find
    needs: int = 0
    needs_one: int = 0
    in_versions: bool = True
    gives_way: bool = True
    marker: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "marker", f"[{self.name}]")

    def fits(self, seen: int, *, version: bool) -> bool:
        """Return whether a hit is possible in a text in which `seen` was seen."""
        if version and not self.in_versions:
            return False
        return seen & self.needs == self.needs and (not self.needs_one or bool(seen & self.needs_one))


def apart(spans: list[Span]) -> list[Span]:
    """Return `spans` in ascending order, with those that overlap made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
