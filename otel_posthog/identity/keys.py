"""The keys of the mode `pseudonymous`: which of them is used at what time.

Comes in: the text of `OTEL_POSTHOG_IDENTITY_KEYS` or of a key file. Goes out: a `KeyRing`. A key is chosen by an
event's time, so that an event that is translated again, a year and a rotation later, keeps its id. No key is ever
shown, also not in an error or a `repr`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.errors import ConfigurationError
from otel_posthog.regex import regex
from otel_posthog.values import unix_ns

MIN_KEY_BYTES = 32  # the length of a SHA-256: RFC 2104, section 3, discourages shorter HMAC keys
# `xxxx...` and `changeme...` are placeholders; 32 random hex digits have fewer than 8 different ones once in 10**5.
MIN_DIFFERENT_BYTES = 8

MAKE_ONE = "make one with `openssl rand -hex 32`"

_DATE = regex(r"\d{4}-\d\d-\d\d\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        since_ns: From when on it is used, in Unix nanoseconds; None for always.
        secret: At least 32 bytes.
    """

    since_ns: int | None
    secret: bytes = field(repr=False)


class KeyRing:
    """Keys, each used from its time until the next one's.

    Args:
        keys: At least one, no two with the same time.
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = tuple(sorted(keys, key=lambda key: -1 if key.since_ns is None else key.since_ns))

    def at(self, time_ns: int) -> Key | None:
        """Return the key for an event of that time; None where it is older than every key."""
        for key in reversed(self.keys):
            if key.since_ns is None or key.since_ns <= time_ns:
                return key
        return None


def read_keys(environ: Mapping[str, str], file: str | None) -> KeyRing | None:
    """Return the keys that are configured; None where there are none.

    Args:
        environ: `OTEL_POSTHOG_IDENTITY_KEYS` has keys, `OTEL_POSTHOG_IDENTITY_KEYS_FILE` the path of a key file.
        file: The policy's key file, used where the environment has neither.

    Raises:
        ConfigurationError: They cannot be read, or one of them cannot be a key.
    """
    given, named = _configured(environ)
    if given and named:
        raise ConfigurationError(
            f"{env.IDENTITY_KEYS} and {env.OTEL_POSTHOG_IDENTITY_KEYS_FILE} are both set; keep one"
        )
    if given:
        return parse_keys(given, where=env.IDENTITY_KEYS)
    path = named or file
    return parse_keys(_text(path), where=path) if path else None


def keys_file(environ: Mapping[str, str], file: str | None) -> str | None:
    """Return the path of the file that the keys are read from, as `read_keys`; None where there is none."""
    given, named = _configured(environ)
    return None if given else named or file


def _configured(environ: Mapping[str, str]) -> tuple[str, str]:
    return environ.get(env.IDENTITY_KEYS, "").strip(), environ.get(env.OTEL_POSTHOG_IDENTITY_KEYS_FILE, "").strip()


def parse_keys(text: str, *, where: str) -> KeyRing:
    """Return the keys in `text`: one a line (or between commas), each with the time before it from which it is used.

    `2026-07-01 KEY` and `2026-07-01T12:00:00+02:00 KEY`; one key may stand alone and is then used from ever on. Lines
    that begin with `#` are comments.

    Raises:
        ConfigurationError: With the number of the line, and never a part of it.
    """
    keys: dict[int | None, Key] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            continue
        for entry in filter(None, (part.strip() for part in line.split(","))):
            key = _key(entry, f"{where}:{number}")
            if key.since_ns in keys:
                raise ConfigurationError(f"{where}:{number}: two keys begin at the same time; write `TIME KEY`")
            keys[key.since_ns] = key
    if not keys:
        raise ConfigurationError(f"{where} has no key; {MAKE_ONE}")
    return KeyRing(keys.values())


def read_time(text: str) -> int | None:
    """Return the Unix nanoseconds of a date (its midnight in UTC) or of a time with an offset; None for any other."""
    moment = f"{text}T00:00:00+00:00" if _DATE.match(text) else re.sub(r"[Zz]\Z", "+00:00", text)
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return None if parsed.tzinfo is None else unix_ns(parsed.astimezone(timezone.utc))


def _key(entry: str, where: str) -> Key:
    *since, word = entry.split()
    if len(since) > 1:
        raise ConfigurationError(f"{where}: more than a time and a key; write `2026-07-01 KEY`, a key has no spaces")
    secret = word.encode("utf-8", "surrogateescape")
    if len(secret) < MIN_KEY_BYTES:
        raise ConfigurationError(f"{where}: a key of {len(secret)} bytes; {MIN_KEY_BYTES} are needed, {MAKE_ONE}")
    if len(set(secret)) < MIN_DIFFERENT_BYTES:
        raise ConfigurationError(f"{where}: this key can be guessed; {MAKE_ONE}")
    return Key(_since_ns(since[0], where) if since else None, secret)


def _since_ns(text: str, where: str) -> int:
    time_ns = read_time(text)
    if time_ns is None:
        raise ConfigurationError(f"{where}: the time of a key cannot be read; write 2026-07-01 or 2026-07-01T12:00:00Z")
    return time_ns


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: the key file cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: the key file is not text; {MAKE_ONE}") from None
