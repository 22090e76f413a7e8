"""A browser as small as can be: one visitor's requests, cookies and address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app answered.

    Attributes:
        status: The HTTP status.
        location: Where a redirect leads to, else empty.
    """

    status: int
    location: str


class Browser:
    """Sends requests to one app, from one address, and keeps its cookies; redirects are not followed."""

    def __init__(self, app_url: str, address: str) -> None:
        url = urlsplit(app_url)
        self._connection = HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT_S)
        self._address = address
        self._cookies: SimpleCookie = SimpleCookie()

    def get(self, path: str, query: Mapping[str, str] | None = None, token: str = "") -> Answer:
        """Send a GET request."""
        return self._send("GET", f"{path}?{urlencode(query)}" if query else path, None, token)

    def post(self, path: str, form: Mapping[str, str], token: str = "") -> Answer:
        """Send a form."""
        return self._send("POST", path, urlencode(form), token)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _send(self, method: str, target: str, body: str | None, token: str) -> Answer:
        self._connection.request(method, target, body, self._headers(token))
        with self._connection.getresponse() as response:
            response.read()
            for cookie in response.headers.get_all("Set-Cookie", ()):
                self._cookies.load(cookie)
            return Answer(response.status, response.headers.get("Location", ""))

    def _headers(self, token: str) -> dict[str, str]:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "otel-posthog-demo",
            "X-Forwarded-For": self._address,
        }
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={cookie.value}" for name, cookie in self._cookies.items())
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return headers
