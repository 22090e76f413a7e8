"""What the doctor says: findings, each of a kind that has its words, its group and how grave it is.

A kind stands beside the check that finds it; `docs/troubleshooting.md` has a row for each that is no good news.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from otel_posthog.privacy import without_secrets


class Level(str, Enum):
    """How good a finding is; the word is what `--json` prints."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


class Group(str, Enum):
    """What a finding belongs to, in the order in which groups are shown; the word is what `--json` prints."""

    CONFIGURATION = "Configuration"
    POSTHOG = "PostHog"
    OTLP = "OTLP"
    FILTERS = "Filters"
    SPOOL = "Spool"
    PROCESS = "Process"


class Gravity(IntEnum):
    """What comes of it; the gravest is mended first."""

    LEAKS = 1
    """What should not leave does, or might."""
    NOTHING_STARTS = 2
    """The package does nothing, or strips only."""
    NOTHING_ARRIVES = 3
    """One side gets nothing at all."""
    SOME_MISSING = 4
    """Some of it does not arrive, or arrives wrong."""
    MAY_BE_LOST = 5
    """All arrives, until a process is killed or a disk is full."""
    TO_KNOW = 6


class Symptom(str, Enum):
    """What a person notices, in the order of `docs/troubleshooting.md`."""

    NOTHING = "Nothing arrives in PostHog"
    SOME = "Some events do not show up, or look wrong"
    PRIVACY = "Something may leave that should not"
    OTLP = "Nothing arrives on the operational side"
    LOST = "Events may be lost"
    SLOW = "It takes more time than it need"


_ORDER = {Level.WRONG: 0, Level.NOTE: 1, Level.OK: 2}
_GROUPS = {each: number for number, each in enumerate(Group)}


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can be found, whatever host, variable or file it is found of.

    Attributes:
        id: What `--json` calls it, for ever.
        group: What it belongs to.
        level: `wrong` keeps something from arriving or from being clean; `note` may be meant so.
        says: What is the case; `{names}` are filled in.
        fix: What to do, in the same way; empty where nothing has to be done.
        gravity: What comes of it.
        symptom: What a person notices, for `docs/troubleshooting.md`; None for good news.
        example: What is said for instance, for that page, where `says` is made of what others say.
    """

    id: str
    group: Group
    level: Level
    says: str
    fix: str = ""
    gravity: Gravity = Gravity.TO_KNOW
    symptom: Symptom | None = None
    example: str = ""

    def found(self, about: str, **words: object) -> Finding:
        """Return a finding of this kind.

        Args:
            about: What was looked at.
            words: For the names in `says` and `fix`; never a key, a password or an id.
        """
        return Finding(self, about, self.says.format(**words), self.fix.format(**words))


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor found out about one thing.

    Attributes:
        kind: Its kind.
        about: What was looked at.
        says: What is the case.
        fix: What to do; empty where nothing has to be done.
    """

    kind: Kind
    about: str
    says: str
    fix: str = ""

    def __post_init__(self) -> None:
        # Hosts and endpoints may be URLs with credentials.
        for name in ("about", "says", "fix"):
            object.__setattr__(self, name, without_secrets(getattr(self, name)))

    @property
    def level(self) -> Level:
        """How good it is."""
        return self.kind.level

    @property
    def rank(self) -> tuple[int, int, int]:
        """Where it stands among others, the gravest first."""
        return _ORDER[self.level], self.kind.gravity, _GROUPS[self.kind.group]

    def as_json(self) -> dict[str, str]:
        """Return it as `--json` prints it."""
        return {
            "id": self.kind.id,
            "level": self.level.value,
            "group": self.kind.group.value,
            "about": self.about,
            "says": self.says,
            "fix": self.fix,
        }
