"""The backend of a gateway for operational telemetry: one filtered request out over OTLP/HTTP, its answer in.

Nothing is kept and nothing is tried again here: the sender has the telemetry until it is answered, and retries. What
is sent goes out on threads, each with a connection of its own that is kept alive.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from otel_posthog import environment_variables as env
from otel_posthog.apps.gateway.responses import JSON, PROTOBUF, Refusal, response_type
from otel_posthog.apps.gateway.scheduler import RETRY_AFTER_S
from otel_posthog.apps.gateway.settings import Options, read_option_file
from otel_posthog.deliver.transport import HttpTransport, TlsError, TransportError
from otel_posthog.errors import ConfigurationError
from otel_posthog.intake.otlp.protobuf import LOGS, METRICS, TRACES, Kind
from otel_posthog.policy.link_checks import is_url
from otel_posthog.posthog.responses import Response
from otel_posthog.sdk import suppressed_instrumentation

_log = logging.getLogger("otel_posthog.gateway.backend")

# As many requests wait for the backend at once; one waits for it no longer than `--work-timeout`.
_MOST_AT_ONCE = 64
_PATHS: Mapping[Kind, str] = {TRACES: "/v1/traces", LOGS: "/v1/logs", METRICS: "/v1/metrics"}
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset({"content-type", "content-encoding", "content-length", "host", "transfer-encoding", "connection"})
_MAX_MESSAGE_CHARS = 500
_OK, _REDIRECT, _ERROR = 200, 300, 400
_GZIP_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where telemetry goes.

    Attributes:
        urls: By signal; one without a URL is refused.
        headers: Sent along.
        is_compressed: Whether bodies are sent as gzip.
    """

    urls: Mapping[Kind, str]
    headers: Mapping[str, str]
    is_compressed: bool


def read_endpoints(environ: Mapping[str, str], options: Options) -> Endpoints:
    """Return where telemetry goes.

    Raises:
        ConfigurationError: Nowhere, or a URL or header is none.
    """
    base = options.backend
    own = {TRACES: options.backend_traces, LOGS: options.backend_logs, METRICS: options.backend_metrics}
    urls = {kind: url or (base and base.rstrip("/") + _PATHS[kind]) for kind, url in own.items()}
    given = {kind: url for kind, url in urls.items() if url}
    if not given:
        raise ConfigurationError("--operational needs --backend URL, such as http://127.0.0.1:4320")
    if not all(is_url(url) for url in given.values()):
        raise ConfigurationError("a backend must be a URL, such as http://127.0.0.1:4320")
    return Endpoints(given, _read_headers(environ, options.backend_headers_file), options.backend_compression == "gzip")


def _read_headers(environ: Mapping[str, str], file: str | None) -> dict[str, str]:
    pairs = [each.partition("=") for each in environ.get(env.GATEWAY_BACKEND_HEADERS, "").split(",") if each.strip()]
    found = [(name.strip(), unquote(value.strip())) for name, _, value in pairs]
    if file is not None:
        lines = read_option_file("--backend-headers-file", file).splitlines()
        of_file = [line.partition(":") for line in lines if line.strip() and not line.startswith("#")]
        found += [(name.strip(), value.strip()) for name, _, value in of_file]
    for name, value in found:
        # Neither is shown: a line without a colon may be the token itself.
        if not _NAME.fullmatch(name) or not value or not value.isascii() or not value.isprintable():
            raise ConfigurationError(
                f"a header for the backend is a name and a value: `Name: value` on a line of --backend-headers-file, "
                f"Name=value in {env.GATEWAY_BACKEND_HEADERS}"
            )
        if name.lower() in _OURS:
            raise ConfigurationError(f"the header {name} is the gateway's own to set")
    return dict(found)


class Backend:
    """Sends filtered requests.

    Args:
        endpoints: Where to.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._headers = {**endpoints.headers, "Content-Type": PROTOBUF, "Accept": PROTOBUF}
        if endpoints.is_compressed:
            self._headers["Content-Encoding"] = "gzip"
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="otel-posthog-backend")
        self._of_thread = threading.local()

    def check(self, kind: Kind) -> None:
        """See to it that there is a backend for `kind`.

        Raises:
            Refusal: There is none.
        """
        if kind not in self._endpoints.urls:
            raise Refusal(404, f"this gateway has no backend for {_PATHS[kind].rpartition('/')[2]}")

    async def send(self, kind: Kind, content: bytes, deadline: float) -> Any:
        """Send a request, and return the response message that acknowledges it.

        Args:
            kind: Of the request.
            content: The request.
            deadline: Of `time.monotonic`.

        Raises:
            Refusal: The backend has not taken it; what it says of that, or 503 where it says nothing.
        """
        loop = asyncio.get_running_loop()
        sending = loop.run_in_executor(self._threads, self._post, self._endpoints.urls[kind], content, deadline)
        try:
            response = await asyncio.wait_for(sending, max(0.0, deadline - time.monotonic()))
        except (asyncio.TimeoutError, TransportError) as error:
            problem = str(error) if isinstance(error, TlsError) else "it does not answer"
            _log.warning("the backend has not taken a request: %s", problem)
            raise Refusal(503, f"the backend: {problem}", retry_after_s=RETRY_AFTER_S) from None
        if _OK <= response.status < _REDIRECT:
            return _acknowledgement(kind, response)
        _log.warning("the backend has not taken a request: HTTP %d", response.status)
        # A redirect is a mistake of whoever set the URL.
        status = response.status if response.status >= _ERROR else 502
        raise Refusal(
            status, f"the backend answers {response.status}{_said(response)}", retry_after_s=_wait_s(response)
        )

    def close(self) -> None:
        """End the threads; what is being sent is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _post(self, url: str, content: bytes, deadline: float) -> Response:
        body = gzip.compress(content, _GZIP_LEVEL) if self._endpoints.is_compressed else content
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise TransportError("deadline")
        transport: HttpTransport | None = getattr(self._of_thread, "transport", None)
        if transport is None:
            transport = self._of_thread.transport = HttpTransport()
        with suppressed_instrumentation():
            return transport.post(url, self._headers, body, left_s)


def _acknowledgement(kind: Kind, response: Response) -> Any:
    """Return the message that a backend answers; an empty one where it answers nothing that can be read."""
    make = response_type(kind)
    media_type = _media_type(response)
    try:
        if media_type == JSON:
            return Parse(response.body, make(), ignore_unknown_fields=True)
        return make.FromString(response.body) if media_type == PROTOBUF else make()
    except (DecodeError, ParseError, UnicodeDecodeError):
        return make()


def _said(response: Response) -> str:
    """Return what a backend says of a failure, in one short line."""
    media_type, text = _media_type(response), ""
    try:
        if media_type == PROTOBUF:
            text = Status.FromString(response.body).message
        elif media_type == JSON:
            document = json.loads(response.body)
            text = str(document.get("message", "")) if isinstance(document, dict) else ""
        elif media_type == "text/plain":
            text = response.body.decode("utf-8", "replace")
    except (DecodeError, ValueError, RecursionError):
        pass
    text = " ".join(text.split())[:_MAX_MESSAGE_CHARS]
    return f": {text}" if text else ""


def _media_type(response: Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def _wait_s(response: Response) -> int | None:
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:6])
    try:
        left = parsedate_to_datetime(text) - datetime.now(timezone.utc)
    except (TypeError, ValueError):
        return None
    return max(0, round(left.total_seconds()))
