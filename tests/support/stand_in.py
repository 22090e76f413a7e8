"""A scrubber that finds the word SECRET and nothing else: the stage is tested, not the detectors."""

from __future__ import annotations

from collections.abc import Mapping

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import Redactor
from otel_posthog.policy import OperationalPolicy


class FindsSecret:
    """Replaces SECRET in strings; fails on the word BREAK."""

    def scrub_value(self, key: str, value: object, among: Mapping[str, object] | None = None) -> object:
        """Return strings scrubbed, all else as it is."""
        return self.scrub_text(value) if isinstance(value, str) else value

    def depends(self, key: str) -> bool:
        """Return False: every value is judged by itself."""
        return False

    def names_id(self, key: str) -> bool:
        """Return whether the key is `whoever`."""
        return key == "whoever"

    def paths(self, attributes: Mapping[str, object]) -> Mapping[str, str]:
        """Return nothing: no route says anything."""
        return {}

    def scrub_text(self, text: str) -> str:
        """Return `text` without SECRET."""
        if "BREAK" in text:
            raise RuntimeError(text)
        return text.replace("SECRET", "[x]") if "SECRET" in text else text


def redactor(health: Health | None = None) -> Redactor:
    """Return a redactor of the built-in policy around the stand-in."""
    return Redactor(OperationalPolicy(), FindsSecret(), Guard(health or Health()))
