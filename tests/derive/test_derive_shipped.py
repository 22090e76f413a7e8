"""The rules that come with the package: which word has which on, and what each makes of telemetry."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otel_posthog.derived import rules_of
from otel_posthog.errors import ConfigurationError, PolicyError
from otel_posthog.events import AnalyticsEvents, services, usual
from otel_posthog.events.generate import name_of
from otel_posthog.intake.otlp.records import LogRecord, SpanEvent, SpanRecord
from otel_posthog.intake.signals import record_signals
from otel_posthog.policy import DeriveConditions, DeriveOptions, DeriveRule, DeriveStatus, Policy
from otel_posthog.policy.checks import problems
from otel_posthog.policy.derive_reference import BEGIN, END, table
from otel_posthog.policy.shipped_rules import GROUPS, NAMES, SHIPPED, WORDS, Shipped
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.recogniser import Recogniser
from otel_posthog.setup.settings import read_policy, read_settings

DOCS = Path(__file__).parents[2] / "docs"
PROPERTY = "analytics.property."
KINDS = [each for each in (*vars(usual).values(), *vars(services).values()) if hasattr(each, "__total__")]
USUAL = {name_of(kind): set(kind.__annotations__) for kind in KINDS}
EVERYTHING = Policy(derive=GROUPS)
OWN = DeriveRule("page_viewed", "seen", DeriveConditions(status=(DeriveStatus.ERROR,)))


def span(kind: str, took_ms: float = 12, status: str = "UNSET", **attributes: Any) -> SpanRecord:
    """Return a span with attributes, `__` for each dot."""
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    start_ns, end_ns = 10**18, 10**18 + int(took_ms * 1e6)
    return SpanRecord("s", named, 7, 1, end_ns, (), "", {}, start_ns=start_ns, kind=kind, status_code=status)


def exception(item: SpanRecord, kind: str) -> SpanRecord:
    """Return a span on which exceptions were recorded, the last one of this type."""
    told = [{"exception.type": each, "exception.message": "Ludwig"} for each in ("KeyError", kind)]
    events = (*(SpanEvent("exception", each, 5) for each in told), SpanEvent("other", {}, 6))
    return item._replace(events=events)


REQUEST: dict[str, Any] = {
    "http__request__method": "GET",
    "http__route": "/orders/{id}",
    "http__response__status_code": 200,
}
OLD_REQUEST: dict[str, Any] = {
    "http__method": "GET",
    "http__route": "orders/{id}",
    "http__status_code": 200,
    "http__target": "/orders/1",
}
CALL: dict[str, Any] = {
    "http__request__method": "POST",
    "http__response__status_code": 502,
    "server__address": "pay.example",
}
JOB: dict[str, Any] = {
    "celery__task_name": "shop.tasks.mail",
    "celery__action": "run",
    "messaging__destination": "slow",
}
MODEL: dict[str, Any] = {
    "gen_ai__operation__name": "chat",
    "gen_ai__request__model": "m-1",
    "gen_ai__usage__input_tokens": 7,
}


def named(**more: Any) -> dict[str, Any]:
    """Return attributes of a request with some changed."""
    return {**REQUEST, **more}


CASES: list[tuple[str, SpanRecord, dict[str, Any]]] = [
    ("page_viewed", span("SERVER", **REQUEST), {"route": "/orders/{id}", "method": "GET", "status_class": "2xx"}),
    ("page_viewed", span("SERVER", **OLD_REQUEST), {"route": "/orders/{id}", "method": "GET", "status_class": "2xx"}),
    ("page_viewed", span("SERVER", 1000, **REQUEST), {"is_slow": True, "duration_ms": 1000.0}),
    ("page_viewed", span("SERVER", 999, **REQUEST), {"is_slow": False, "duration_ms": 999.0}),
    (
        "api_request",
        span("SERVER", **named(http__route="/api/orders")),
        {"route": "/api/orders", "status_class": "2xx"},
    ),
    ("api_request", span("SERVER", **{**OLD_REQUEST, "http__route": "api/orders"}), {"route": "/api/orders"}),
    (
        "api_error_occurred",
        span("SERVER", status="ERROR", **named(http__response__status_code=503, error__type="503")),
        {"status_code": 503, "route": "/orders/{id}", "error_type": "503"},
    ),
    (
        "api_error_occurred",
        span("SERVER", status="ERROR", **{**OLD_REQUEST, "http__status_code": 500}),
        {"status_code": 500, "method": "GET"},
    ),
    (
        "api_timeout",
        span("CLIENT", status="ERROR", http__request__method="GET", error__type="ReadTimeout", server__address="a.b"),
        {"error_type": "ReadTimeout", "host": "a.b", "kind": "client"},
    ),
    (
        "api_timeout",
        exception(span("CLIENT", status="ERROR", http__method="GET", http__url="http://a.b:8/x"), "httpx.ReadTimeout"),
        {"error_type": "ReadTimeout", "host": "a.b", "kind": "client"},
    ),
    (
        "api_timeout",
        span("SERVER", status="ERROR", http__method="GET", http__status_code=504, http__route="/slow"),
        {"error_type": "504", "route": "/slow", "kind": "server", "status_code": 504},
    ),
    (
        "api_error_occurred",
        exception(span("SERVER", status="ERROR", http__method="GET", http__status_code=500), "ValueError"),
        {"error_type": "500"},
    ),
    (
        "job_failed",
        exception(span("CONSUMER", status="ERROR", **JOB), "shop.errors.NoStock"),
        {"error_type": "NoStock"},
    ),
    (
        "external_call_failed",
        exception(span("CLIENT", status="ERROR", http__method="GET", http__url="http://a.b/"), "httpx.ConnectError"),
        {"error_type": "ConnectError", "host": "a.b", "method": "GET"},
    ),
    (
        "slow_query",
        span("CLIENT", 700, db__system="sqlite", db__statement="select * from main.orders where name = 'ludwig'"),
        {"system": "sqlite", "operation": "SELECT", "collection": "orders"},
    ),
    (
        "slow_query",
        span("CLIENT", 700, db__system__name="sqlite", db__query__text="INSERT INTO t VALUES ('ludwig')"),
        {"operation": "INSERT", "collection": "t"},
    ),
    (
        "slow_query",
        span("CLIENT", 500, db__system__name="postgresql", db__operation__name="SELECT", db__collection__name="orders"),
        {"system": "postgresql", "operation": "SELECT", "collection": "orders", "duration_ms": 500.0},
    ),
    ("slow_query", span("CLIENT", 501, db__system="mssql", db__sql__table="t"), {"system": "microsoft.sql_server"}),
    ("job_completed", span("CONSUMER", **JOB, celery__state="SUCCESS"), {"job": "shop.tasks.mail", "queue": "slow"}),
    ("job_failed", span("CONSUMER", status="ERROR", **JOB), {"job": "shop.tasks.mail", "queue": "slow"}),
    (
        "message_processed",
        span("CONSUMER", messaging__system="kafka", messaging__operation="process", messaging__destination="orders"),
        {"system": "kafka", "destination": "orders", "is_failed": False},
    ),
    ("external_call_failed", span("CLIENT", status="ERROR", **CALL), {"host": "pay.example", "status_code": 502}),
    (
        "external_call_failed",
        span("CLIENT", status="ERROR", rpc__system="grpc", rpc__method="Pay", rpc__service="shop.Pay"),
        {"system": "grpc", "operation": "Pay", "service": "shop.Pay"},
    ),
    ("slow_operation", span("CONSUMER", 5000, **JOB), {"kind": "consumer", "job": "shop.tasks.mail"}),
    ("search_performed", span("SERVER", **named(http__route="/orders/search")), {"route": "/orders/search"}),
    (
        "data_exported",
        span("SERVER", **named(http__route="/orders/export.csv", http__response__body__size=9)),
        {"route": "/orders/export.csv", "size_bytes": 9},
    ),
    (
        "$ai_generation",
        span("CLIENT", 1500, **MODEL, gen_ai__provider__name="p"),
        {"$ai_model": "m-1", "$ai_provider": "p", "$ai_input_tokens": 7, "$ai_latency": 1.5, "$ai_is_error": False},
    ),
    (
        "$ai_generation",
        span("INTERNAL", **MODEL, gen_ai__system="p"),
        {"$ai_provider": "p", "$ai_trace_id": f"{7:032x}"},
    ),
]


@pytest.mark.parametrize(("event", "item", "properties"), CASES)
def test_telemetry_is_the_event_of_its_row(event: str, item: SpanRecord, properties: dict[str, Any]) -> None:
    """Under either convention, with the properties of the row, those that are there."""
    made = {each.name: each.attributes for each in record_signals(item, Recogniser(EVERYTHING))}
    found = {key.removeprefix(PROPERTY): value for key, value in made[event].items() if key.startswith(PROPERTY)}
    assert found.items() >= properties.items()
    row = [each for each in SHIPPED if each.event == event]
    assert set(found) <= {name for each in row for name in each.properties}


@pytest.mark.parametrize("signal", ["span_event", "log"])
def test_a_flag_is_called_by_whichever_signal_tells(signal: str) -> None:
    """A hook of OpenFeature writes a span event, the conventions have a log record."""
    told = {"feature_flag.key": "new-cart", "feature_flag.result.variant": "on", "feature_flag.context.id": "u-1"}
    event = SpanEvent("feature_flag.evaluation", told, 5)
    item = (
        span("INTERNAL")._replace(events=(event,))
        if signal == "span_event"
        else LogRecord(event.name, told, None, 5, 5, 1, 1, {})
    )
    (made,) = record_signals(item, Recogniser(Policy(derive=("flags",))))
    assert made.name == "$feature_flag_called"
    assert made.attributes["analytics.property.$feature_flag"] == "new-cart"
    assert made.attributes["analytics.property.$feature_flag_response"] == "on"
    assert made.attributes["analytics.user.id"] == "u-1"


NOTHING: list[tuple[str, SpanRecord]] = [
    ("a repeated request", span("INTERNAL", **REQUEST)),
    ("a health check", span("SERVER", **named(http__route="/health"))),
    ("a file", span("SERVER", **named(http__route="/static/<path:filename>"))),
    ("a browser that asks whether it may", span("SERVER", **named(http__request__method="OPTIONS"))),
    ("a redirect without a route", span("SERVER", http__method="GET", http__status_code=301, http__target="/a")),
    ("a file without a route", span("SERVER", http__method="GET", http__status_code=200, http__target="/static/a.js")),
    ("an unknown path", span("SERVER", http__method="GET", http__status_code=404, http__target="/wp-admin")),
    ("a fast query", span("CLIENT", 499, db__system="sqlite", db__statement="select 'ludwig'")),
    ("a call that went well", span("CLIENT", **{**CALL, "http__response__status_code": 200})),
    ("a job that is tried again", span("CONSUMER", **JOB, celery__state="RETRY")),
    ("a job that is sent", span("PRODUCER", **JOB)),
    ("messages that were fetched", span("CONSUMER", messaging__system="kafka", messaging__operation="receive")),
    ("an embedding", span("CLIENT", **{**MODEL, "gen_ai__operation__name": "embeddings"})),
]


@pytest.mark.parametrize(("what", "item"), NOTHING)
def test_what_no_row_is_about_is_nothing(what: str, item: SpanRecord) -> None:
    """With every rule on."""
    assert record_signals(item, Recogniser(EVERYTHING)) == [], what


def test_a_call_to_the_root_of_another_service_is_no_route_of_this_one() -> None:
    """The old conventions tell a whole URL."""
    item = span("CLIENT", 9000, status="ERROR", http__method="GET", http__url="http://a.b/", error__type="Timeout")
    for made in record_signals(item, Recogniser(EVERYTHING)):
        assert PROPERTY + "route" not in made.attributes, made.name


def test_a_statement_and_a_prompt_are_in_no_property() -> None:
    """Of spans that bear them, whatever their rule lists."""
    asked = span("CLIENT", 900, **MODEL, gen_ai__prompt="tell me of Ludwig", gen_ai__completion="Ludwig was")
    query = span("CLIENT", 900, db__system="sqlite", db__statement="select * from t where name = 'Ludwig'")
    for item in (asked, query):
        for made in record_signals(item, Recogniser(EVERYTHING)):
            told = {key: value for key, value in made.attributes.items() if key.startswith(PROPERTY)}
            assert "Ludwig" not in json.dumps(told)


@pytest.mark.parametrize("row", SHIPPED, ids=lambda row: row.name)
def test_a_row_has_the_names_of_usual_events(row: Shipped) -> None:
    """An event that is derived has the name and the properties of the one that an app makes by hand."""
    if not row.event.startswith("$"):
        assert row.event in set(AnalyticsEvents)
        assert set(row.properties) <= USUAL[row.event]


def test_the_built_in_policy_derives_nothing() -> None:
    """No rule, no word, and a recogniser that asks nothing."""
    assert list(rules_of(Policy())) == []
    assert not any(Policy().derives(word) for word in WORDS)


@pytest.mark.parametrize("word", WORDS)
def test_each_word_has_its_rows_on(word: str) -> None:
    """A group all of its rows, a row itself; `accounts` events that frameworks tell of."""
    policy = Policy(derive=(word,))
    assert list(problems(policy)) == []
    assert policy.derives(word)
    rows = [each for each in SHIPPED if word in {each.group, each.name, each.event.removeprefix("$")}]
    assert rows
    assert [each.name for each in policy.derive_rules] == [each.name for each in rows if each.when is not None]
    assert all(policy.derives(each.name) is (each in rows) for each in SHIPPED)


def test_a_name_stands_once_and_is_no_group() -> None:
    """Else a word would mean two things."""
    assert len(set(NAMES)) == len(NAMES)
    assert not set(GROUPS) & set(NAMES)


def test_rules_of_a_policy_stand_among_the_words_and_win() -> None:
    """In the order of the list, each once, whichever word names it; the policy's own in place of one of its name."""
    policy = parse_policy("derive: [db, web, slow_query, page_viewed]", source="p")
    assert [each.name for each in policy.derive_rules] == [
        *("slow_query", "page_viewed", "api_request", "unrouted_page", "unrouted_api_request"),
        *("api_error_occurred", "api_timeout"),
    ]
    own = replace(policy, derive=("web", OWN))
    assert list(problems(own)) == []
    assert [(each.name, each.event) for each in own.derive_rules][-1] == ("page_viewed", "seen")
    assert "unrouted_page" not in [each.name for each in own.derive_rules]


