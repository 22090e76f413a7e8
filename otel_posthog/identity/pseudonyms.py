"""What stands for an id where the identity mode does not send it.

Keyed HMAC-SHA-256 (RFC 2104), 128 bits of it: the same id gives the same pseudonym in every process that has the key,
and without the key nobody can test a guess. The kind of an id goes into the hash as well, so that a user, a group of
one type and a group of another type with the same id cannot be joined.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from pathlib import Path

from otel_posthog.identity.installation import RotatingIds
from otel_posthog.identity.keys import KeyRing
from otel_posthog.identity.period_secrets import DailySalts
from otel_posthog.policy import InstallationRotation
from otel_posthog.regex import regex

_HEX_DIGITS = 32
_FORM = regex(r"(?:user-|daily-(\d{8})-)[0-9a-f]{32}\Z", re.ASCII)
_MS_PER_MINUTE = 60_000
_UUID_DIGITS = 32
# `uuid.UUID` takes longer than all else that is done about a session.
_USUAL_UUID7 = regex(r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z", re.ASCII)


class Pseudonyms:
    """The ids that events are sent with.

    Args:
        keys: The keys of the mode `pseudonymous`; without any, no user id can be sent in it.
        salts: The salts of the mode `daily`; the same.
        installations: The ids of an installation whose id rotates; without them it keeps the one it has, for programs
            that send nothing.
    """

    def __init__(
        self,
        *,
        keys: KeyRing | None = None,
        salts: DailySalts | None = None,
        installations: RotatingIds | None = None,
    ) -> None:
        self._keys, self._salts, self._installations = keys, salts, installations

    @classmethod
    def kept_in(cls, directory: Path, keys: KeyRing | None) -> Pseudonyms:
        """Return those of the installation whose state is in `directory`."""
        return cls(keys=keys, salts=DailySalts(directory), installations=RotatingIds(directory))

    def with_keys(self, keys: KeyRing | None) -> Pseudonyms:
        """Return the same with other keys."""
        return Pseudonyms(keys=keys, salts=self._salts, installations=self._installations)

    def anew(self, directory: Path) -> Pseudonyms:
        """Return those of the same keys, and of the secrets that are in `directory` now."""
        return Pseudonyms.kept_in(directory, self._keys)

    def expire(self) -> None:
        """Destroy the secrets of days, weeks, months and years that are over."""
        for each in (self._salts, self._installations):
            if each is not None:
                each.expire()

    def installation(self, rotation: InstallationRotation, time_ns: int, lasting: str) -> str | None:
        """Return the id of this installation at that time; None where that of its period is gone.

        Args:
            rotation: How long an id stays the same.
            time_ns: The event's time.
            lasting: The id that never changes.
        """
        if rotation is InstallationRotation.NEVER or self._installations is None:
            return lasting
        return self._installations.at(rotation, time_ns)

    def daily(self, user_id: str, time_ns: int) -> str | None:
        """Return what stands for a user on the day of `time_ns`; None where the day's salt is gone."""
        found = self._salts.at(time_ns) if self._salts else None
        return None if found is None else daily_pseudonym(*found, user_id)

    def user(self, user_id: str, time_ns: int) -> str | None:
        """Return what stands for a user; None where there is no key for that time."""
        secret = self._secret(time_ns)
        return None if secret is None else user_pseudonym(secret, user_id)

    def group(self, group_type: str, group_key: str, time_ns: int) -> str | None:
        """Return what stands for a group; None where there is no key for that time."""
        secret = self._secret(time_ns)
        return None if secret is None else group_pseudonym(secret, group_type, group_key)

    def session(self, session_id: str, time_ns: int) -> str | None:
        """Return what stands for a session; None where there is no key for that time.

        A UUIDv7 stays one.
        """
        secret = self._secret(time_ns)
        return None if secret is None else session_pseudonym(secret, session_id)

    def window(self, window_id: str, time_ns: int) -> str | None:
        """Return what stands for a window of a browser; None where there is no key for that time."""
        secret = self._secret(time_ns)
        return None if secret is None else f"window-{_keyed(secret, 'window', window_id)}"

    def journey(self, journey_id: str, time_ns: int) -> str | None:
        """Return what stands for a journey; None where there is no key for that time."""
        secret = self._secret(time_ns)
        return None if secret is None else f"journey-{_keyed(secret, 'journey', journey_id)}"

    def journey_of_day(self, journey_id: str, time_ns: int) -> str | None:
        """Return what stands for a journey on the day of `time_ns`; None where the day's salt is gone."""
        found = self._salts.at(time_ns) if self._salts else None
        return None if found is None else f"journey-{found[0]}-{_keyed(found[1], 'journey', journey_id)}"

    def _secret(self, time_ns: int) -> bytes | None:
        key = self._keys.at(time_ns) if self._keys else None
        return None if key is None else key.secret


def user_pseudonym(secret: bytes, user_id: str) -> str:
    """Return what stands for a user under this key: `user-` and 32 hex digits."""
    return f"user-{_keyed(secret, 'user', user_id)}"


def group_pseudonym(secret: bytes, group_type: str, group_key: str) -> str:
    """Return what stands for a group of this type under this key: `group-` and 32 hex digits."""
    return f"group-{_keyed(secret, 'group', group_type, group_key)}"


def session_pseudonym(secret: bytes, session_id: str) -> str:
    """Return what stands for a session under this key: `session-` and 32 hex digits, or a UUIDv7 for one.

    PostHog takes no other as a session; of its own it keeps the minute, no more.
    """
    digest = _keyed(secret, "session", session_id)
    given_ms = uuid7_ms(session_id)
    if given_ms is None:
        return f"session-{digest}"
    started_ms = given_ms // _MS_PER_MINUTE * _MS_PER_MINUTE
    random = int(digest, 16)
    # RFC 9562, section 5.7: 48 bits of time, the version, 12 bits, the variant, 62 bits.
    value = started_ms << 80 | 7 << 76 | (random >> 64 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def uuid7_ms(text: str) -> int | None:
    """Return the time of a UUIDv7 in Unix milliseconds, in whichever form it is written; None for any other text."""
    if len(text) < _UUID_DIGITS:
        return None
    usual = _USUAL_UUID7.match(text)
    if usual is not None:
        return int(usual[1] + usual[2], 16)
    try:
        parsed = uuid.UUID(text)
    except ValueError:
        return None
    return parsed.int >> 80 if parsed.version == 7 else None


def daily_pseudonym(day: str, salt: bytes, user_id: str) -> str:
    """Return what stands for a user on a day: `daily-`, the day and 32 hex digits."""
    return f"daily-{day}-{_keyed(salt, 'user', user_id)}"


def pseudonym_day(pseudonym: str) -> str | None:
    """Return the day (`20261125`) of a daily pseudonym, an empty string for one that lasts; None for anything else."""
    found = _FORM.match(pseudonym)
    return (found[1] or "") if found else None


def _keyed(secret: bytes, *parts: str) -> str:
    # Each part but the last with its length: no type of group can be chosen so that it passes for another's.
    message = "".join((*(f"{len(part)}:{part}" for part in parts[:-1]), parts[-1].strip()))
    return hmac.new(secret, message.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_HEX_DIGITS]
