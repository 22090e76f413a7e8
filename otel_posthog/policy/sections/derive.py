"""Derive: rules that make product events of telemetry that carries no mark; without a rule nothing is derived.

`derived.py` beside `recogniser.py` compiles them. Attributes are named as the semantic conventions name them now.
"""

from __future__ import annotations

from dataclasses import dataclass

from otel_posthog.policy.fields import Choice, FrozenMap, setting
from otel_posthog.policy.section import Section

API_ROUTES = ("/api", "/api/*", "/graphql", "/graphql/*")
SEARCH_ROUTES = ("*/search", "*/search/*")
EXPORT_ROUTES = ("*/export", "*/export/*", "*/export.*", "*/download", "*/download/*")
IGNORED_ROUTES = (
    *("/static/*", "/assets/*", "/media/*", "/favicon.ico", "/robots.txt"),
    *("/health", "/health/*", "/healthz", "/livez", "/live", "/readyz", "/ready", "/ping", "/metrics"),
)


class DeriveSignal(Choice):
    """What a rule is about."""

    SPAN = "span"
    SPAN_EVENT = "span_event"
    LOG = "log"


class DeriveKind(Choice):
    """The kind of a span, as OpenTelemetry names them."""

    SERVER = "server"
    CONSUMER = "consumer"
    CLIENT = "client"
    PRODUCER = "producer"
    INTERNAL = "internal"


class OncePer(Choice):
    """Of what a rule makes one event at most, in one process, of the last 10,000 that it remembers."""

    USER = "user", "of each user; what names no user counts as one."
    SESSION = "session", "of each session; what names none counts as one."
    FLAG = "flag", "of each user, feature flag and value, as PostHog's libraries have it; groups count as well."
    DAY = "day", "of each day in UTC."


class DeriveStatus(Choice):
    """The status of a span, as OpenTelemetry names them."""

    UNSET = "unset"
    OK = "ok"
    ERROR = "error"


@dataclass(slots=True, repr=False, eq=False)
class ValueCondition(Section):
    """What the value of an attribute is to be; all that is said is to hold."""

    equals: str | None = setting(None, "This text, number, `true` or `false`.")
    one_of: tuple[str, ...] = setting((), "One of these.")
    prefix: str | None = setting(None, "A text that begins with this.")
    glob: tuple[str, ...] = setting((), "A text that one of these is the form of; `*` stands for any characters.")
    not_glob: tuple[str, ...] = setting((), "None that one of these is the form of; there need not be any.")
    min: float | None = setting(None, "A number of at least this.", minimum=None)
    max: float | None = setting(None, "A number of at most this.", minimum=None)
    present: bool | None = setting(None, "True: there is one, whatever it is. False: there is none.")


@dataclass(slots=True, repr=False, eq=False)
class DeriveConditions(Section):
    """Which items a rule is about; all that is said is to hold."""

    signal: DeriveSignal = setting(DeriveSignal.SPAN, "What it is about.")
    kind: tuple[DeriveKind, ...] = setting(
        (),
        "Kinds of spans. Where none is named, a `span` is one of `server`, `consumer` or `client`: frameworks repeat a "
        "request's name and status on `internal` spans inside it.",
    )
    scope: tuple[str, ...] = setting((), "Names of instrumentation scopes; `*` stands for any characters.")
    span_name: tuple[str, ...] = setting(
        (), "Names of the span, or of the one that a span event is of; `*` as in `scope`."
    )
    event_name: tuple[str, ...] = setting((), "Names of the span event, or event names of the record; `*` as above.")
    status: tuple[DeriveStatus, ...] = setting((), "What the status of the span is.")
    min_duration_ms: float | None = setting(None, "How long the span took at least.", minimum=0)
    max_duration_ms: float | None = setting(None, "How long it took at most.", minimum=0)
    attributes: FrozenMap[str, ValueCondition] = setting(
        FrozenMap(),
        "Attributes of the item, by the names that the semantic conventions have for them now; they are found under "
        "their old names, too.",
    )
    resource: FrozenMap[str, ValueCondition] = setting(FrozenMap(), "Attributes of the resource, in the same way.")
    child: FrozenMap[str, str] = setting(
        FrozenMap(),
        "Of a request or a job, in an app only: what a span inside it is, attribute -> value, with `*` for any "
        "characters. `{db.operation.name: INSERT, db.collection.name: post}` is one that inserted into `post`.",
    )
    without_child: FrozenMap[str, str] = setting(FrozenMap(), "In the same way what no span inside it is.")


@dataclass(slots=True, repr=False, eq=False)
class DeriveOptions(Section):
    """What the rules that come with the package go by; of no effect where none of them is on."""

    slow_query_ms: float = setting(500.0, "From how long on a query is a `slow_query`.", minimum=0)
    slow_request_ms: float = setting(1000.0, "From how long on a request `is_slow`.", minimum=0)
    slow_operation_ms: float = setting(
        5000.0, "From how long on what is no query is a `slow_operation`, and a job `is_slow`.", minimum=0
    )
    error_status_code: int = setting(
        500, "From which status on the answer to a request is an `api_error_occurred`.", minimum=400, maximum=599
    )
    api_routes: tuple[str, ...] = setting(
        API_ROUTES, "Routes of requests that programs make, not people; `*` stands for any characters."
    )
    ignored_routes: tuple[str, ...] = setting(
        IGNORED_ROUTES, "Routes that are neither pages nor of an API: files, questions whether the app is up."
    )
    search_routes: tuple[str, ...] = setting(SEARCH_ROUTES, "Routes by which something is looked for.")
    export_routes: tuple[str, ...] = setting(EXPORT_ROUTES, "Routes by which data is taken out.")


@dataclass(slots=True, repr=False, eq=False)
class DeriveRule(Section):
    """A rule: what is like this becomes that event; it stays telemetry as well."""

    name: str = setting("", "What receipts and `explain` call it: lowercase letters, digits and `_`; unique.")
    event: str = setting(
        "",
        "The event's name. `{db.system.name}` stands for an attribute that has few values; one that is no plain word "
        "is `other`.",
    )
    when: DeriveConditions = setting(DeriveConditions(), "Which items it is about.")
    properties: FrozenMap[str, str] = setting(
        FrozenMap(),
        "The event's properties: name -> attribute, or one of `duration_ms`, `duration_s`, `is_slow`, `is_error`, "
        "`span_kind`, `status_class` (`4xx`), `trace_id`. They are properties as those that an app declares; other "
        "attributes are telemetry, of which only `privacy.allow` lets any out.",
    )
    user: str | None = setting(None, "The attribute that is the user's id, where it is none that always is.")
    session: str | None = setting(None, "The same of the session.")
    slow_ms: float | None = setting(None, "From how long on the property `is_slow` is true.", minimum=0)
    sample: float = setting(
        1.0,
        "The part of the traces of which events are made, 0.01 for one in a hundred; by the trace's id, so that every "
        "service takes the same. What belongs to no trace is taken at random.",
        minimum=0,
        maximum=1,
    )
    once_per: OncePer | None = setting(None, "Of what it makes one event at most.")
    max_per_minute: int | None = setting(
        None, "How many events it makes in a minute at most, in one process; more are dropped and counted."
    )
