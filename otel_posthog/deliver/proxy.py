"""The proxy that the environment names for a URL, as curl, requests and Go read it."""

from __future__ import annotations

import re
import urllib.request
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

_BETWEEN = re.compile(r"[\s,]+")


def proxy_for(url: str) -> str:
    """Return the URL of the proxy for `url`; empty for none."""
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    place = parts.netloc.rpartition("@")[2]
    if urllib.request.proxy_bypass(place) or _is_direct(parts.hostname or "", proxies.get("no", "")):
        return ""
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def _is_direct(host: str, no_proxy: str) -> bool:
    """Return whether an entry that the standard library does not know takes `host` out: a network, or `*.domain`."""
    entries = [each.lower() for each in _BETWEEN.split(no_proxy) if each]
    try:
        address = ip_address(host)
    except ValueError:
        # A host with a name is not looked up for this: the proxy may be the only one that can.
        return any(host == each or host.endswith(f".{each.lstrip('*.')}") for each in entries if each.lstrip("*."))
    return any(address in network for network in map(_network, entries) if network is not None)


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return None