def test_thresholds_and_routes_are_the_policys() -> None:
    """A list of routes replaces the built-in one or adds to it; durations and the status are numbers."""
    policy = parse_policy(
        "derive: [web, db, search, exports]\n"
        "derive_options: {slow_query_ms: 5, slow_request_ms: 1, error_status_code: 404, also_api_routes: [/v1/*], "
        "search_routes: [/find], export_routes: [/dump]}\n",
        source="p",
    )
    rules = Recogniser(policy)

    def names(item: SpanRecord) -> list[str]:
        return [each.name for each in record_signals(item, rules)]

    assert names(span("SERVER", **named(http__route="/v1/a"))) == ["api_request"]
    assert names(span("SERVER", **named(http__route="/api/a"))) == ["api_request"]
    assert names(span("CLIENT", 5, db__system="sqlite")) == ["slow_query"]
    assert names(span("SERVER", **named(http__route="/find"))) == ["page_viewed", "search_performed"]
    assert names(span("SERVER", **named(http__route="/search"))) == ["page_viewed"]
    assert names(span("SERVER", **named(http__route="/dump"))) == ["page_viewed", "data_exported"]
    assert names(span("SERVER", **named(http__response__status_code=404))) == ["page_viewed", "api_error_occurred"]
    (page,) = record_signals(span("SERVER", 1, **REQUEST), rules)
    assert page.attributes["analytics.property.is_slow"] is True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("derive: [wbe]", "p:1: rule `wbe` does not exist; did you mean `web`?"),
        ("derive: [qqqq]", "p:1: rule `qqqq` does not exist; there are accounts, "),
        ("derive: web", "p:1: `derive` must be a list; write `derive: [..., ...]`"),
        ("derive: [{name: web, event: a, when: {status: [error]}}]", "p:1: another rule has this name; "),
        ("derive: [{name: a, event: a, when: {status: [error]}, properties: {x: is_slow}}]", "p:1: nothing says what"),
    ],
)
def test_what_is_no_word_is_refused(text: str, said: str) -> None:
    """One line that names the nearest word, or all."""
    with pytest.raises(PolicyError) as refused:
        parse_policy(text, source="p")
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_a_policy_of_python_is_checked_in_the_same_way() -> None:
    """Also one that no file says."""
    (problem,) = problems(Policy(derive=("wbe",)))
    assert (problem.path, problem.fix) == (("derive", 0), "did you mean `web`?")


