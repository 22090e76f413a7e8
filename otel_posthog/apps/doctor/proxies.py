"""Which proxy an exporter of OTLP takes: over HTTP that of `requests`, over gRPC what gRPC's own core reads."""

from __future__ import annotations

import os

from otel_posthog.apps.doctor.otlp import GRPC, HTTP
from otel_posthog.deliver.connection import proxy_for

# In lowercase only, the first that is there.
_OF_GRPC, _PAST_GRPC = ("grpc_proxy", "https_proxy", "http_proxy"), ("no_grpc_proxy", "no_proxy")

VARIABLES = {
    HTTP: {"proxies": "HTTPS_PROXY, HTTP_PROXY and ALL_PROXY", "no_proxy": "NO_PROXY"},
    GRPC: {"proxies": "grpc_proxy, https_proxy and http_proxy", "no_proxy": "no_proxy"},
}
"""What is said of them, by protocol."""


def proxy_of(protocol: str, url: str, host: str) -> str:
    """Return the URL of the proxy; empty for none.

    Args:
        protocol: `grpc` or `http/protobuf`.
        url: Where an exporter over HTTP posts to.
        host: Of the end.
    """
    if protocol == HTTP:
        return proxy_for(url)
    past = (each.strip() for each in _first(_PAST_GRPC).split(","))
    return "" if any(each and host.endswith(each) for each in past) else _first(_OF_GRPC)


def _first(names: tuple[str, ...]) -> str:
    return next((os.environ[each] for each in names if os.environ.get(each)), "")
