"""Who may see the page: whoever shows the one-time token first, and from then on the browser that did.

The port of a loopback address is open to every user of the machine and to every page in every browser on it. So each
request must name this machine in `Host` (a page elsewhere may have its name resolve to 127.0.0.1), come from no other
page (`Origin`, `Sec-Fetch-Site`), stand below a path that nobody can guess, and show a cookie that only the one-time
token buys. Cookies of 127.0.0.1 go to all its ports: that path keeps this one from other people's.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "otel_posthog_inspect"
_OURS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HEADERS = (
    (b"content-security-policy", b"default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_NO_COOKIE = (
    "This page is for the browser that opened the address which `otel-posthog inspect` has printed. That address works "
    "once: start the command anew for another browser.\n"
)


class Keys:
    """The secrets of one run.

    Attributes:
        base: The path below which all is served, `/…`.
    """

    def __init__(self) -> None:
        self.base = f"/{secrets.token_hex(16)}"
        self._token: str | None = secrets.token_urlsafe(32)
        self._cookie = secrets.token_urlsafe(32)

    def address(self, port: int) -> str:
        """Return the address to open, which works once."""
        return f"http://127.0.0.1:{port}/?token={self._token}"

    def exchanged(self, token: str) -> str | None:
        """Return the `Set-Cookie` for the token, which is then of no more use; None where it is not the token."""
        if self._token is None or not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        self._token = None
        return f"{COOKIE}={self._cookie}; Path={self.base}; HttpOnly; SameSite=Strict"

    def knows(self, cookies: str) -> bool:
        """Return whether a header `Cookie` holds the cookie."""
        pairs = (each.strip().partition("=") for each in cookies.split(";"))
        given = [value for name, _, value in pairs if name == COOKIE]
        return any(hmac.compare_digest(each.encode(), self._cookie.encode()) for each in given)


class Doorkeeper:
    """ASGI middleware that lets through who may see the page, and gives every answer its headers.

    Args:
        app: What is behind it.
        keys: The secrets of this run.
    """

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app, self._keys = app, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await _answer(send_with_headers, *refusal)
        else:
            await self._app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return the status and the words of a refusal; None where there is none."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "").lower()
        if not is_this_server(host, scope):
            return 421, "the header Host must name this server: 127.0.0.1 and its port\n"
        if not _is_own_page(headers, host, scope):
            return 403, "another page asks for this\n"
        if scope["path"] == "/":
            return None
        if not scope["path"].startswith(f"{self._keys.base}/") or not self._keys.knows(headers.get("cookie", "")):
            return 403, _NO_COOKIE
        return None


def is_this_server(host: str, scope: Scope) -> bool:
    """Return whether a header `Host` names this server, and its port."""
    name, _, port = host.rpartition(":")
    return name in _OURS and scope["server"] is not None and port == str(scope["server"][1])


def _is_own_page(headers: Mapping[str, str], host: str, scope: Scope) -> bool:
    """Return whether a request comes from our own page, or from nobody's."""
    origin = headers.get("origin")
    if origin is not None:
        return origin == f"http://{host}"
    if scope["method"] not in {"GET", "HEAD"}:
        return False
    site = headers.get("sec-fetch-site")
    if scope["path"] == "/" and headers.get("sec-fetch-dest", "document") != "document":
        return False
    # The address itself may be opened from a chat or a terminal in another tab.
    return site in {None, "none", "same-origin"} or (
        scope["path"] == "/" and headers.get("sec-fetch-mode") == "navigate"
    )


async def _answer(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
