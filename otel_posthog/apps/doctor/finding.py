"""What the doctor found out about one thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from otel_posthog.privacy import without_secrets


class Level(str, Enum):
    """How good it is; the word is what `--json` prints."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line.

    Attributes:
        level: `wrong` keeps events from arriving or the operational side from being clean; `note` may be meant so.
        about: What was looked at.
        says: What is the case; never a key, a password or an id.
        fix: What to do; empty where nothing has to be done.
    """

    level: Level
    about: str
    says: str
    fix: str = ""

    def __post_init__(self) -> None:
        # Hosts and endpoints may be URLs with credentials.
        for name in ("about", "says", "fix"):
            object.__setattr__(self, name, without_secrets(getattr(self, name)))

    def as_json(self) -> dict[str, str]:
        """Return it as `--json` prints it."""
        return {"level": self.level.value, "about": self.about, "says": self.says, "fix": self.fix}
