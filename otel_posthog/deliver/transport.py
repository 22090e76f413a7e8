"""One HTTP request, one answer: no retries, no redirects, no opinion on statuses.

posthog-python's own senders retry by themselves, drop what they give up on and cannot be given a deadline, so that none
of this package's promises could be kept with them; what goes over the wire is held to theirs by a test.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from otel_posthog.deliver.connection import ca_bundle, proxy_for, tls_problem, trusted
from otel_posthog.later import no_fork
from otel_posthog.posthog.responses import Response

if TYPE_CHECKING:
    import urllib3

# What PostHog answers is some kilobytes for a full batch; more is not PostHog.
MAX_ANSWER_BYTES = 1024 * 1024


class TransportError(Exception):
    """No answer came: refused, reset, timed out. It holds the kind of failure only."""


class TlsError(TransportError):
    """No answer will come until a setting of TLS is corrected; this holds in fixed words what is wrong."""


class Transport(Protocol):
    """What a sender needs of the network."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Response:
        """Send one request.

        Raises:
            TransportError: No answer came.
        """

    def reset_after_fork(self) -> None:
        """Leave the connections to the parent."""


# To look through the environment takes as long as to send a few events.
_ROUTE_S = 10.0

_Route = tuple[str, str]
"""A proxy and the certificates to accept; empty for none and for the system's."""


class HttpTransport:
    """HTTP over urllib3, with a kept-alive connection; proxies and certificates as the environment names them."""

    def __init__(self) -> None:
        self._pools: dict[_Route, urllib3.PoolManager] = {}
        self._routes: dict[str, tuple[_Route, float]] = {}

    def reset_after_fork(self) -> None:
        """Leave the connections to the parent."""
        self._pools = {}

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Response:
        """Send one request.

        Raises:
            TransportError: No answer came within `timeout_s`, connect and read each.
        """
        with no_fork:
            import urllib3  # noqa: PLC0415 - its import is for processes that send

        try:
            answer = self._pool(url).request(
                "POST",
                url,
                body=body,
                headers=dict(headers),
                timeout=urllib3.Timeout(connect=timeout_s, read=timeout_s),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            content = _content(answer)
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            # A ValueError is a key or host that cannot stand in a request; its message would show it.
            problem = tls_problem(error)
            if problem:
                raise TlsError(problem) from None
            raise TransportError(type(error).__name__) from None
        return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, content)

    def _pool(self, url: str) -> urllib3.PoolManager:
        """Return the pool for `url`: a direct one, or one through the proxy that the environment names."""
        route, until = self._routes.get(url, (("", ""), 0.0))
        if time.monotonic() >= until:
            route = proxy_for(url), ca_bundle()[0]
            self._routes[url] = route, time.monotonic() + _ROUTE_S
        pool = self._pools.get(route)
        if pool is None:
            pool = self._pools[route] = _new_pool(*route)
        return pool


def _content(answer: urllib3.BaseHTTPResponse) -> bytes:
    """Return the body; empty where its encoding is broken, since the status says what became of the events."""
    import urllib3  # noqa: PLC0415

    try:
        content = answer.read(MAX_ANSWER_BYTES, decode_content=True)
    except urllib3.exceptions.DecodeError:
        answer.close()
        return b""
    except BaseException:
        answer.close()
        raise
    if len(content) < MAX_ANSWER_BYTES:
        answer.drain_conn()
    else:
        answer.close()  # what is left may have no end
    answer.release_conn()
    return content


def _new_pool(proxy: str, certificates: str) -> urllib3.PoolManager:
    import urllib3  # noqa: PLC0415

    trust: dict[str, Any] = dict(trusted(certificates))
    if not proxy:
        return urllib3.PoolManager(maxsize=1, **trust)
    parts = urlsplit(proxy)
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    # urllib3 does not take the login out of the URL.
    headers = urllib3.make_headers(proxy_basic_auth=login) if parts.username else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, maxsize=1, **trust)
