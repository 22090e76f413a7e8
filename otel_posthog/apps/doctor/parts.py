"""The parts of an examination, each looked at on a thread of its own: one that hangs keeps no other from its findings.

What a part has found counts, also where its time was over before it was through; that it was is a finding as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from otel_posthog.apps.doctor.deadline import Deadline, TimeOverError
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom

ABOUT = "not examined"

_SYMPTOMS = {Group.OTLP: Symptom.OTLP, Group.FILTERS: Symptom.SOME, Group.SPOOL: Symptom.LOST}
_KINDS = {
    group: Kind(
        f"{group.value.lower()}_not_examined", group, Level.WRONG,
        "{parts}: the time of {seconds:g} s was over before all of it was looked at",
        "raise --timeout; where that changes nothing, something there hangs: a disk, a pipe, a host",
        Gravity.MAY_BE_LOST, _SYMPTOMS.get(group, Symptom.NOTHING),
    )
    for group in Group
}  # fmt: skip
KINDS = tuple(_KINDS.values())


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is looked at.

    Attributes:
        name: In a word or two, as people read it where it was not reached.
        group: What its findings belong to.
        look: Looks, and returns or yields what is found; `TimeOverError` where that is not all.
    """

    name: str
    group: Group
    look: Callable[[], Iterable[Finding]]


class Look:
    """A look at a part, and what is found so far.

    Args:
        part: Which.
    """

    def __init__(self, part: Part) -> None:
        self.part = part
        self.thread: threading.Thread | None = None
        self._found, self._errors, self._is_whole = list[Finding](), list[BaseException](), False

    def run(self) -> None:
        """Look, until it is through or its time is over."""
        try:
            for each in self.part.look():
                self._found.append(each)
            self._is_whole = True
        except TimeOverError:
            return
        except Exception as error:
            self._errors.append(error)

    def found(self, until: Deadline) -> list[Finding]:
        """Return what is found by then; raises what looking raised."""
        if self.thread is not None:
            self.thread.join(until.left_s)
        if self._errors:
            raise self._errors[0]
        return list(self._found)

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is left to look at."""
        return self._is_whole


def begun(part: Part) -> Look:
    """Return a look at a part that goes on by itself."""
    look = Look(part)
    # What hangs must not hold the exit up.
    look.thread = threading.Thread(target=look.run, name=f"doctor: {part.name}", daemon=True)
    look.thread.start()
    return look


def not_examined(parts: Sequence[Part], seconds: float) -> Iterator[Finding]:
    """Yield a finding for each group of which parts were not reached, or not looked at to their end.

    Args:
        parts: Those parts.
        seconds: How much time there was.
    """
    for group in Group:
        names = dict.fromkeys(each.name for each in parts if each.group is group)
        if names:
            yield _KINDS[group].found(ABOUT, parts=", ".join(names), seconds=seconds)
