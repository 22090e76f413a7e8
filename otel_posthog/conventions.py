"""One attribute of the semantic conventions, whichever of their versions an instrumentation writes.

Rules name attributes as the conventions do now. `read` looks for a name, then for those that it had before, and gives
their values the present meaning: contrib's instrumentations of Python write the older names unless they are told not to
(`OTEL_SEMCONV_STABILITY_OPT_IN`). Runs on the app's threads, on every span that a rule may be about.

Sources: https://opentelemetry.io/docs/specs/semconv/non-normative/http-migration/ and `db-migration/`, and the
attributes marked as deprecated in https://opentelemetry.io/docs/specs/semconv/registry/attributes/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from otel_posthog.model import Attributes

ROUTE = "http.route"


class Old(NamedTuple):
    """A name that an attribute had.

    Attributes:
        name: The name.
        value: Returns what its value is by now; None where it says nothing.
    """

    name: str
    value: Callable[[object], object] | None = None


def _path(target: object) -> object:
    return target.partition("#")[0].partition("?")[0] if isinstance(target, str) else None


def _query(target: object) -> object:
    return (target.partition("#")[0].partition("?")[2] or None) if isinstance(target, str) else None


def _one_of(words: Mapping[str, str]) -> Callable[[object], object]:
    return lambda value: words.get(value, value) if isinstance(value, str) else value


def _route(value: object) -> object:
    """Return a route with its leading slash, which Django's have not."""
    return f"/{value}" if isinstance(value, str) and not value.startswith("/") else value


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

_system, _operation = _one_of(_DB_SYSTEMS), _one_of(_OPERATION_TYPES)

OLD_NAMES: Mapping[str, tuple[Old, ...]] = {
    "http.request.method": (Old("http.method"),),
    "http.response.status_code": (Old("http.status_code"),),
    "http.request.body.size": (Old("http.request_content_length"),),
    "http.response.body.size": (Old("http.response_content_length"),),
    "url.full": (Old("http.url"),),
    "url.path": (Old("http.target", _path),),
    "url.query": (Old("http.target", _query),),
    "url.scheme": (Old("http.scheme"),),
    "user_agent.original": (Old("http.user_agent"),),
    "client.address": (Old("http.client_ip"),),
    "network.protocol.version": (Old("http.flavor"), Old("net.protocol.version")),
    "network.protocol.name": (Old("net.protocol.name"),),
    "network.transport": (Old("net.transport", _one_of({"ip_tcp": "tcp", "ip_udp": "udp"})),),
    "network.peer.address": (Old("net.sock.peer.addr"), Old("net.peer.ip")),
    "network.peer.port": (Old("net.sock.peer.port"),),
    # Of a client's span the peer is the server, of a server's span the host is; each has only its own.
    "server.address": (Old("net.peer.name"), Old("net.host.name")),
    "server.port": (Old("net.peer.port"), Old("net.host.port")),
    "db.system.name": (Old("db.system", _system),),
    "db.namespace": (Old("db.name"), Old("db.redis.database_index")),
    "db.operation.name": (Old("db.operation"),),
    "db.collection.name": (
        Old("db.sql.table"),
        Old("db.mongodb.collection"),
        Old("db.cassandra.table"),
        Old("db.cosmosdb.container"),
    ),
    "db.query.text": (Old("db.statement"),),
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
}
"""By the name of now, the names before, the latest first."""

NAME_NOW: Mapping[str, str] = {
    each.name: now for now, old in reversed(list(OLD_NAMES.items())) for each in old if each.name != now
}
"""The other way round; of two, the first in the table."""

_NOW: Mapping[str, Callable[[object], object]] = {
    ROUTE: _route,
    "db.system.name": _system,
    "messaging.operation.type": _operation,
}
"""What is done with the value under the present name."""


def names_of(key: str) -> tuple[str, ...]:
    """Return the names under which the attribute `key` may stand."""
    return (key, *(old.name for old in OLD_NAMES.get(key, ())))


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
