"""What is wrong with a PostHog key, by its shape alone; no more of a key is shown than its beginning.

Of `POSTHOG_API_KEY` as it is written, also where set-up refuses it, and of the keys that a policy names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.apps.doctor.hosts import QUOTES

ABOUT = "key"

_PLACEHOLDER = re.compile(r"\.\.\.|…|[<>{}$\[\]]|your|change|example|todo|project.?key|xxxx", re.IGNORECASE)
_REPEATED = re.compile(r"(?:phc_)?(.)\1{3,}")
# 256 random bits in letters and digits, behind `phc_`.
_LEAST_CHARS, _SHOWN_CHARS = 40, 8

_WRONG, _NOTE = Level.WRONG, Level.NOTE
PERSONAL = Kind(
    "key_personal", Group.CONFIGURATION, _WRONG,
    "{name} is a personal API key (phx_), which opens the whole account and takes no events",
    "take it out of this environment; set {name} to the project's key, which begins with phc_ "
    "(PostHog: Settings, Project, Project API key)",
    Gravity.LEAKS, Symptom.NOTHING,
)  # fmt: skip
SECRET = Kind(
    "key_secret", Group.CONFIGURATION, _WRONG, "{name} is a secret API key (phs_), which takes no events",
    "take it out of this environment; set {name} to the project's key, which begins with phc_",
    Gravity.LEAKS, Symptom.NOTHING,
)  # fmt: skip
QUOTED = Kind(
    "key_quoted", Group.CONFIGURATION, _WRONG, "{name} has quotes around it, which are taken for a part of the key",
    "write the key without them; env files of containers keep quotes",
    Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
PLACEHOLDER = Kind(
    "key_placeholder", Group.CONFIGURATION, _WRONG, "{name} is a placeholder of an example, not a key",
    "copy the project's key from PostHog (Settings, Project)", Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
UNUSUAL = Kind(
    "key_unusual", Group.CONFIGURATION, _WRONG, "{name} has spaces, line ends or unusual characters in it",
    "copy the project's key again (phc_...), on one line", Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
PADDED = Kind(
    "key_padded", Group.CONFIGURATION, _NOTE,
    "{name} has a space or a line end around it; it is taken without, which other programs may not do",
    "write {name} without it (a secret made by `echo` ends in a line end, by `printf %s` in none)",
    Gravity.TO_KNOW, Symptom.NOTHING,
)  # fmt: skip
NO_PREFIX = Kind(
    "key_no_prefix", Group.CONFIGURATION, _NOTE, "{name} does not begin with phc_ as project keys do",
    "compare it with the project's key in PostHog; nothing, if the project is that old", Gravity.TO_KNOW,
    Symptom.NOTHING,
)  # fmt: skip
SHORT = Kind(
    "key_short", Group.CONFIGURATION, _NOTE, "{name} is shorter than project keys are ({length} characters)",
    "copy the project's key again, whole; nothing, if the server is a stand-in for tests", Gravity.TO_KNOW,
    Symptom.NOTHING,
)  # fmt: skip

KINDS = (PERSONAL, SECRET, QUOTED, PLACEHOLDER, UNUSUAL, PADDED, NO_PREFIX, SHORT)


def of_key(given: str, name: str) -> Iterator[Finding]:
    """Yield what is wrong with a key; nothing of a good one.

    Args:
        given: As it is written.
        name: Of the variable that it is in.
    """
    key = given.strip()
    bare = key.strip(QUOTES).strip()
    if not key:
        return
    for prefix, kind in (("phx_", PERSONAL), ("phs_", SECRET)):
        if bare.startswith(prefix):
            yield kind.found(ABOUT, name=name)
            return
    if _is_placeholder(bare):
        yield PLACEHOLDER.found(ABOUT, name=name)
    elif bare != key:
        yield QUOTED.found(ABOUT, name=name)
    elif not re.fullmatch(r"[A-Za-z0-9_-]+", key):
        yield UNUSUAL.found(ABOUT, name=name)
    else:
        yield from _remarks(given, key, name)


def _is_placeholder(key: str) -> bool:
    # A key of full length may have any word in it by accident.
    return bool(_REPEATED.fullmatch(key)) or (len(key) < _LEAST_CHARS and bool(_PLACEHOLDER.search(key)))


def _remarks(given: str, key: str, name: str) -> Iterator[Finding]:
    if given != key:
        yield PADDED.found(ABOUT, name=name)
    if not key.startswith("phc_"):
        yield NO_PREFIX.found(ABOUT, name=name)
    elif len(key) < _LEAST_CHARS:
        yield SHORT.found(ABOUT, name=name, length=len(key))


def shortened(key: str) -> str:
    """Return the beginning of a key, as far as that tells it from others and nobody can send with it."""
    return f"{key[:_SHOWN_CHARS]}…" if key.startswith("phc_") and len(key) >= _LEAST_CHARS else ""
