"""Whose certificates are believed, and why a TLS connection did not come about, in words."""

from __future__ import annotations

import os
import ssl

from otel_posthog.environment_variables import CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE

_OTHER_HOST = frozenset({62, 63, 64})  # X509_V_ERR_HOSTNAME_MISMATCH and its like; their text has the name in it
_PASSING = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def bundle() -> tuple[str, str]:
    """Return the file or folder of certificates that the environment names, and by which variable; empty for none.

    In that case OpenSSL takes the system's, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    """
    for name in (REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE):
        path = os.environ.get(name, "").strip()
        if path:
            return path, name
    return "", ""


def believed(path: str) -> dict[str, str]:
    """Return what urllib3 is told of whom to believe.

    Args:
        path: As `bundle` has it.
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
    """Return what is wrong with TLS in fixed words, where somebody has to mend it; empty for all that may pass.

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
        return f"the certificates of {bundle()[1] or 'this system'} cannot be read"
    return ""


def _cause(error: BaseException) -> BaseException | None:
    """Return what lies below urllib3's own errors of TLS, of a proxy's too; None where TLS is not the matter."""
    import urllib3  # noqa: PLC0415

    if isinstance(error, urllib3.exceptions.ProxyError):
        return _cause(error.original_error)
    if not isinstance(error, urllib3.exceptions.SSLError):
        return error if isinstance(error, ssl.SSLError) else None
    return next((each for each in error.args if isinstance(each, BaseException)), None)
