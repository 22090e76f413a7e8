"""One request over HTTP to whatever answers, ill or not: it ends when its time is over, and holds little of the answer.

An HTTP library has a time-out for each read and none for all of them: who sends a byte a second is never late.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import urllib3

from otel_posthog.apps.doctor.connection import within

# What an end answers is some bytes.
MAX_ANSWER_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024


class NoAnswerError(Exception):
    """None came within its time, or none that ends."""


class WrongAnswerError(Exception):
    """The connection broke, or what came is not HTTP.

    Args:
        is_password_wanted: Whether a proxy on the way wants one.
    """

    def __init__(self, *, is_password_wanted: bool = False) -> None:
        super().__init__()
        self.is_password_wanted = is_password_wanted


def post(
    url: str, headers: Mapping[str, str], context: ssl.SSLContext | None, proxy: str, timeout_s: float
) -> tuple[int, dict[str, str]]:
    """Send a request without a body, and return status and headers of the answer, by lowercase name.

    Args:
        url: Where to.
        headers: What is sent along.
        context: For TLS; None without it.
        proxy: The URL of the proxy; empty for none.
        timeout_s: Until when the whole answer has to be there.

    Raises:
        NoAnswerError: It was not there then, or was longer than `MAX_ANSWER_BYTES`.
        WrongAnswerError: There will be none.
    """
    manager = (
        urllib3.ProxyManager(proxy, ssl_context=context) if proxy else urllib3.PoolManager(ssl_context=context)
    )  # fmt: skip
    sockets = list[socket.socket]()
    try:
        _note_sockets(manager.connection_from_url(url), sockets)
        came = within(timeout_s, lambda: _answer(manager, url, headers, timeout_s))
    except (urllib3.exceptions.ReadTimeoutError, urllib3.exceptions.ConnectTimeoutError):
        raise NoAnswerError from None
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise WrongAnswerError(is_password_wanted="407" in str(error) and "Tunnel" in str(error)) from None
    finally:
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # whoever still reads there ends
        manager.clear()
    if came is None:
        raise NoAnswerError
    return came


def _answer(
    manager: urllib3.PoolManager, url: str, headers: Mapping[str, str], timeout_s: float
) -> tuple[int, dict[str, str]] | None:
    until, length = time.monotonic() + timeout_s, 0
    answer = manager.request(
        "POST", url, body=b"", headers=headers, timeout=timeout_s, retries=False, redirect=False, preload_content=False
    )
    for part in answer.stream(_CHUNK_BYTES, decode_content=False):
        length += len(part)
        if length > MAX_ANSWER_BYTES or time.monotonic() > until:
            return None
    return answer.status, {name.lower(): value for name, value in answer.headers.items()}


def _note_sockets(pool: Any, sockets: list[socket.socket]) -> None:
    """Have `pool` note the sockets of its connections: what reads from one is only stopped by closing that."""
    made = pool.ConnectionCls

    def noted(*args: Any, **named: Any) -> Any:
        connection = made(*args, **named)
        connect = connection.connect

        def connected() -> None:
            connect()
            # It leaves the connection together with an answer that closes that.
            sockets.append(connection.sock)

        connection.connect = connected
        return connection

    pool.ConnectionCls = noted
