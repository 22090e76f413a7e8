"""Whether a request was meant for this machine: a page of elsewhere may have its own name resolve to 127.0.0.1.

That is DNS rebinding. The browser then takes the gateway for that page's server, and sends what the page wants; what it
cannot change is the header `Host`, which bears that name.
"""

from __future__ import annotations

from otel_posthog.apps.gateway.tokens import is_loopback


def is_this_machine(host: str) -> bool:
    """Return whether a header `Host` names this machine, or nobody: clients of HTTP/1.0 need not send one."""
    name = host.strip().lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    return not name or name.endswith(".localhost") or is_loopback(name)
