"""Requests that no sender should make: one seed makes one request, so that a finding can be repeated."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import zstandard
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from benchmarks.gateway_load.traffic import bodies

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_PLAIN = bodies(1, 5)[0]
_DOCUMENT = MessageToDict(ExportLogsServiceRequest.FromString(_PLAIN))
_BOMB_BYTES = 40_000_000
_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**70,
    1e400,
    "",
    "NaN",
    "\ud800",
    "\u0000",
    [],
    {},
    [[]],
    {"a": {}},
    "x" * 5000,
)


@dataclass(frozen=True, slots=True)
class Malformed:
    """One request.

    Attributes:
        path: Where to.
        media_type: Of the body.
        encoding: Of the body; empty for none.
        body: What is sent.
        is_slow: Whether it stops in the middle.
    """

    path: str
    media_type: str
    encoding: str
    body: bytes
    is_slow: bool = False


def made(seed: int) -> Malformed:
    """Return the request that `seed` makes."""
    dice = Random(seed)
    path = dice.choice(("/v1/logs", "/v1/logs", "/v1/traces", "/v1/metrics", "/v1/nothing", "/"))
    media_type, body = dice.choice((_protobuf, _protobuf, _json, _json, _deep, _noise))(dice)
    encoding = dice.choice(("", "", "", "gzip", "deflate", "zstd", "br"))
    body = dice.choice((_packed, _packed, _cut, _lied))(body, encoding, dice)
    if dice.random() < 0.01:
        body, encoding = _bomb(dice)
    if dice.random() < 0.05:
        media_type = dice.choice(("", "text/plain", "application/json;charset=x", "application/x-protobuf ; a=b"))
    return Malformed(path, media_type, encoding, body, is_slow=dice.random() < 0.003)


def _protobuf(dice: Random) -> tuple[str, bytes]:
    body = bytearray(_PLAIN)
    for _ in range(dice.randint(1, 12)):
        at = dice.randrange(len(body))
        change = dice.randrange(4)
        if change == 0:
            body[at] = dice.randrange(256)
        elif change == 1:
            del body[at : at + dice.randint(1, 20)]
        elif change == 2:
            body[at:at] = dice.randbytes(dice.randint(1, 20))
        else:
            body[at:at] = body[at : at + dice.randint(1, 200)]
    return PROTOBUF, bytes(body)


def _json(dice: Random) -> tuple[str, bytes]:
    document = json.loads(json.dumps(_DOCUMENT))
    for _ in range(dice.randint(1, 4)):
        _spoil(document, dice)
    text = json.dumps(document)
    return JSON, (text[: dice.randrange(len(text))] if dice.random() < 0.2 else text).encode("utf-8", "surrogatepass")


def _spoil(content: object, dice: Random) -> None:
    """Put something of another type somewhere into `content`."""
    while True:
        keys: list[object] = list(content) if isinstance(content, dict) else []
        if isinstance(content, list):
            keys = list(range(len(content)))
        if not keys:
            return
        key = dice.choice(keys)
        inner = content[key]  # type: ignore[index]
        if not isinstance(inner, (dict, list)) or dice.random() < 0.15:
            content[key] = deepcopy(dice.choice(_ODD))  # type: ignore[index]
            return
        content = inner


def _deep(dice: Random) -> tuple[str, bytes]:
    levels = dice.choice((40, 150, 900, 20_000))
    if dice.random() < 0.5:
        return JSON, b"[" * levels + b"]" * levels
    value = '{"arrayValue":{"values":[' * levels + '{"intValue":1}' + "]}}" * levels
    return JSON, f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{value}}}]}}]}}]}}'.encode()


def _noise(dice: Random) -> tuple[str, bytes]:
    return dice.choice((PROTOBUF, JSON)), dice.randbytes(dice.choice((0, 1, 20, 3000, 60_000)))


_PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 1),
    "deflate": lambda body: zlib.compress(body, 1),
    "zstd": lambda body: zstandard.ZstdCompressor().compress(body),
}


def _packed(body: bytes, encoding: str, _: Random) -> bytes:
    return _PACK[encoding](body) if encoding in _PACK else body


def _cut(body: bytes, encoding: str, dice: Random) -> bytes:
    packed = _packed(body, encoding, dice)
    return packed[: dice.randint(0, len(packed))]


def _lied(body: bytes, _encoding: str, _dice: Random) -> bytes:
    return body


def _bomb(dice: Random) -> tuple[bytes, str]:
    encoding = dice.choice(tuple(_PACK))
    return _packed_bomb(encoding), encoding


@cache
def _packed_bomb(encoding: str) -> bytes:
    return _PACK[encoding](bytes(_BOMB_BYTES))
