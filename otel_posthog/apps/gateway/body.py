"""The body of an HTTP request, received and inflated within bounds."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from io import BytesIO

import zstandard

from otel_posthog.apps.gateway.refusal import Refusal

# A frame may ask for a window of gigabytes; RFC 8878 has decoders support 8 MiB at least.
_MAX_WINDOW_BYTES = 8 * 1024 * 1024
_GZIP_WINDOW, _ZLIB_WINDOW = 31, 15
_CHUNK_BYTES = 1 << 16


class Budget:
    """How many bytes of bodies may be in memory at once.

    Args:
        max_bytes: The bound, over all requests.
    """

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes

    def take(self, size_bytes: int) -> None:
        """Take `size_bytes` out.

        Raises:
            Refusal: There are not so many left; later there are.
        """
        if size_bytes > self._left:
            raise Refusal(503, "too many requests are being received at once", retry_after_s=1)
        self._left -= size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Put `size_bytes` back."""
        self._left += size_bytes


async def receive(
    chunks: AsyncIterator[bytes], declared_bytes: int | None, *, max_bytes: int, timeout_s: float, budget: Budget
) -> bytes:
    """Return a request's body as it was sent.

    Args:
        chunks: Of the body.
        declared_bytes: What `Content-Length` says.
        max_bytes: The longest that is taken.
        timeout_s: How long it may take to arrive.
        budget: What it is taken out of while it arrives.

    Raises:
        Refusal: It is too long, too slow, or there are too many others.
    """
    if declared_bytes is not None and declared_bytes > max_bytes:
        raise _too_large("body", max_bytes)
    received = bytearray()
    try:
        await asyncio.wait_for(_collect(chunks, received, max_bytes, budget), timeout_s)
    except asyncio.TimeoutError:
        raise Refusal(408, f"the body did not arrive within {timeout_s:g} s") from None
    finally:
        budget.give_back(len(received))
    return bytes(received)


async def _collect(chunks: AsyncIterator[bytes], received: bytearray, max_bytes: int, budget: Budget) -> None:
    async for chunk in chunks:
        if len(received) + len(chunk) > max_bytes:
            raise _too_large("body", max_bytes)
        budget.take(len(chunk))
        received += chunk


def inflate(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Return `body` without its `Content-Encoding`; never makes more than `max_bytes` of it.

    Raises:
        Refusal: It becomes too long, is damaged, or the encoding is not known here.
    """
    if encoding in {"", "identity"}:
        if len(body) > max_bytes:
            raise _too_large("body", max_bytes)
        return body
    if encoding not in {"gzip", "deflate", "zstd"}:
        raise Refusal(415, "Content-Encoding must be gzip, zstd, deflate or identity")
    try:
        return _unzstd(body, max_bytes) if encoding == "zstd" else _unzip(body, encoding, max_bytes)
    except (zlib.error, zstandard.ZstdError, EOFError):
        raise Refusal(400, f"the body is not {encoding}, though Content-Encoding says so") from None


def _unzip(body: bytes, encoding: str, max_bytes: int) -> bytes:
    decoder = zlib.decompressobj(_GZIP_WINDOW if encoding == "gzip" else _ZLIB_WINDOW)
    inflated = decoder.decompress(body, max_bytes + 1)
    if len(inflated) > max_bytes:
        raise _too_large("inflated body", max_bytes)
    if not decoder.eof:
        raise EOFError
    return inflated


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    inflated = bytearray()
    with zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES).stream_reader(BytesIO(body)) as reader:
        while chunk := reader.read(_CHUNK_BYTES):
            inflated += chunk
            if len(inflated) > max_bytes:
                raise _too_large("inflated body", max_bytes)
    if not inflated and body:
        raise EOFError
    return bytes(inflated)


def _too_large(what: str, max_bytes: int) -> Refusal:
    return Refusal(413, f"the {what} is larger than {max_bytes} bytes; send smaller batches")
