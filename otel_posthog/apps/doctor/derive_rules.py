"""Rules that make product events of telemetry: whether there can be telemetry for them, and whether they may act."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points

from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.policy import Policy
from otel_posthog.policy.shipped_rules import SHIPPED
from otel_posthog.switches import is_disabled

ABOUT = "derive"

# Of which instrumentations one is needed for the rules of a word; of words that are not here, any may do.
_MAKERS = {
    "web": frozenset((
        "flask", "django", "fastapi", "starlette", "asgi", "wsgi", "aiohttp-server", "aiohttp_server", "tornado",
        "pyramid", "falcon",
    )),
    "db": frozenset((
        "sqlalchemy", "psycopg2", "psycopg", "dbapi", "sqlite3", "asyncpg", "aiopg", "pymongo", "redis", "mysql",
        "mysqlclient", "pymysql", "pymssql", "cassandra", "elasticsearch", "tortoiseorm", "pymemcache",
    )),
    "jobs": frozenset(("celery", "rq", "posthog_rq", "remoulade", "dramatiq")),
}  # fmt: skip

ON = Kind("derive", Group.FILTERS, Level.OK, "events are derived by {count} rules")
NO_SPANS = Kind(
    "derive_without_spans", Group.FILTERS, Level.NOTE,
    "the rules of {word} find nothing: no instrumentation is installed that makes their spans",
    "opentelemetry-bootstrap -a install; nothing, if the app makes such spans itself", Gravity.SOME_MISSING,
    Symptom.SOME,
)  # fmt: skip
NEVER = Kind(
    "derive_rule_never", Group.FILTERS, Level.NOTE, "rules make no event, as they are limited to none: {names}",
    "raise their `sample` or `max_per_minute`, or take them out", Gravity.SOME_MISSING, Symptom.SOME,
)  # fmt: skip
KINDS = (ON, NO_SPANS, NEVER)


def of_derive_rules(policy: Policy, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is found of the rules that are on.

    Args:
        policy: Has the rules.
        environ: Says which instrumentations are disabled.
    """
    rules = policy.derive_rules
    if not rules:
        return
    yield ON.found(ABOUT, count=len(rules))
    on = {rule.name for rule in rules}
    for word, makers in _MAKERS.items():
        if any(row.group == word and row.name in on for row in SHIPPED) and not makers & _instrumentations(environ):
            yield NO_SPANS.found(ABOUT, word=word)
    never = [rule.name for rule in rules if rule.sample == 0 or rule.max_per_minute == 0]
    if never:
        yield NEVER.found(ABOUT, names=", ".join(never))


def _instrumentations(environ: Mapping[str, str]) -> set[str]:
    if is_disabled("*", environ):
        return set()
    found = {each.name for each in entry_points(group="opentelemetry_instrumentor")}
    return {name for name in found if not is_disabled(name, environ)}
