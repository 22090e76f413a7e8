"""The directory where an installation keeps its state, and files there that other users of the machine cannot read.

One directory for each installation: programs in different virtual environments, or different services of a Python
outside any, share no id by accident. The directory may be shared; files in it count only where they are this user's
alone. Every function copes with a read-only or missing home and raises nothing.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.private_files import OpenDirectory, make_directories, open_directory
from otel_posthog.regex import regex

_MARK = regex(r"[0-9a-f]{8}")


def state_directory(environ: Mapping[str, str]) -> Path:
    """Return where this installation keeps its state; it need not exist.

    `OTEL_POSTHOG_STATE_DIR` as it is, else a directory below the user's state directory that is named after the virtual
    environment; outside of one after the interpreter and the service's name.
    """
    given = environ.get(env.OTEL_POSTHOG_STATE_DIR, "").strip()
    if given:
        return _expanded(given)
    from platformdirs import user_state_path  # noqa: PLC0415 - most deployments name the directory

    try:
        path = user_state_path("otel-posthog", appauthor=False)
    except RuntimeError:  # as newer releases say that there is no home
        path = Path("~")
    return path / installation_key(environ)


def spool_directory(environ: Mapping[str, str]) -> Path:
    """Return where events wait on disk: `OTEL_POSTHOG_SPOOL_DIR`, else a folder of the state directory."""
    given = environ.get(env.OTEL_POSTHOG_SPOOL_DIR, "").strip()
    return _expanded(given) if given else state_directory(environ) / "spool"


def spool_named_by(environ: Mapping[str, str]) -> str:
    """Return the variable that says where events wait; empty where none does, and it is the user's state directory."""
    variables = (env.OTEL_POSTHOG_SPOOL_DIR, env.OTEL_POSTHOG_STATE_DIR)
    return next((each for each in variables if environ.get(each, "").strip()), "")


def spool_mark(environ: Mapping[str, str]) -> str:
    """Return 8 hex digits that mark this installation's events in a shared spool; random where no mark can be kept."""
    made = secrets.token_hex(4)
    kept = read_or_create(state_directory(environ) / "spool-mark", lambda: made)
    return kept if kept is not None and _MARK.fullmatch(kept) else made


def installation_key(environ: Mapping[str, str]) -> str:
    """Return 16 hex digits that distinguish this program's installation from others of the same user."""
    parts = [sys.prefix]
    if sys.prefix == sys.base_prefix:
        # Without a virtual environment several apps share one prefix; only their names then differ.
        parts.append(_service_name(environ))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def make_directory(directory: Path) -> bool:
    """Make `directory`, for this user alone; return False where it cannot be."""
    try:
        make_directories(directory)
    except OSError:
        return False
    return True


def read_or_create(path: Path, make: Callable[[], str]) -> str | None:
    """Return the text in `path`, which is what `make` returns if nothing is there yet.

    Processes that do so at once agree: the file is linked into place, never overwritten.

    Returns:
        None where nothing can be kept, or what is there is not text of this user's.
    """
    try:
        make_directories(path.parent)
        with open_directory(path.parent, for_owner=True) as there:
            try:
                return _read(there, path.name)
            except FileNotFoundError:
                _create(there, path.name, make())
                return _read(there, path.name)
    except (OSError, UnicodeDecodeError):
        return None


def read_text(path: Path) -> str | None:
    """Return the text in `path`; None where this user has no such file."""
    try:
        with open_directory(path.parent, for_owner=True) as there:
            return _read(there, path.name)
    except (OSError, UnicodeDecodeError):
        return None


def write_text(path: Path, text: str) -> bool:
    """Put `text` into `path` whole or not at all; return False where it cannot be kept."""
    try:
        make_directories(path.parent)
        with open_directory(path.parent, for_owner=True) as there:
            draft = _draft(there, path.name, text)
            try:
                os.replace(
                    there.named(draft),
                    there.named(path.name),
                    src_dir_fd=there.descriptor,
                    dst_dir_fd=there.descriptor,
                )
            except OSError:
                _remove(there, draft)
                raise
    except OSError:
        return False
    return True


def create_empty(path: Path) -> bool:
    """Make an empty file; return False where something of that name is there, or nothing can be kept."""
    try:
        with open_directory(path.parent, for_owner=True) as there:
            os.close(there.create(path.name))
    except OSError:
        return False
    return True


def remove_file(path: Path) -> bool:
    """Remove a file of this user's; return False where something else is there, or it cannot be removed."""
    try:
        with open_directory(path.parent, for_owner=True) as there:
            there.trust.check(there.stat(path.name), path)
            _remove(there, path.name)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def file_names(directory: Path) -> list[str]:
    """Return what is in `directory`, sorted; nothing where it cannot be read."""
    try:
        return sorted(each.name for each in directory.iterdir())
    except OSError:
        return []


def _expanded(given: str) -> Path:
    """Return a path as a shell would have: an `.env` file or a container's setting has a `~` as it is."""
    try:
        return Path(given).expanduser()
    except RuntimeError:  # there is no home: it stays, and no directory can be made there
        return Path(given)


def _service_name(environ: Mapping[str, str]) -> str:
    """Return `service.name` as the SDK takes it from the environment, or an empty string."""
    name = environ.get("OTEL_SERVICE_NAME", "").strip()
    if name:
        return name
    pairs = (pair.partition("=") for pair in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","))
    return next((value.strip() for key, _, value in pairs if key.strip() == "service.name"), "")


def _read(there: OpenDirectory, name: str) -> str | None:
    # Another process that creates it gives it two names for a moment.
    with os.fdopen(there.open(name, os.O_RDONLY, may_have_names=True), encoding="ascii") as file:
        return file.read().strip() or None


def _create(there: OpenDirectory, name: str, text: str) -> None:
    """Write a file unless it exists; another process's file stays."""
    draft = _draft(there, name, text)
    try:
        os.link(there.named(draft), there.named(name), src_dir_fd=there.descriptor, dst_dir_fd=there.descriptor)
    except FileExistsError:
        pass
    except OSError:
        # A file system without links: a process that reads between opening and writing finds nothing.
        _write_new(there, name, text)
    finally:
        _remove(there, draft)


def _draft(there: OpenDirectory, name: str, text: str) -> str:
    # Random, since processes in containers that share a volume share their process ids as well.
    draft = f"{name}.{secrets.token_hex(8)}"
    _write_new(there, draft, text)
    return draft


def _write_new(there: OpenDirectory, name: str, text: str) -> None:
    with os.fdopen(there.create(name), "w", encoding="ascii") as file:
        file.write(text)


def _remove(there: OpenDirectory, name: str) -> None:
    os.unlink(there.named(name), dir_fd=there.descriptor)
