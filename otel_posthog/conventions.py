"""One attribute of the semantic conventions, whichever of their versions an instrumentation writes.

Rules name attributes as the conventions do now. `read` looks for a name, then for those that it had before, and gives
their values the present meaning: contrib's instrumentations of Python write the older names unless they are told not to
(`OTEL_SEMCONV_STABILITY_OPT_IN`). Runs on the app's threads, on every span that a rule may be about.

Sources: https://opentelemetry.io/docs/specs/semconv/non-normative/http-migration/ and `db-migration/`, and the
attributes marked as deprecated in https://opentelemetry.io/docs/specs/semconv/registry/attributes/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from otel_posthog.model import Attributes
from otel_posthog.query import as_operation, collection_of, operation_of

ROUTE, ERROR_TYPE = "http.route", "error.type"
STATUS_CODE = "http.response.status_code"
STATEMENTS = ("db.query.text", "db.statement")
"""The attributes that are the text of a query; of them other ones are told."""


class Old(NamedTuple):
    """A name that an attribute had.

    Attributes:
        name: The name.
        value: Returns what its value is by now; None where it says nothing.
    """

    name: str
    value: Callable[[object], object] | None = None


def _path(target: object) -> object:
    return _path_of(target) if isinstance(target, str) else None


def _url_path(url: object) -> object:
    """Return the path of a whole URL, which is all that a server without a `RAW_URI` tells."""
    host = _path_of(url.partition("://")[2]) if isinstance(url, str) else ""
    return "/" + host.partition("/")[2] if host else None


def _url_host(url: object) -> object:
    """Return the host of a whole URL, without user and port."""
    if not isinstance(url, str):
        return None
    try:
        return urlsplit(url).hostname
    except ValueError:  # brackets that do not close
        return None


def _path_of(target: str) -> str:
    return target.partition("#")[0].partition("?")[0]


def _query(target: object) -> object:
    return (target.partition("#")[0].partition("?")[2] or None) if isinstance(target, str) else None


class Words:
    """What values of few words are by now; any other value is as it was.

    Args:
        now: Of those that have another name now, that name.
    """

    def __init__(self, now: Mapping[str, str]) -> None:
        self.now = now

    def __call__(self, value: object) -> object:
        """Return what `value` is by now."""
        return self.now.get(value, value) if isinstance(value, str) else value


def _route(value: object) -> object:
    """Return a route with its leading slash, which Django's have not."""
    return f"/{value}" if isinstance(value, str) and not value.startswith("/") else value


_FIRST_ERROR = 400
# A class behind its module; a name of many digits may be the end of a token.
_CLASS = re.compile(
    r"(?:(?:[a-z_][a-z0-9_]*|_?[A-Z][A-Za-z_]*|<locals>)\.)*"
    r"(?:[A-Z]\w{0,15}|_{0,2}[A-Z][A-Za-z_]*|[A-Z]\w{0,60}(?:Error|Exception|Timeout)|[a-z_]{1,24})"
)
_DB_SYSTEMS = {
    "cosmosdb": "azure.cosmosdb",
    "db2": "ibm.db2",
    "dynamodb": "aws.dynamodb",
    "firebird": "firebirdsql",
    "h2": "h2database",
    "hanadb": "sap.hana",
    "informix": "ibm.informix",
    "maxdb": "sap.maxdb",
    "mssql": "microsoft.sql_server",
    "mssqlcompact": "microsoft.sql_server",
    "netezza": "ibm.netezza",
    "oracle": "oracle.db",
    "other_sql": "other_sql",
    "redshift": "aws.redshift",
    "spanner": "gcp.spanner",
}
_OPERATION_TYPES = {"publish": "send", "deliver": "process"}

_system, _operation = Words(_DB_SYSTEMS), Words(_OPERATION_TYPES)