def test_the_environment_adds_words(tmp_path: Path) -> None:
    """To those of the policy, each once, for an app as for commands."""
    path = tmp_path / "p.yaml"
    path.write_text("derive: [db]\n")
    environ = {"OTEL_POSTHOG_DERIVE": " web, DB ,,accounts", "OTEL_POSTHOG_POLICY": str(path)}
    for policy in (read_settings(environ).policy, read_policy(environ)):
        assert policy.derive == ("db", "web", "accounts")
    given = Policy(derive=(OWN,), derive_options=DeriveOptions(slow_query_ms=1))
    made = read_settings({"OTEL_POSTHOG_DERIVE": "web"}, policy=given).policy
    assert (made.derive, made.derive_options.slow_query_ms) == ((OWN, "web"), 1)
    assert read_settings({"OTEL_POSTHOG_DERIVE": " "}, policy=given).policy.derive == (OWN,)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("web,dbb", "OTEL_POSTHOG_DERIVE: there is no 'dbb'; did you mean `db`?"),
        ("web;db", "OTEL_POSTHOG_DERIVE: one of them is no word; did you mean `web`?"),
    ],
)
def test_a_wrong_word_of_the_environment_ends_the_start(words: str, said: str) -> None:
    """In one line."""
    with pytest.raises(ConfigurationError) as refused:
        read_settings({"OTEL_POSTHOG_DERIVE": words})
    assert str(refused.value) == said


