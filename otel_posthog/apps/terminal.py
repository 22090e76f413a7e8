r"""Output that is safe on a terminal: all that a command prints goes through here, and the terminal obeys none of it.

Names of events, keys, paths and policies come from outside, and so do messages of libraries. Each control character,
format character and lone surrogate is written as an escape, `\u001b`, which JSON reads as what it was. Line ends and
tabs are layout: a text from outside that could have some is made `visible` where it is printed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any

from otel_posthog.text import UNSEEN

_LAYOUT = frozenset("\n\t")
# What rich and our own progress line draw with: colors, and a line that is drawn again. Nothing that moves elsewhere,
# sets a title, a link, a clipboard or a key.
_STYLE = re.compile(r"\x1b\[[0-9;]*[mKAGJ]|\x1b\[\?25[hl]|\r")


class OutputError(BaseException):
    """Standard output takes nothing more; ends the command from wherever it prints.

    No `Exception`: a command that reads and writes files would take it for trouble with one of them.

    Attributes:
        error: What the system said.
        has_no_reader: Whether whoever read has gone, as in `| head`.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error
        self.has_no_reader = isinstance(error, BrokenPipeError)


class SafeStream:
    """A standard stream that escapes what a terminal would obey.

    Args:
        stream: The stream.
        is_styled: Whether colors and lines that are drawn again pass. For views that make what comes from outside
            `visible` themselves.
        is_result: Whether it carries what was asked for. What goes beside that is lost where nobody takes it.
    """

    def __init__(self, stream: IO[str], *, is_styled: bool = False, is_result: bool = True) -> None:
        self._stream, self._is_styled, self._is_result = stream, is_styled, is_result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text` and return its length.

        Raises:
            OutputError: The result cannot be written.
        """
        with self._written():
            self._stream.write(self._safe(text))
        return len(text)

    def flush(self) -> None:
        """Write what is held back.

        Raises:
            OutputError: As `write`.
        """
        with self._written():
            self._stream.flush()

    def writelines(self, lines: list[str]) -> None:
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    @property
    def styled(self) -> SafeStream:
        """The same stream for a view with colors."""
        return SafeStream(self._stream, is_styled=True, is_result=self._is_result)

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # What it holds back still would be tried once more when the interpreter ends, which says so then.
            _discard(self._stream)
            if self._is_result:
                raise OutputError(error) from None

    def _safe(self, text: str) -> str:
        if not (text.isascii() and text.isprintable()):
            if self._is_styled:
                parts, end = list[str](), 0
                for style in _STYLE.finditer(text):
                    parts += (escaped(text[end : style.start()]), style.group())
                    end = style.end()
                text = "".join((*parts, escaped(text[end:])))
            else:
                text = escaped(text)
            encoding = getattr(self._stream, "encoding", None) or "utf-8"
            # Not every terminal and log has these characters.
            text = text.encode(encoding, "backslashreplace").decode(encoding)
        return text


_color = "auto"


def choose_color(choice: str) -> None:
    """Have `is_colored` answer as `--color` says: `auto`, `always`, `never`."""
    global _color
    _color = choice


def is_colored(stream: IO[str]) -> bool:
    """Return whether what is printed on `stream` has colors."""
    if _color != "auto":
        return _color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def styled(stream: IO[str]) -> Any:
    """Return `stream`, a standard stream, for a view with colors."""
    return stream.styled if isinstance(stream, SafeStream) else stream


def escaped(text: str) -> str:
    """Return `text` with an escape for what a terminal would obey; line ends and tabs stay."""
    return UNSEEN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character in _LAYOUT:
        return character
    code = ord(character)
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


@contextmanager
def safe_output() -> Iterator[None]:
    """Make standard output and standard error safe streams for as long as the block lasts.

    A standard stream that the process was started without is empty, and takes everything, as `/dev/null`.
    """
    before = sys.stdin, sys.stdout, sys.stderr
    with ExitStack() as made:
        # In this order: each takes the lowest number that is free, which is its own.
        sys.stdin, out, err = (
            stream or made.enter_context(_nothing(mode)) for stream, mode in zip(before, "rww", strict=True)
        )
        sys.stdout, sys.stderr = SafeStream(out), SafeStream(err, is_result=False)
        try:
            yield
        finally:
            sys.stdin, sys.stdout, sys.stderr = before


def _nothing(mode: str) -> IO[str]:
    stream: IO[str] = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115 - closed by its caller
    os.set_inheritable(stream.fileno(), True)
    return stream


def _discard(stream: IO[str]) -> None:
    """Have `stream` take everything from now on, and keep nothing."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # no file
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
    stream.flush()
