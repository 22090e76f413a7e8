"""How a connection is made: through which proxy, and with whose certificates, as the environment names them.

The proxy is read as curl, requests and Go read it. Certificates are those of `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE`,
else the system's; `tls_problem` says in fixed words why there is no TLS connection.
"""

from __future__ import annotations

import os
import ssl
import urllib.request
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from otel_posthog.environment_variables import CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE
from otel_posthog.regex import regex

_BETWEEN = regex(r"[\s,]+")
_OTHER_HOST = frozenset({62, 63, 64})  # X509_V_ERR_HOSTNAME_MISMATCH and its like; their text has the name in it
_PASSING = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def proxy_for(url: str) -> str:
    """Return the URL of the proxy for `url`; empty for none."""
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    host = parts.netloc.rpartition("@")[2]
    if urllib.request.proxy_bypass(host) or _is_direct(parts.hostname or "", proxies.get("no", "")):
        return ""
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def ca_bundle() -> tuple[str, str]:
    """Return the file or folder of certificates that the environment names, and by which variable; empty for none.

    In that case OpenSSL takes the system's, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    """
    for name in (REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE):
        path = os.environ.get(name, "").strip()
        if path:
            return path, name
    return "", ""


def trusted(path: str) -> dict[str, str]:
    """Return whose certificates are accepted, as arguments of urllib3.

    Args:
        path: As `ca_bundle` has it.
    """
    if path:
        return {"ca_cert_dir" if os.path.isdir(path) else "ca_certs": path}  # noqa: PTH112 - no path of ours
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        return {}
    try:
        # Python from python.org on macOS, and images without certificates: requests, which posthog brings, has some.
        from certifi import where  # noqa: PLC0415
    except ImportError:
        return {}
    return {"ca_certs": where()}


def tls_problem(error: BaseException) -> str:
    """Return in fixed words what is wrong with TLS, where a setting has to be corrected; empty for what may pass.

    Args:
        error: What urllib3 raised.
    """
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        if cause.verify_code in _OTHER_HOST:
            return "the certificate is for another host"
        return f"certificate not accepted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        reason = (cause.reason or "handshake failed").replace("_", " ").lower()
        return "" if isinstance(cause, _PASSING) else reason
    if isinstance(cause, OSError):
        return f"the certificates of {ca_bundle()[1] or 'this system'} cannot be read"
    return ""


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


def _cause(error: BaseException) -> BaseException | None:
    """Return what lies below urllib3's own errors of TLS, of a proxy's too; None where TLS is not the matter."""
    import urllib3  # noqa: PLC0415

    if isinstance(error, urllib3.exceptions.ProxyError):
        return _cause(error.original_error)
    if not isinstance(error, urllib3.exceptions.SSLError):
        return error if isinstance(error, ssl.SSLError) else None
    return next((each for each in error.args if isinstance(each, BaseException)), None)