def test_the_command_shows_what_is_in_force(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The words of file and environment, and the rules that they stand for."""
    from otel_posthog.apps.cli import main  # noqa: PLC0415

    monkeypatch.setenv("OTEL_POSTHOG_DERIVE", "db,jobs")
    assert main(["policy", "show", "--section", "derive"]) == 0
    shown = capsys.readouterr().out
    assert "# events are derived by slow_query, job_completed, job_failed\n" in shown
    assert "- db\n- jobs\n" in shown


def test_explain_takes_the_words_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As an app does."""
    from otel_posthog.apps.cli import main  # noqa: PLC0415

    attributes = [
        {"key": "http.route", "value": {"stringValue": "/a"}},
        {"key": "http.method", "value": {"stringValue": "GET"}},
    ]
    ids = {"traceId": "1" * 32, "spanId": "1" * 16, "endTimeUnixNano": "1790000000000000000"}
    spans = [{"name": "GET /a", "kind": 2, **ids, "attributes": attributes}]
    path = tmp_path / "spans.json"
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    monkeypatch.delenv("OTEL_POSTHOG_POLICY", raising=False)
    told = {}
    for words in ("", "web"):
        monkeypatch.setenv("OTEL_POSTHOG_DERIVE", words)
        assert main(["explain", str(path)]) == 0
        told[words] = capsys.readouterr().out
    assert "page_viewed" not in told[""]
    assert "the policy's rule `page_viewed` makes an event of it" in " ".join(told["web"].split())


def test_the_page_has_the_table() -> None:
    """Each rule and event a row, as `make policy` writes it."""
    page = (DOCS / "derive.md").read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == table().strip()
    assert all(f"| `{name}` | " in page for name in NAMES)
