"""The directory where an installation keeps its state, and files there that other users of the machine cannot read.

One directory for each installation: programs in different virtual environments, or different services of a Python that
is none, share no id by accident. Every function copes with a read-only or missing home and raises nothing.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from otel_posthog import environment_variables as env


def state_directory(environ: Mapping[str, str]) -> Path:
    """Return where this installation keeps its state; it need not exist.

    `OTEL_POSTHOG_STATE_DIR` as it is, else a directory below the user's state directory that is named after the virtual
    environment; outside of one after the interpreter and the service's name.
    """
    given = environ.get(env.OTEL_POSTHOG_STATE_DIR, "").strip()
    if given:
        return Path(given)
    from platformdirs import user_state_path  # noqa: PLC0415 - most deployments name the directory

    try:
        path = user_state_path("otel-posthog", appauthor=False)
    except RuntimeError:  # as newer releases say that there is no home
        path = Path("~")
    return path / installation_key(environ)


def spool_directory(environ: Mapping[str, str]) -> Path:
    """Return where events wait on disk: `OTEL_POSTHOG_SPOOL_DIR`, else a folder of the state directory."""
    given = environ.get(env.OTEL_POSTHOG_SPOOL_DIR, "").strip()
    return Path(given) if given else state_directory(environ) / "spool"


def installation_key(environ: Mapping[str, str]) -> str:
    """Return 16 hex digits that tell this program's installation from others of the same user."""
    parts = [sys.prefix]
    if sys.prefix == sys.base_prefix:
        # Without a virtual environment several apps share one prefix; all that then tells them apart is their name.
        parts.append(_service_name(environ))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def make_directory(directory: Path) -> bool:
    """Make `directory`, for this user alone; return False where it cannot be."""
    # A user without a home (a container's numeric id) has "~" for one: that would be made where the program happens
    # to stand.
    if not directory.is_absolute() and directory.parts[:1] == ("~",):
        return False
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return True


def read_or_create(path: Path, make: Callable[[], str]) -> str | None:
    """Return the text in `path`, which is what `make` returns if nothing is there yet.

    Processes that do so at once agree: the file is linked into place, never overwritten.

    Returns:
        None where nothing can be kept, or what is there is not text.
    """
    if not make_directory(path.parent):
        return None
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError):
        return None
    try:
        _create(path, make())
        return _read(path)
    except (OSError, UnicodeDecodeError):
        return None


def overwrite(path: Path, text: str) -> bool:
    """Put `text` into `path` whole or not at all; return False where it cannot be kept."""
    if not make_directory(path.parent):
        return False
    try:
        draft = _draft(path, text)
        try:
            draft.replace(path)
        except OSError:
            draft.unlink()
            raise
    except OSError:
        return False
    return True


def _service_name(environ: Mapping[str, str]) -> str:
    """Return `service.name` as the SDK takes it from the environment, or an empty string."""
    name = environ.get("OTEL_SERVICE_NAME", "").strip()
    if name:
        return name
    pairs = (pair.partition("=") for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","))
    return next((value.strip() for key, _, value in pairs if key.strip() == "service.name"), "")


def _read(path: Path) -> str | None:
    return path.read_text(encoding="ascii").strip() or None


def _create(path: Path, text: str) -> None:
    """Write `path` unless it exists; another process's file stays."""
    draft = _draft(path, text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:
        # A file system without links: whoever comes between opening and writing finds nothing and keeps nothing.
        _write_new(path, text)
    finally:
        draft.unlink()


def _draft(path: Path, text: str) -> Path:
    # Random, since processes in containers that share a volume share their process ids as well.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    _write_new(draft, text)
    return draft


def _write_new(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
