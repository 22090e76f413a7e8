"""The id of this installation, and the mark that its notice was shown.

`INSTANCE_ID`, else an id generated once and kept in the installation's state directory; with `installation_rotation` a
random one for each period, which is gone when the period is over. What leaves this process is a hash of either, so that
the id in a support ticket is not the id in PostHog.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from otel_posthog import environment_variables as env
from otel_posthog.identity.period_secrets import Clock, PeriodSecrets, now_in_utc
from otel_posthog.policy import InstallationRotation
from otel_posthog.regex import regex
from otel_posthog.state import (
    create_empty,
    file_names,
    make_directory,
    read_or_create,
    read_text,
    remove_file,
    state_directory,
    write_text,
)

_ID_FILE = "installation-id"
_NOTICE_FILE = "notice-shown"
# Another text after each opt-out: running processes see by it that there is another id, and `INSTANCE_ID`, which stays
# what it is, gives another one with it.
_ERA_FILE = "installation-era"
_SECRETS = regex(r"(daily-salt|installation-(yearly|monthly|weekly))-[0-9W]+")


class Installation(NamedTuple):
    """This installation.

    Attributes:
        distinct_id: What its events are sent as: 32 hex digits behind `installation-`.
        is_kept: False when the id lives only as long as this process (no writable state directory).
        directory: Where its state is kept.
        era: Stands for the time since the last opt-out; empty where there was none.
    """

    distinct_id: str
    is_kept: bool
    directory: Path
    era: str = ""

    def claim_notice(self) -> bool:
        """Return True for the one process that is to show the notice; False when it was shown, or cannot be marked."""
        return create_empty(self.directory / _NOTICE_FILE)

    @property
    def is_over(self) -> bool:
        """Whether the user has opted out since: from then on there is another id."""
        return era_of(self.directory) != self.era


class RotatingIds:
    """The ids of an installation that has another one for each period.

    Args:
        directory: The installation's state directory.
        now: The time, in UTC.
    """

    def __init__(self, directory: Path, now: Clock = now_in_utc) -> None:
        self._secrets = {
            rotation: PeriodSecrets(directory, f"installation-{rotation.value}-", name_of, now)
            for rotation, name_of in _PERIODS.items()
        }

    def at(self, rotation: InstallationRotation, time_ns: int) -> str | None:
        """Return the id of an event of that time; None where its period is over, or not there yet.

        Args:
            rotation: Any but `NEVER`.
            time_ns: The event's time.
        """
        found = self._secrets[rotation].at(time_ns)
        return None if found is None else _hashed(found[1].hex())

    def expire(self) -> None:
        """Destroy the secrets of periods that are over, whatever the policy says now."""
        for each in self._secrets.values():
            each.expire()


def load_installation(environ: Mapping[str, str]) -> Installation:
    """Return this installation, its id generated and stored if this is the first start.

    Args:
        environ: The process's environment (`INSTANCE_ID`, `OTEL_POSTHOG_STATE_DIR`).
    """
    directory = state_directory(environ)
    given, era = environ.get(env.INSTANCE_ID, "").strip(), era_of(directory)
    if given:
        make_directory(directory)
        return Installation(_hashed(f"{given}:{era}" if era else given), is_kept=True, directory=directory, era=era)
    stored = read_or_create(directory / _ID_FILE, lambda: uuid.uuid4().hex)
    return Installation(_hashed(stored or uuid.uuid4().hex), is_kept=stored is not None, directory=directory, era=era)


def notice_shown(environ: Mapping[str, str]) -> bool:
    """Return whether a process of this installation has shown the notice, which it does where it first collects."""
    return _NOTICE_FILE in file_names(state_directory(environ))


def forget_installation(environ: Mapping[str, str]) -> None:
    """Forget the ids of this installation: who opts out and in again is not known as who they were.

    Args:
        environ: As of `load_installation`.
    """
    directory = state_directory(environ)
    write_text(directory / _ERA_FILE, secrets.token_hex(16))
    for name in file_names(directory):
        if name == _ID_FILE or _SECRETS.fullmatch(name):
            remove_file(directory / name)


def era_of(directory: Path) -> str:
    """Return what stands for the time since the last opt-out; empty where there was none."""
    return read_text(directory / _ERA_FILE) or ""


def _hashed(secret: str) -> str:
    return f"installation-{hashlib.sha256(f'otel-posthog installation:{secret}'.encode()).hexdigest()[:32]}"


def _week(moment: datetime) -> str:
    year, week, _ = moment.isocalendar()
    return f"{year}W{week:02}"


_PERIODS = {
    InstallationRotation.YEARLY: lambda moment: f"{moment:%Y}",
    InstallationRotation.MONTHLY: lambda moment: f"{moment:%Y%m}",
    InstallationRotation.WEEKLY: _week,
}
