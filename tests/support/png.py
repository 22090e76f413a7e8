"""A screenshot made small: 256 colors, those that it has most of and those that stand out."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

MAX_COLORS = 256
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUE_COLOR, _TRUE_COLOR_ALPHA, _PALETTE = 2, 6, 3

Color = tuple[int, int, int]


def smaller(png: bytes) -> bytes:
    """Return a PNG with eight bits a channel as one with a palette."""
    header, data = b"", b""
    for kind, content in _chunks(png):
        header = content if kind == b"IHDR" else header
        data += content if kind == b"IDAT" else b""
    width, height, depth, kind_of_color = struct.unpack(">IIBB", header[:10])
    assert depth == 8
    size = {_TRUE_COLOR: 3, _TRUE_COLOR_ALPHA: 4}[kind_of_color]
    rows = [_colors(row, size) for row in _rows(zlib.decompress(data), width * size, height, size)]
    counts = Counter(color for row in rows for color in row)
    palette = _palette(counts)
    places = {color: _nearest(color, palette) for color in counts}
    lines = b"".join(b"\0" + bytes(places[color] for color in row) for row in rows)
    made = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _PALETTE, 0, 0, 0)),
        (b"PLTE", b"".join(bytes(color) for color in palette)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    ]
    return _SIGNATURE + b"".join(_chunk(kind, content) for kind, content in made)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _rows(data: bytes, width: int, height: int, size: int) -> Iterator[bytearray]:
    """Yield the rows of a picture without the filters that each was packed with."""
    above = bytearray(width)
    for start in range(0, height * (width + 1), width + 1):
        row = bytearray(data[start + 1 : start + 1 + width])
        _unfilter(data[start], row, above, size)
        yield row
        above = row


def _unfilter(kind: int, row: bytearray, above: bytearray, size: int) -> None:
    for at in range(len(row)) if kind else ():
        left = row[at - size] if at >= size else 0
        corner = above[at - size] if at >= size else 0
        guess = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))[kind]
        row[at] = (row[at] + guess) & 255


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))


def _colors(row: bytearray, size: int) -> list[Color]:
    return [(row[at], row[at + 1], row[at + 2]) for at in range(0, len(row), size)]


def _palette(counts: Counter[Color]) -> list[Color]:
    """Return half of the colors by how often they are there, half by how far they are from all others as well."""
    palette = [color for color, _ in counts.most_common(MAX_COLORS // 2)]
    left = {color: min(_distance(color, each) for each in palette) for color in counts.keys() - set(palette)}
    while left and len(palette) < MAX_COLORS:
        farthest = max(left, key=lambda color: (left[color] * counts[color], color))
        del left[farthest]
        palette.append(farthest)
        left = {color: min(far, _distance(color, farthest)) for color, far in left.items()}
    return palette


def _nearest(color: Color, palette: list[Color]) -> int:
    far = [_distance(color, each) for each in palette]
    return far.index(min(far))


def _distance(one: Color, other: Color) -> int:
    return sum((mine - its) ** 2 for mine, its in zip(one, other, strict=True))
