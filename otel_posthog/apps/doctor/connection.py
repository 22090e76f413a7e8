"""One connection, step by step: name, port, TLS; which step fails, and how.

What sends events or exports telemetry tells that a request failed, and not always why. Each step has its time, a name
that is looked up included, and all of them end with that of the examination.
"""

from __future__ import annotations

import errno
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import urlsplit

from otel_posthog.apps.doctor.deadline import LEAST_S, Deadline
from otel_posthog.deliver.connection import trusted

_Made = TypeVar("_Made")

# What answers takes less; what does not is to be told soon.
STEP_S = 3.0
_PORTS = {"https": 443, **dict.fromkeys(("socks4", "socks4a", "socks5", "socks5h"), 1080)}
# OpenSSL's X509_V_ERR_*: of issuers that are not known, of dates, of names.
_UNKNOWN_CA = frozenset({2, 18, 19, 20, 21, 27})
_EXPIRED, _NOT_YET, _OTHER_HOST = 10, 9, frozenset({62, 63, 64})
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EACCES})
_CLOSED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})


class Problem(str, Enum):
    """What a step failed with; part of the ids of findings."""

    NO_NAME = "no_name"
    NAME_SILENT = "name_silent"
    REFUSED = "refused"
    NO_ROUTE = "no_route"
    BLOCKED = "blocked"
    SILENT = "silent"
    CLOSED = "closed"
    TLS_WANTED = "tls_wanted"
    NO_TLS = "no_tls"
    UNKNOWN_CA = "unknown_ca"
    EXPIRED = "certificate_expired"
    NOT_YET = "certificate_not_yet"
    OTHER_HOST = "certificate_other_host"
    CA_UNREADABLE = "ca_unreadable"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Failure:
    """How a connection failed.

    Attributes:
        problem: What its step failed with.
        seconds: How long that was waited for, where it is about waiting.
    """

    problem: Problem
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to.

    Attributes:
        host: Its name or address.
        port: Its port.
        is_tls: Whether TLS is spoken there.
        certificates: A file or folder of those to believe; empty for the system's.
        client: A client certificate and its key.
    """

    host: str
    port: int
    is_tls: bool
    certificates: str = ""
    client: tuple[str, str | None] | None = None

    @property
    def shown(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address_of(url: str, certificates: str = "") -> Address:
    """Return where a URL leads.

    Args:
        url: With a scheme, which the URL of a proxy need not have.
        certificates: As of an address.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    scheme = parts.scheme.lower()
    try:
        port = parts.port
    except ValueError:
        return Address("", 0, is_tls=False)
    return Address(parts.hostname or "", port or _PORTS.get(scheme, 80), scheme == "https", certificates)


def failing_step(address: Address, until: Deadline) -> Failure | None:
    """Return which step of a connection fails; None where all of them go well.

    Args:
        address: Where to connect to.
        until: When all steps end; each of them after `STEP_S`.

    Raises:
        TimeOverError: There is too little time for a step.
    """
    seconds = until.step_s(STEP_S)
    try:
        found = within(seconds, lambda: socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return Failure(Problem.NO_NAME)
    if found is None:
        return Failure(Problem.NAME_SILENT, seconds)
    seconds = until.step_s(STEP_S)
    try:
        connection = _connected(found, seconds)
    except TimeoutError:
        return Failure(Problem.BLOCKED, seconds)
    except OSError as error:
        return Failure(Problem.NO_ROUTE if error.errno in _NO_ROUTE else Problem.REFUSED)
    with connection:
        return _tls_failure(connection, address, until) if address.is_tls else None


def _connected(found: Sequence[Any], seconds: float) -> socket.socket:
    """Return a connection to the first address that takes one; each has its share of the time that is left."""
    until, raised = Deadline.after(seconds), OSError()
    for number, (family, kind, protocol, _, where) in enumerate(found):
        try:
            connection = socket.socket(family, kind, protocol)
        except OSError as error:  # not of a family that this machine speaks
            raised = error
            continue
        try:
            connection.settimeout(max(LEAST_S, until.left_s / (len(found) - number)))
            connection.connect(where)
        except OSError as error:
            connection.close()
            raised = error
        else:
            return connection
    raise raised


def within(timeout_s: float, call: Callable[[], _Made]) -> _Made | None:
    """Return what `call` returns; None where that takes longer, in which case it goes on by itself.

    Args:
        timeout_s: How long it may take, all in all.
        call: What takes no time-out of its own, or one for each of its parts.
    """
    results, errors, done = list[_Made](), list[BaseException](), threading.Event()

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)
        done.set()

    # A resolver of the system that hangs must not hold the exit up.
    threading.Thread(target=run, name="within", daemon=True).start()
    done.wait(timeout_s)
    if errors:
        raise errors[0]
    return results[0] if results else None


def is_tls_spoken(address: Address, until: Deadline) -> bool:
    """Return whether a server begins to speak TLS, whatever its certificate.

    Args:
        address: Of the server.
        until: When it is to have begun, after `STEP_S` at the latest.

    Raises:
        TimeOverError: There is too little time for it.
    """
    seconds = until.step_s(STEP_S)
    return bool(within(seconds, lambda: _begins_tls(address, seconds)))


def _begins_tls(address: Address, seconds: float) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address.host, address.port), seconds) as connection,
            context.wrap_socket(connection, server_hostname=address.host),
        ):
            return True
    except OSError:
        return False


def tls_context(address: Address) -> ssl.SSLContext:
    """Return a context that believes what the address says.

    Raises:
        OSError: A file of certificates cannot be read.
    """
    named = trusted(address.certificates)
    context = ssl.create_default_context(cafile=named.get("ca_certs"), capath=named.get("ca_cert_dir"))
    if address.client is not None:
        context.load_cert_chain(*address.client)
    return context


def _tls_failure(connection: socket.socket, address: Address, until: Deadline) -> Failure | None:
    try:
        context = tls_context(address)
    except OSError:
        return Failure(Problem.CA_UNREADABLE)
    seconds = until.step_s(STEP_S)
    connection.settimeout(seconds)
    try:
        with context.wrap_socket(connection, server_hostname=address.host):
            return None
    except TimeoutError:
        return Failure(Problem.SILENT, seconds)
    except OSError as error:
        return Failure(_handshake_problem(error))


def _handshake_problem(error: OSError) -> Problem:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_problem(error.verify_code)
    if not isinstance(error, ssl.SSLError) or isinstance(error, _CLOSED):
        return Problem.CLOSED
    return Problem.NO_TLS if error.reason in _NO_TLS else Problem.TLS


def _certificate_problem(code: int) -> Problem:
    if code in _OTHER_HOST:
        return Problem.OTHER_HOST
    if code in _UNKNOWN_CA:
        return Problem.UNKNOWN_CA
    return {_EXPIRED: Problem.EXPIRED, _NOT_YET: Problem.NOT_YET}.get(code, Problem.TLS)
