"""The id of this installation, and the mark that its notice was shown.

`INSTANCE_ID`, else an id generated once and kept in the user's state directory. What leaves this process is a hash of
either, so that the id in a support ticket is not the id in PostHog. Two processes that start at once agree: the file
is linked into place, never overwritten.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from otel_posthog import environment_variables as env

_ID_FILE = "installation-id"
_NOTICE_FILE = "notice-shown"


@dataclass(frozen=True, slots=True)
class Installation:
    """This installation.

    Attributes:
        distinct_id: What its events are sent as: 32 hex digits behind `installation-`.
        is_kept: False when the id lives only as long as this process (no writable state directory).
        directory: Where its state is kept.
    """

    distinct_id: str
    is_kept: bool
    directory: Path

    def claim_notice(self) -> bool:
        """Return True for the one process that is to show the notice; False when it was shown, or cannot be marked."""
        try:
            with (self.directory / _NOTICE_FILE).open("x"):
                return True
        except OSError:
            return False


def load(environ: Mapping[str, str]) -> Installation:
    """Return this installation, its id generated and stored if this is the first start.

    Args:
        environ: The process's environment (`INSTANCE_ID`, `OTEL_POSTHOG_STATE_DIR`).
    """
    directory = _directory(environ)
    given = environ.get(env.INSTANCE_ID, "").strip()
    if given:
        _make(directory)
        return Installation(_hashed(given), is_kept=True, directory=directory)
    stored = _stored_id(directory)
    return Installation(_hashed(stored or uuid.uuid4().hex), is_kept=stored is not None, directory=directory)


def _directory(environ: Mapping[str, str]) -> Path:
    given = environ.get(env.OTEL_POSTHOG_STATE_DIR, "").strip()
    if given:
        return Path(given)
    from platformdirs import user_state_path  # noqa: PLC0415 - most deployments name the directory

    return user_state_path("otel-posthog", appauthor=False)


def _make(directory: Path) -> bool:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return True


def _stored_id(directory: Path) -> str | None:
    """Return the stored id, storing a new one if there is none; None where nothing can be stored."""
    path = directory / _ID_FILE
    if not _make(directory):
        return None
    try:
        return path.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError):
        return None
    draft = directory / f"{_ID_FILE}.{os.getpid()}"
    try:
        draft.write_text(uuid.uuid4().hex, encoding="ascii")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its id is the installation's
        finally:
            draft.unlink()
        return path.read_text(encoding="ascii").strip() or None
    except OSError:
        return None


def _hashed(secret: str) -> str:
    return f"installation-{hashlib.sha256(f'otel-posthog installation:{secret}'.encode()).hexdigest()[:32]}"
