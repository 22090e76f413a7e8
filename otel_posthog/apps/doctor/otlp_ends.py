"""Whether the ends of the operational side take OTLP: an empty request to each, the way an exporter sends it.

An empty request carries no telemetry. What an exporter sends along (headers) is sent along, over TLS that is checked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from otel_posthog.apps.doctor.clock import of_clock
from otel_posthog.apps.doctor.connection import (
    STEP_S,
    Address,
    Failure,
    Problem,
    address_of,
    failing_step,
    is_tls_spoken,
    tls_context,
)
from otel_posthog.apps.doctor.deadline import Deadline, TimeOverError
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.apps.doctor.network import Side, said_of
from otel_posthog.apps.doctor.otlp import GRPC, HEADER, HTTP, SIGNALS, End, ends, is_address
from otel_posthog.apps.doctor.parts import Part
from otel_posthog.apps.doctor.proxies import VARIABLES, proxy_of
from otel_posthog.deliver.connection import ca_bundle
from otel_posthog.privacy import without_secrets

TAKEN = Kind("otlp_taken", Group.OTLP, Level.OK, "{host} takes {signals} over {protocol} ({seconds:.1f} s)")


def _wrong(name: str, says: str, fix: str) -> Kind:
    return Kind(f"otlp_{name}", Group.OTLP, Level.WRONG, says, fix, Gravity.NOTHING_ARRIVES, Symptom.OTLP)


NOT_ALLOWED = _wrong(
    "not_allowed",
    "{host} does not let this app in ({why})",
    "set OTEL_EXPORTER_OTLP_HEADERS to the header that it wants",
)
NO_PATH = _wrong(
    "no_path",
    "{host} answers, and does not take {signals} there ({why})",
    "have a Collector take them, name another end for them (OTEL_EXPORTER_OTLP_METRICS_ENDPOINT and its like), "
    "or do not export them (OTEL_METRICS_EXPORTER=none and its like)",
)
REDIRECTED = _wrong(
    "redirected", "{host} redirects ({why}), which exporters do not follow", "write where to in {variable}"
)
FAILS = _wrong("fails", "{host} answers, and takes nothing just now ({why})", "look at the log of that Collector")
NOT_OTLP = _wrong(
    "not_otlp",
    "{host} answers with a page, and is no OTLP end",
    "correct {variable}: a Collector takes grpc at port 4317, http at 4318",
)
OTHER_PROTOCOL = _wrong(
    "other_protocol",
    "{host} takes a connection and does not speak {protocol}",
    "set OTEL_EXPORTER_OTLP_PROTOCOL={other}, or the port of {protocol} in {variable}",
)
PROXY_PASSWORD = _wrong(
    "proxy_password",
    "a proxy on the way to {host} wants a user and a password ({why})",
    "write them into the proxy's URL in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or add the host to NO_PROXY",
)
NO_PROXY = _wrong(
    "proxy_unreachable",
    "there is no connection to the proxy on the way to {host}",
    "check {proxies}, or add {name} to {no_proxy}",
)
NO_WAY = _wrong(
    "proxy_no_way",
    "the proxy on the way to {host} makes no connection to it",
    "have it let this app through, or add {name} to {no_proxy}",
)
REFUSES = _wrong(
    "refuses",
    "{host} answers, and does not take what exporters send ({why})",
    "see that {variable} names an OTLP end, and one of {protocol}",
)
_NETWORK = Side("otlp", Group.OTLP, Symptom.OTLP, "").kinds()
KINDS = (
    TAKEN,
    NOT_ALLOWED,
    NO_PATH,
    REDIRECTED,
    FAILS,
    NOT_OTLP,
    OTHER_PROTOCOL,
    PROXY_PASSWORD,
    NO_PROXY,
    NO_WAY,
    REFUSES,
    *_NETWORK.values(),
)

_BY_STATUS: dict[int, Kind | None] = {
    **dict.fromkeys((401, 403), NOT_ALLOWED),
    **dict.fromkeys((404, 405), NO_PATH),
    **dict.fromkeys((408, 425, 429), FAILS),
    407: PROXY_PASSWORD,
    # That an empty request is not worth an answer says that somebody reads requests.
    400: None,
}
_BY_CODE = {
    "UNAUTHENTICATED": NOT_ALLOWED,
    "PERMISSION_DENIED": NOT_ALLOWED,
    "UNIMPLEMENTED": NO_PATH,
    "NOT_FOUND": NO_PATH,
}


def of_otlp_ends(environ: Mapping[str, str], until: Deadline) -> list[Part]:
    """Return the ends: to look at one is to send an empty request there for each of its signals.

    Args:
        environ: Names the ends.
        until: When all answers are to be there.
    """
    # What an exporter does not get to, as it is written, says nothing by answering.
    there = [each for each in ends(environ) if is_address(each) and not (each.is_padded and each.protocol == HTTP)]
    return [Part(_about(each), Group.OTLP, partial(_asked, each, until)) for each in there]


def _asked(end: End, until: Deadline) -> Iterator[Finding]:
    """Yield what an end answers; signals that are answered alike are told of together."""
    address, started = _address(end), time.monotonic()
    if not address.host:
        return  # how it is written is a finding already
    proxy = proxy_of(end.protocol, _url(end), address.host)
    failure = failing_step(address_of(proxy, ca_bundle()[0]) if proxy else address, until)
    if failure is not None:
        yield _of_answer(NO_PROXY, "", end, address, 0.0) if proxy else _of_failure(failure, end, address)
        return
    ask = _by_grpc if end.protocol == GRPC else _by_http
    alike: dict[tuple[Kind | Failure | None, str], list[str]] = {}
    headers: dict[str, str] = {}
    is_over = False
    for signal in end.signals:
        try:
            found, why, headers = ask(replace(end, signals=(signal,)), address, proxy, until)
        except TimeOverError:
            is_over = True
            break
        if isinstance(found, Failure) and not alike:
            yield _of_failure(found, end, address)
            return  # the others would wait as long
        alike.setdefault((found, why), []).append(signal)
    seconds = time.monotonic() - started
    for (found, why), signals in alike.items():
        part = replace(end, signals=tuple(signals))
        if isinstance(found, Failure):
            yield _of_failure(found, part, address)
        else:
            yield _of_answer(found, why, part, address, seconds)
    yield from of_clock(headers, without_secrets(address.shown))
    if is_over:
        raise TimeOverError


def _about(end: End) -> str:
    return "OTLP" if len(end.signals) == len(SIGNALS) else f"OTLP {' and '.join(end.signals)}"


def _of_failure(failure: Failure, end: End, address: Address) -> Finding:
    return said_of(_NETWORK, failure, _about(end), address, variable=end.variable, ca="OTEL_EXPORTER_OTLP_CERTIFICATE")


def _of_answer(found: Kind | None, why: str, end: End, address: Address, seconds: float) -> Finding:
    return (found or TAKEN).found(
        _about(end),
        host=address.shown,
        signals=end.shown_signals,
        protocol=end.protocol,
        other=HTTP if end.protocol == GRPC else GRPC,
        variable=end.variable,
        why=why,
        seconds=seconds,
        name=address.host,
        **VARIABLES[end.protocol],
    )


def _address(end: End) -> Address:
    try:
        parts = urlsplit(end.url if "://" in end.url else f"//{end.url}")
        port = parts.port or (443 if end.is_tls else 80)
    except ValueError:
        return Address("", 0, end.is_tls)
    # Exporters over HTTP are made of requests, which reads these variables too.
    certificates = end.certificates or (ca_bundle()[0] if end.protocol == HTTP else "")
    return Address(parts.hostname or "", port, end.is_tls, certificates, end.client)


def _url(end: End) -> str:
    """Return where an exporter over HTTP posts the first of the signals to."""
    if end.variable != "OTEL_EXPORTER_OTLP_ENDPOINT":
        return end.url
    return f"{end.url.rstrip('/')}/v1/{end.signals[0]}"


def _headers(end: End) -> dict[str, str]:
    pairs = (each.partition("=") for each in end.headers.split(",") if HEADER.match(each))
    return {name.strip().lower(): unquote(value.strip()) for name, _, value in pairs}


_Came = tuple["Kind | Failure | None", str, dict[str, str]]


def _by_http(end: End, address: Address, proxy: str, until: Deadline) -> _Came:
    from otel_posthog.apps.doctor.http_request import NoAnswerError, WrongAnswerError, post  # noqa: PLC0415 - imports urllib3

    context = tls_context(address) if address.is_tls else None
    headers = {**_headers(end), "content-type": "application/x-protobuf"}
    seconds = until.step_s(STEP_S)
    try:
        status, named = post(_url(end), headers, context, proxy, seconds)
    except NoAnswerError:
        return Failure(Problem.SILENT, seconds), "", {}
    except WrongAnswerError as error:
        if error.is_password_wanted:
            return PROXY_PASSWORD, "http 407", {}
        if not proxy and not address.is_tls and is_tls_spoken(address, until):
            return Failure(Problem.TLS_WANTED), "", {}
        return NO_WAY if proxy else OTHER_PROTOCOL, "", {}
    return _of_status(status, named.get("content-type", "")), f"http {status}", named


def _of_status(status: int, content_type: str) -> Kind | None:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 200 <= status < 300:
        return NOT_OTLP if "html" in content_type else None
    if 300 <= status < 400:
        return REDIRECTED
    return FAILS if status >= 500 else REFUSES


def _by_grpc(end: End, address: Address, proxy: str, until: Deadline) -> _Came:
    try:
        import grpc  # noqa: PLC0415 - comes with the exporter
    except ImportError:
        return None, "", {}
    channel = _channel(grpc, address)
    word = SIGNALS[end.signals[0]]
    path = f"/opentelemetry.proto.collector.{word}.v1.{word.capitalize()}Service/Export"
    export = channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
    try:
        seconds = until.step_s(STEP_S)
        export(b"", timeout=seconds, metadata=tuple(_headers(end).items()))
    except grpc.RpcError as error:
        code = error.code().name
        found = _of_code(code, str(error.details()), seconds)
        if found is OTHER_PROTOCOL and proxy:
            found = NO_WAY
        elif found is OTHER_PROTOCOL and not address.is_tls and is_tls_spoken(address, until):
            found = Failure(Problem.TLS_WANTED)
        return found, code.lower().replace("_", " "), {}
    finally:
        channel.close()
    return None, "", {}


def _channel(grpc: Any, address: Address) -> Any:
    if not address.is_tls:
        return grpc.insecure_channel(address.shown)
    read = [_read(each) for each in (address.certificates, *(address.client or ("", "")))]
    roots, certificate, key = read
    return grpc.secure_channel(address.shown, grpc.ssl_channel_credentials(roots, key, certificate))


def _read(path: str | None) -> bytes | None:
    if not path:
        return None
    with open(path, "rb") as file:  # noqa: PTH123 - no path of ours
        return file.read()


def _of_code(code: str, details: str, seconds: float) -> Kind | Failure:
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code == "DEADLINE_EXCEEDED":
        return Failure(Problem.SILENT, seconds)
    if code == "UNAVAILABLE":
        return Failure(Problem.UNKNOWN_CA) if "CERTIFICATE_VERIFY_FAILED" in details else OTHER_PROTOCOL
    return FAILS