OLD_NAMES: Mapping[str, tuple[Old, ...]] = {
    "http.request.method": (Old("http.method"),),
    "http.response.status_code": (Old("http.status_code"),),
    "http.request.body.size": (Old("http.request_content_length"),),
    "http.response.body.size": (Old("http.response_content_length"),),
    "url.full": (Old("http.url"),),
    "url.path": (Old("http.target", _path), Old("http.url", _url_path)),
    "url.query": (Old("http.target", _query),),
    "url.scheme": (Old("http.scheme"),),
    "user_agent.original": (Old("http.user_agent"),),
    "client.address": (Old("http.client_ip"),),
    "network.protocol.version": (Old("http.flavor"), Old("net.protocol.version")),
    "network.protocol.name": (Old("net.protocol.name"),),
    "network.transport": (Old("net.transport", Words({"ip_tcp": "tcp", "ip_udp": "udp"})),),
    "network.peer.address": (Old("net.sock.peer.addr"), Old("net.peer.ip")),
    "network.peer.port": (Old("net.sock.peer.port"),),
    # Of a client's span the peer is the server, of a server's span the host is; each has only its own.
    "server.address": (Old("net.peer.name"), Old("net.host.name"), Old("http.url", _url_host)),
    "server.port": (Old("net.peer.port"), Old("net.host.port")),
    "db.system.name": (Old("db.system", _system),),
    "db.namespace": (Old("db.name"), Old("db.redis.database_index")),
    "db.query.text": (Old("db.statement"),),
    "db.operation.name": (Old("db.operation", as_operation), *(Old(each, operation_of) for each in STATEMENTS)),
    "db.collection.name": (
        Old("db.sql.table"),
        Old("db.mongodb.collection"),
        Old("db.cassandra.table"),
        Old("db.cosmosdb.container"),
        *(Old(each, collection_of) for each in STATEMENTS),
    ),
    "messaging.operation.type": (Old("messaging.operation", _operation),),
    "messaging.destination.name": (Old("messaging.destination"),),
    "messaging.client.id": (Old("messaging.client_id"),),
    "messaging.consumer.group.name": (Old("messaging.kafka.consumer.group"), Old("messaging.rocketmq.client_group")),
    "messaging.message.id": (Old("messaging.message_id"),),
    "rpc.response.status_code": (Old("rpc.grpc.status_code"),),
    "gen_ai.provider.name": (Old("gen_ai.system"),),
    "gen_ai.usage.input_tokens": (Old("gen_ai.usage.prompt_tokens"),),
    "gen_ai.usage.output_tokens": (Old("gen_ai.usage.completion_tokens"),),
    "deployment.environment.name": (Old("deployment.environment"),),
    "feature_flag.result.variant": (Old("feature_flag.variant"),),
    "feature_flag.result.reason": (Old("feature_flag.evaluation.reason"),),
    "feature_flag.provider.name": (Old("feature_flag.provider_name"),),
}
"""By the name of now, the names before, the latest first, and what else tells it."""

NAME_NOW: Mapping[str, str] = {
    each.name: now
    for now, old in reversed(list(OLD_NAMES.items()))
    for each in reversed(old)
    if each.name not in OLD_NAMES
}
"""The other way round; of two, the first in the table. A name of now that tells another one is none."""

_NOW: Mapping[str, Callable[[object], object]] = {
    ROUTE: _route,
    "db.operation.name": as_operation,
    "db.system.name": _system,
    "messaging.operation.type": _operation,
}
"""What is done with the value under the present name."""


def route_of(attributes: Attributes) -> object:
    """Return the route of a request: that of the page `/` is told by its path where Django's instrumentation is."""
    told = read_by_either_name(attributes, ROUTE)
    return told if told is not None or read_by_either_name(attributes, "url.path") != "/" else "/"


def error_type_of(attributes: Attributes, *, has_failed: bool, exception_type: object) -> object:
    """Return which kind of error a span tells of, as instrumentations that write the present names do; never a message.

    Args:
        attributes: The span's.
        has_failed: Whether it says that it is an error.
        exception_type: The type of an exception that was recorded on it.
    """
    told = attributes.get(ERROR_TYPE)
    if told is not None or not has_failed:
        return told
    code = read_by_either_name(attributes, STATUS_CODE)
    if isinstance(code, int) and code >= _FIRST_ERROR:
        return str(code)
    return _class_name(exception_type) if isinstance(exception_type, str) else None


def _class_name(qualified: str) -> str:
    """Return the class without its module; a text that may be no class whole, so that a token is seen as one."""
    return qualified.rpartition(".")[2] if _CLASS.fullmatch(qualified) else qualified


def now_of(key: str) -> Callable[[object], object] | None:
    """Return what is done with the value of `key` where it stands under its present name; None where nothing is."""
    return _NOW.get(key)


def names_of(key: str) -> tuple[str, ...]:
    """Return the names under which the attribute `key` may stand."""
    return (key, *(old.name for old in OLD_NAMES.get(key, ())))


def is_told_by(key: str, keys: Collection[str]) -> tuple[str, ...]:
    """Return those names among the `keys` of an item by which the attribute `key` may be told; none where it is not."""
    if key in keys:
        return (key,)
    found: list[str] = []
    for old in OLD_NAMES.get(key, ()):
        if old.name in keys:
            found.append(old.name)
            # What is read of another's value need not be in it.
            if old.value is None:
                break
    return tuple(found)


VARIED = frozenset({"http.target", "http.url", "url.path", "url.query", "url.full", "user_agent.original", *STATEMENTS})
"""Attributes of so many values that none is worth remembering."""


def read_by_either_name(attributes: Attributes, key: str) -> object:
    """Return the attribute `key` of an item, by whichever of its names; None where there is none."""
    value = attributes.get(key)
    if value is not None:
        now = _NOW.get(key)
        return value if now is None else now(value)
    for old in OLD_NAMES.get(key, ()):
        value = attributes.get(old.name)
        if value is not None:
            found = value if old.value is None else old.value(value)
            if found is not None:
                return found
    return None
