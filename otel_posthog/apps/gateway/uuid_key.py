"""The key by which the uuids of log records without one are made: whoever has the same one makes the same uuids."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.errors import ConfigurationError
from otel_posthog.state import read_or_create, state_directory

MIN_KEY_CHARS = 32
_FILE = "uuid-key"


def read_uuid_key(environ: Mapping[str, str], file: str | None) -> bytes:
    """Return the key of `file` or of the environment, else the installation's, made at its first start.

    Where the state directory keeps nothing, it is one of this process: what comes again after its end is another event.

    Raises:
        ConfigurationError: It cannot be a key.
    """
    given = environ.get(env.UUID_KEY, "").strip()
    if file is not None:
        try:
            given = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ConfigurationError(f"--uuid-key-file {file} cannot be read: {why}") from None
    if given or file is not None:
        # The Collector puts it between quotes.
        if len(given) < MIN_KEY_CHARS or not given.replace("-", "").replace("_", "").isalnum() or not given.isascii():
            raise ConfigurationError(
                f"the key of uuids must be {MIN_KEY_CHARS} or more letters, digits, - and _; make one with "
                "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        return given.encode()
    kept = read_or_create(state_directory(environ) / _FILE, _made)
    return (kept or _made()).encode()


def _made() -> str:
    return secrets.token_urlsafe(32)
