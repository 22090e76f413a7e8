"""A file in, the JSON documents in it out, one after the other: a single one, one a line, or any other way apart.

Reads as it goes: of a file of any size it holds one document and a little more. Where there is no text or no JSON, it
says in one line why.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, final

STANDARD_INPUT = "-"
CHUNK_CHARS = 1 << 16
MAX_DOCUMENT_CHARS = 64 * 1024 * 1024
# What is not even begun by then is no output of a program whose telemetry is printed.
MAX_LEADING_LINES = 1000
# So near to the end of what has been read, a mistake may be nothing but the end; no keyword or escape is longer.
_NEAR_END_CHARS = 16
_COMPRESSED = {b"\x1f\x8b": "gunzip -c", b"\x28\xb5": "zstd -dc"}


class UnreadableFileError(Exception):
    """A file that is not what this command reads; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Located:
    """One document.

    Attributes:
        line: Where it begins, from 1.
        content: As `json.loads` returns it.
    """

    line: int
    content: object


@contextmanager
def open_text(path: str, command: str = "explain") -> Iterator[IO[str]]:
    """Open the file at `path`, or standard input for `-`, as text, for `command`.

    Raises:
        UnreadableFileError: It cannot be opened, or is no text; also where that shows while it is read.
    """
    try:
        # The user's own word for a file, `-` among them; closed below.
        raw = sys.stdin.buffer if path == STANDARD_INPUT else open(path, "rb")  # noqa: PTH123, SIM115
        text = _as_text(raw, path, command)
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


@final
class JsonDocuments:
    """The documents of one text stream.

    Args:
        stream: Where from.
        is_mixed: Tells of a document whether it is printed by a console exporter: the other lines of a program's output
            may then stand around it, and are left out. By default none may.

    Attributes:
        left_out: How many lines and documents that were.
    """

    def __init__(self, stream: IO[str], is_mixed: Callable[[object], bool] = lambda _: False) -> None:
        self._stream, self._decoder, self._is_mixed = stream, json.JSONDecoder(), is_mixed
        self._text, self._at, self._line, self._is_all_read = "", 0, 1, False
        self._refusal: UnreadableFileError | None = None
        self._has_mixed = False
        self.left_out = 0

    def __iter__(self) -> Iterator[Located]:
        """Yield the documents.

        Raises:
            UnreadableFileError: This is no JSON, or not of a kind that is read here.
        """
        while self._skip_space():
            if self._text[self._at] not in ("{" if self._has_mixed else "{["):
                self._skip_line()
                continue
            line = self._line
            content = self._next_document()
            is_mixed = self._is_mixed(content)
            if self._has_mixed and not is_mixed:
                self.left_out += 1  # a log line that is JSON
                continue
            self._has_mixed = is_mixed
            if self._refusal and not is_mixed:
                raise self._refusal
            yield Located(line, content)
        if self._refusal and not self._has_mixed:
            raise self._refusal

    def _skip_line(self) -> None:
        """Leave out a line that is no JSON, and remember that for where only JSON may stand."""
        if not self._has_mixed:
            self._refusal = self._refusal or UnreadableFileError(
                f"line {self._line}: this is not JSON; it should begin with {{ or ["
            )
            if self.left_out >= MAX_LEADING_LINES:
                raise self._refusal
        self.left_out += 1
        while (end := self._text.find("\n", self._at)) < 0 and not self._is_all_read:
            self._at = len(self._text)
            self._fill(CHUNK_CHARS)
        self._advance(len(self._text) if end < 0 else end)

    def _next_document(self) -> object:
        while True:
            found = self._decoded()
            if found is not None:
                content, end = found
                self._advance(end)
                return content

    def _decoded(self) -> tuple[object, int] | None:
        """Return the next document and where it ends, or None after more of it has been read."""
        try:
            return self._decoder.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            self._read_on(error)
            return None
        except RecursionError:
            raise UnreadableFileError(f"line {self._line}: this JSON is nested too deeply") from None
        except ValueError:  # a number of thousands of digits
            raise UnreadableFileError(f"line {self._line}: this JSON has a number that is too long") from None

    def _read_on(self, error: json.JSONDecodeError) -> None:
        """Read more of a document that has not ended yet.

        Raises:
            UnreadableFileError: It has, and `error` is one.
        """
        is_cut = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _NEAR_END_CHARS
        if self._is_all_read or not is_cut:
            at = self._line + self._text.count("\n", self._at, error.pos)
            column = error.pos - self._text.rfind("\n", 0, error.pos)
            raise UnreadableFileError(f"line {at}, column {column}: this is not JSON ({error.msg})")
        if len(self._text) - self._at >= MAX_DOCUMENT_CHARS:
            limit = MAX_DOCUMENT_CHARS // 2**20
            raise UnreadableFileError(
                f"line {self._line}: a document of more than {limit} MiB; write one document a line (JSON lines)"
            )
        self._fill(max(CHUNK_CHARS, len(self._text) - self._at))

    def _skip_space(self) -> bool:
        """Go to the next document; return False at the end."""
        while True:
            start, end = self._at, len(self._text)
            while start < end and self._text[start].isspace():
                start += 1
            self._advance(start)
            if start < end:
                return True
            if self._is_all_read:
                return False
            self._fill(CHUNK_CHARS)

    def _advance(self, to: int) -> None:
        self._line += self._text.count("\n", self._at, to)
        self._at = to

    def _fill(self, size: int) -> None:
        more = self._stream.read(size)
        self._is_all_read = not more
        self._text, self._at = self._text[self._at :] + more, 0


def _as_text(raw: IO[bytes], path: str, reader: str) -> IO[str]:
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore[type-var]
    command = _COMPRESSED.get(buffered.peek(2)[:2])
    if command:
        buffered.close()
        raise UnreadableFileError(f"it is compressed; write: {command} {path} | otel-posthog {reader} -")
    return io.TextIOWrapper(buffered, encoding="utf-8-sig")
