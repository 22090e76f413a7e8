"""Decompression within bounds: a body is inflated whole or refused, and never to more than the limit."""

from __future__ import annotations

import zlib
from io import BytesIO

import zstandard

from otel_posthog.apps.gateway.memory import Reserve
from otel_posthog.apps.gateway.responses import Refusal, too_large

# A frame may ask for a window of gigabytes; RFC 8878 has decoders support 8 MiB at least.
_MAX_WINDOW_BYTES = 8 * 1024 * 1024
_GZIP_WINDOW, _ZLIB_WINDOW = 31, 15
_CHUNK_BYTES = 1 << 16
# RFC 8878, 3.1.1 and 3.1.2.
_ZSTD_MAGIC, _SKIPPABLE_MAGIC = 0xFD2FB528, 0x184D2A50
_MAX_FRAME_HEADER_BYTES, _CHECKSUM_BYTES, _RLE = 18, 4, 1

MAX_PARTS = 100
"""Members of a gzip body, frames of a zstd one: senders make one, or a few; a hundred thousand empty ones would
hold the worker for half a minute."""


def inflate(body: bytes, encoding: str, max_bytes: int, reserve: Reserve) -> bytes:
    """Return `body` without its `Content-Encoding`; never makes more than `max_bytes` of it.

    Args:
        body: As sent.
        encoding: Its name, in lower case; empty for none.
        max_bytes: The most that is inflated.
        reserve: Called for what is inflated.

    Raises:
        Refusal: It becomes too long, is damaged, has data behind its end, or the encoding is not known.
    """
    if encoding in {"", "identity"}:
        if len(body) > max_bytes:
            raise too_large("body", max_bytes)
        return body
    if encoding not in {"gzip", "deflate", "zstd"}:
        raise Refusal(415, "Content-Encoding must be gzip, zstd, deflate or identity")
    inflated = _Inflated(max_bytes, reserve)
    try:
        if encoding == "zstd":
            _unzstd(body, inflated)
        else:
            _unzip(body, encoding == "gzip", inflated)
    except (zlib.error, zstandard.ZstdError, EOFError):
        raise Refusal(400, f"the body is not {encoding}, though Content-Encoding says so") from None
    return bytes(inflated.content)


def _too_many_parts() -> Refusal:
    return Refusal(413, f"the body is compressed in more than {MAX_PARTS} parts; compress it once")


class _Inflated:
    """What has been made so far."""

    def __init__(self, max_bytes: int, reserve: Reserve) -> None:
        self.content, self._max_bytes, self._reserve = bytearray(), max_bytes, reserve

    def add(self, chunk: bytes) -> None:
        if len(self.content) + len(chunk) > self._max_bytes:
            raise too_large("inflated body", self._max_bytes)
        self._reserve(len(chunk))
        self.content += chunk


def _unzip(body: bytes, is_gzip: bool, inflated: _Inflated) -> None:
    """Inflate all members of a gzip body (RFC 1952, 2.2), or the one stream of the other."""
    rest = body
    for _ in range(MAX_PARTS):
        decoder = zlib.decompressobj(_GZIP_WINDOW if is_gzip else _ZLIB_WINDOW)
        while not decoder.eof:
            inflated.add(chunk := decoder.decompress(rest, _CHUNK_BYTES))
            rest = decoder.unconsumed_tail
            if not chunk and not rest and not decoder.eof:
                raise EOFError
        rest = decoder.unused_data
        if not rest:
            return
        if not is_gzip:
            raise EOFError
    raise _too_many_parts()


def _unzstd(body: bytes, inflated: _Inflated) -> None:
    if not _are_whole_frames(body):
        raise EOFError
    decoder = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
    with decoder.stream_reader(BytesIO(body), read_across_frames=True) as reader:
        while chunk := reader.read(_CHUNK_BYTES):
            inflated.add(chunk)


def _are_whole_frames(body: bytes) -> bool:
    """Return whether `body` is frames and nothing else: the decoder is silent where one ends too early."""
    at = 0
    for _ in range(MAX_PARTS):
        if at >= len(body):
            break
        magic = int.from_bytes(body[at : at + 4], "little")
        if magic & ~0xF == _SKIPPABLE_MAGIC:
            at += 8 + int.from_bytes(body[at + 4 : at + 8], "little")
        elif magic == _ZSTD_MAGIC:
            at = _end_of_frame(body, at)
        else:
            return False
    if at < len(body):
        raise _too_many_parts()
    return bool(body) and at == len(body)


def _end_of_frame(body: bytes, at: int) -> int:
    head = body[at : at + _MAX_FRAME_HEADER_BYTES]
    has_checksum = zstandard.get_frame_parameters(head).has_checksum
    at += zstandard.frame_header_size(head)
    is_last = False
    while not is_last and at < len(body):
        block = int.from_bytes(body[at : at + 3], "little")
        is_last = bool(block & 1)
        at += 3 + (1 if block >> 1 & 3 == _RLE else block >> 3)
    return at + _CHECKSUM_BYTES * has_checksum if is_last else len(body) + 1
