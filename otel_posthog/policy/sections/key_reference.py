"""Where a secret key is read from: never written into the policy itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyReference:
    """One of the two places from which a secret key is read, at start.

    Attributes:
        env: The name of an environment variable that holds the key.
        file: The path of a file that holds the key, relative to the policy file.
    """

    env: str | None = None
    file: str | None = None
