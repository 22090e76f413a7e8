"""Where the operational side goes, by the standard variables: one end for each signal that is exported, or one for all.

As the SDK and its exporters read them, under `opentelemetry-instrument`, which exports all three signals over gRPC
where nothing else is said. Only how they are written is looked at here; whether somebody takes it, in `otlp_ends`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from urllib.parse import urlsplit

from otel_posthog import environment_variables as env
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.apps.doctor.hosts import QUOTES, is_name

ABOUT = "operational side"
GRPC, HTTP = "grpc", "http/protobuf"
SIGNALS = {"traces": "trace", "metrics": "metrics", "logs": "logs"}
"""The signals, and what OTLP calls them."""

_PREFIX = "OTEL_EXPORTER_OTLP_"
_DEFAULTS = {GRPC: "http://localhost:4317", HTTP: "http://localhost:4318"}
_USUAL_PORTS = {4317: GRPC, 4318: HTTP}
_EXPORTERS = {"otlp_proto_grpc": GRPC, "otlp_proto_http": HTTP}
# Names that gRPC resolves in its own ways.
_OF_GRPC = re.compile(r"(?:unix|unix-abstract|vsock|dns|ipv4|ipv6|xds):")
HEADER = re.compile(r"\s*[\w!#$%&'*+.^`|~-]+\s*=")
# What the exporter over gRPC reads, and raises of, and what to write.
_GOOD = {"TIMEOUT": "10", "COMPRESSION": "gzip"}

NAMED = Kind("otlp", Group.OTLP, Level.OK, "{signals} go to {url} over {protocol}")
NONE = Kind("otlp_off", Group.OTLP, Level.OK, "nothing is exported over OTLP: {names} say so")
IN_FILE = Kind("otlp_in_file", Group.OTLP, Level.OK, "exporters are those of {path}")
FILE_REFUSED = Kind(
    "config_file_refused", Group.OTLP, Level.WRONG, "{path}, which OTEL_CONFIG_FILE names, cannot be read ({why})",
    'correct it; this needs SDK 1.42 or newer and pip install "opentelemetry-sdk[file-configuration]"',
    Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
NOT_NAMED = Kind(
    "otlp_not_named", Group.OTLP, Level.NOTE, "no OTLP endpoint is named: exporters use their default on this machine",
    "set OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317", Gravity.NOTHING_ARRIVES, Symptom.OTLP,
)  # fmt: skip


NO_SUCH_EXPORTER = Kind(
    "exporter_unknown", Group.OTLP, Level.WRONG,
    "{variable} names the exporter `{name}`, which {why}: OpenTelemetry does not start, nor does this package",
    "write {variable}=otlp, or none alone; of several, put commas between them, and install what brings each",
    Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip


def _wrong(name: str, says: str, fix: str, level: Level = Level.WRONG) -> Kind:
    return Kind(f"otlp_{name}", Group.OTLP, level, says, fix, Gravity.NOTHING_ARRIVES, Symptom.OTLP)


UNKNOWN_PROTOCOL = _wrong(
    "protocol_unknown",
    "{variable} is neither grpc nor http/protobuf: the app does not start its exporters",
    "write one of the two",
)
NO_EXPORTER = _wrong(
    "exporter_missing",
    "{signals}: the exporter for OTLP over {protocol} is not installed",
    "pip install opentelemetry-exporter-otlp",
)
NO_URL = _wrong("no_url", "{variable} is no URL", "write {variable}=http://collector:4317, without quotes")
NO_SCHEME = _wrong(
    "no_scheme", "{variable} has no scheme, which http/protobuf needs", "write http:// or https:// before it"
)
PADDED = _wrong(
    "padded",
    "{variable} has a space or a line end around it, which http/protobuf takes for a part of it: nothing is exported",
    "write it without; an env file with line ends of Windows has one behind every value",
)
HEADERS = Kind(
    "otlp_headers", Group.OTLP, Level.WRONG,
    "{headers} has what is no header, and the SDK leaves that out",
    "write {headers}=name=value; several with commas between them, and no colon behind a name",
    Gravity.NOTHING_ARRIVES, Symptom.OTLP,
)  # fmt: skip
STOPS_GRPC = Kind(
    "otlp_grpc_value", Group.OTLP, Level.WRONG,
    "{variable} is nothing that the exporter over grpc takes: OpenTelemetry does not start, nor does this package",
    "write {variable}={good}, or leave it out", Gravity.NOTHING_STARTS, Symptom.NOTHING,
)  # fmt: skip
TLS_BY_DEFAULT = _wrong(
    "grpc_no_scheme",
    "{variable} has no scheme: gRPC takes that for TLS",
    "write http:// before it where there is no TLS, else https://",
    Level.NOTE,
)
PATH_TWICE = _wrong(
    "path_twice",
    "{variable} ends in /v1/..., and exporters add that once more",
    "leave it off, or set OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and its like, which are taken as they are",
)
OTHER_PORT = _wrong(
    "port_of_other_protocol",
    "{variable} has the usual port of {usual}, and {protocol} is spoken there",
    "set OTEL_EXPORTER_OTLP_PROTOCOL={usual}, or take the other port; nothing, if the ports are meant so",
    Level.NOTE,
)
TO_POSTHOG = Kind(
    "otlp_to_posthog", Group.OTLP, Level.WRONG,
    "{variable} leads to PostHog: what is operational goes there too, past the catalog, identity mode and switches",
    "set it to a Collector or another backend; product events go to PostHog without it", Gravity.LEAKS,
    Symptom.PRIVACY,
)  # fmt: skip
KINDS = (
    TO_POSTHOG, FILE_REFUSED, NO_SUCH_EXPORTER,
    NAMED, NONE, IN_FILE, NOT_NAMED, UNKNOWN_PROTOCOL, NO_EXPORTER, NO_URL, NO_SCHEME, PADDED, HEADERS, STOPS_GRPC,
    TLS_BY_DEFAULT, PATH_TWICE, OTHER_PORT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class End:
    """Where signals go.

    Attributes:
        signals: Those that go there.
        protocol: `grpc` or `http/protobuf`.
        url: As it is written, or the default.
        variable: Which says so; the general one where none does.
        is_tls: Whether TLS is spoken.
        certificates: The file of those to believe; empty where none is named.
        client: A client certificate and its key.
        headers: What is sent along, as it is written.
        headers_variable: Which says so.
        is_padded: Whether there is a space or a line end around the URL as it is written.
    """

    signals: tuple[str, ...]
    protocol: str
    url: str
    variable: str
    is_tls: bool
    certificates: str = ""
    client: tuple[str, str | None] | None = None
    headers: str = ""
    headers_variable: str = ""
    is_padded: bool = False

    @property
    def shown_signals(self) -> str:
        """The signals in words."""
        return ", ".join(self.signals)


def of_otlp(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is found of how the ends are written."""
    path = environ.get(env.CONFIG_FILE, "").strip()
    if path:
        why = _why_not_read(path)
        yield FILE_REFUSED.found(ABOUT, path=path, why=why) if why else IN_FILE.found(ABOUT, path=path)
        return
    variables = [f"{_PREFIX}{each}ENDPOINT" for each in ("", *(f"{signal.upper()}_" for signal in SIGNALS))]
    exported = [each for each in SIGNALS if _protocol(each, environ) is not None]
    if not exported:
        names = ", ".join(f"OTEL_{each.upper()}_EXPORTER" for each in SIGNALS)
        yield NONE.found(ABOUT, names=names)
    elif not any(environ.get(name, "").strip() for name in variables):
        yield NOT_NAMED.found(ABOUT)
    yield from _of_exporters(environ)
    unknown = {_protocol_variable(each, environ) for each in exported if _protocol(each, environ) == ""}
    yield from (UNKNOWN_PROTOCOL.found(ABOUT, variable=each) for each in sorted(unknown))
    by_grpc = [each for each in exported if _protocol(each, environ) == GRPC]
    stopping = dict.fromkeys(name for each in by_grpc for name in _stopping_grpc(each, environ))
    yield from (STOPS_GRPC.found(ABOUT, variable=name, good=_GOOD[name.rpartition("_")[2]]) for name in stopping)
    for end in ends(environ):
        yield from _of_end(end)


