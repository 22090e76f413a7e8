"""A path in, its text out, or in one line why there is none."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from otel_posthog.apps.explain.json_documents import UnreadableFileError

STANDARD_INPUT = "-"
_COMPRESSED = {b"\x1f\x8b": "gunzip -c", b"\x28\xb5": "zstd -dc"}


@contextmanager
def open_text(path: str) -> Iterator[IO[str]]:
    """Open the file at `path`, or standard input for `-`, as text.

    Raises:
        UnreadableFileError: It cannot be opened, or is no text; also where that shows while it is read.
    """
    try:
        # The user's own word for a file, `-` among them; closed below.
        raw = sys.stdin.buffer if path == STANDARD_INPUT else open(path, "rb")  # noqa: PTH123, SIM115
        text = _as_text(raw, path)
    except OSError as error:
        raise UnreadableFileError(f"it cannot be read ({error.strerror or type(error).__name__})") from None
    try:
        yield text
    except UnicodeDecodeError:
        raise UnreadableFileError(
            "this is not UTF-8 text; protobuf is not read here: let the Collector's file exporter write `format: json`"
        ) from None
    finally:
        if path != STANDARD_INPUT:
            text.close()


def _as_text(raw: IO[bytes], path: str) -> IO[str]:
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore[type-var]
    command = _COMPRESSED.get(buffered.peek(2)[:2])
    if command:
        buffered.close()
        raise UnreadableFileError(f"it is compressed; write: {command} {path} | otel-posthog explain -")
    return io.TextIOWrapper(buffered, encoding="utf-8-sig")