def _stopping_grpc(signal: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the variables of a signal whose value the exporter over gRPC does not get past; that over HTTP does."""
    for word in _GOOD:
        names = (f"{_PREFIX}{signal.upper()}_{word}", f"{_PREFIX}{word}")
        name = next((each for each in names if each in environ), "")
        if name and not _is_taken_by_grpc(word, environ[name]):
            yield name


def _is_taken_by_grpc(word: str, value: str) -> bool:
    if word == "COMPRESSION":
        return value.strip().lower() == "gzip"
    try:
        float(value)
    except ValueError:
        return False
    return True


def _of_exporters(environ: Mapping[str, str]) -> Iterator[Finding]:
    for signal in SIGNALS:
        variable = f"OTEL_{signal.upper()}_EXPORTER"
        given = environ.get(variable, "")
        names = [each.strip() for each in given.split(",")] if given and given.strip().lower() != "none" else []
        for name in names:
            # What is missing of OTLP's own is told with the package that has it.
            if name not in {"otlp", *_EXPORTERS} and not list(entry_points(group=_group(signal), name=name)):
                why = "stands alone or not at all" if name == "none" else "is not installed"
                yield NO_SUCH_EXPORTER.found(ABOUT, variable=variable, name=name, why=why)
                break


def _group(signal: str) -> str:
    return f"opentelemetry_{signal}_exporter"


def _why_not_read(path: str) -> str:
    """Return the type of what the SDK's reader of such files raises; empty where it raises nothing."""
    try:
        from opentelemetry.configuration import load_config_file  # noqa: PLC0415 - not in every SDK

        load_config_file(path)
    except Exception as error:
        return type(error).__name__
    return ""


def ends(environ: Mapping[str, str]) -> list[End]:
    """Return the ends that can be told, signals that go to the same one together."""
    found: dict[End, list[str]] = {}
    for signal in SIGNALS:
        protocol = _protocol(signal, environ)
        if protocol and not environ.get(env.CONFIG_FILE, "").strip():
            found.setdefault(_end((), signal, protocol, environ), []).append(signal)
    return [_with_signals(end, tuple(signals)) for end, signals in found.items()]


def _with_signals(end: End, signals: tuple[str, ...]) -> End:
    return replace(end, signals=signals)


def _end(signals: tuple[str, ...], signal: str, protocol: str, environ: Mapping[str, str]) -> End:
    def named(word: str) -> tuple[str, str]:
        """Return what the signal's variable says, else what the general one does, and which it was."""
        for name in (f"{_PREFIX}{signal.upper()}_{word}", f"{_PREFIX}{word}"):
            if environ.get(name, "").strip():
                return environ[name].strip(), name
        return "", f"{_PREFIX}{word}"

    given, variable = named("ENDPOINT")
    url = given or _DEFAULTS[protocol]
    scheme = urlsplit(url).scheme.lower() if "://" in url else ""
    is_tls = scheme == "https" or (
        protocol == GRPC and scheme != "http" and named("INSECURE")[0].lower() != "true"
    )  # fmt: skip
    certificate = named("CLIENT_CERTIFICATE")[0]
    client = (certificate, named("CLIENT_KEY")[0] or None) if certificate else None
    return End(
        signals, protocol, url, variable, is_tls, named("CERTIFICATE")[0], client, *named("HEADERS"),
        is_padded=bool(given) and given != environ[variable],
    )  # fmt: skip


def _of_end(end: End) -> Iterator[Finding]:
    words = {
        "signals": end.shown_signals,
        "protocol": end.protocol,
        "variable": end.variable,
        "url": end.url,
        "headers": end.headers_variable,
    }
    complaints = list(_complaints(end))
    for kind in complaints:
        yield kind.found(ABOUT, **words, usual=_USUAL_PORTS.get(_port(end.url) or 0, ""))
    if not _is_exporter_there(end):
        yield NO_EXPORTER.found(ABOUT, **words)
    elif not complaints:
        yield NAMED.found(ABOUT, **words)


def _complaints(end: End) -> Iterator[Kind]:
    is_url = "://" in end.url
    if re.search(r"(^|[/.@])posthog\.com([:/]|$)", end.url.lower()):
        yield TO_POSTHOG
    if any(HEADER.match(each) is None for each in end.headers.split(",") if each.strip()):
        yield HEADERS
    if not is_address(end):
        yield NO_URL
        return
    if end.is_padded and end.protocol == HTTP:
        yield PADDED
    if end.protocol == GRPC and _OF_GRPC.match(end.url):
        return
    if not is_url and end.protocol == HTTP:
        yield NO_SCHEME
    elif not is_url and end.is_tls:
        yield TLS_BY_DEFAULT
    path = urlsplit(end.url).path.rstrip("/") if is_url else ""
    if (
        end.protocol == HTTP
        and end.variable == f"{_PREFIX}ENDPOINT"
        and path.endswith(tuple(f"/v1/{each}" for each in SIGNALS))
    ):
        yield PATH_TWICE
    if _USUAL_PORTS.get(_port(end.url) or 0, end.protocol) != end.protocol:
        yield OTHER_PORT


def is_address(end: End) -> bool:
    """Return whether an exporter finds a host in a URL, or in what gRPC takes without a scheme.

    Args:
        end: Whose URL it is.
    """
    if end.protocol == GRPC and _OF_GRPC.match(end.url):
        return True
    if end.url.strip(QUOTES) != end.url or " " in end.url or _port(end.url) is None:
        return False
    parts = urlsplit(end.url if "://" in end.url else f"//{end.url}")
    is_scheme = end.protocol == GRPC or parts.scheme in {"", "http", "https"}
    return is_scheme and is_name(parts.hostname or "")


def _port(url: str) -> int | None:
    """Return the port; 0 where there is none, None where a URL is none."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        return (parts.port or 0) if parts.hostname else None
    except ValueError:
        return None


def _protocol_variable(signal: str, environ: Mapping[str, str]) -> str:
    name = f"{_PREFIX}{signal.upper()}_PROTOCOL"
    return name if environ.get(name) else f"{_PREFIX}PROTOCOL"


def _protocol(signal: str, environ: Mapping[str, str]) -> str | None:
    """Return how a signal is exported; empty where that is unknown, None where it is not, over OTLP."""
    names = environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip() or "otlp"
    for name in (each.strip() for each in names.split(",")):
        if name in _EXPORTERS:
            return _EXPORTERS[name]
        if name == "otlp":
            word = environ.get(_protocol_variable(signal, environ), "").strip() or GRPC
            return word if word in _DEFAULTS else ""
    return None


def _is_exporter_there(end: End) -> bool:
    name = next(name for name, protocol in _EXPORTERS.items() if protocol == end.protocol)
    return all(list(entry_points(group=_group(signal), name=name)) for signal in end.signals)
