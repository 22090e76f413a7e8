"""What a rule asks of the spans inside a request: in an app, of real spans, in bounded memory; nowhere else."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import context
from opentelemetry.instrumentation.dbapi import trace_integration, unwrap_connect
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, Tracer, set_span_in_context

from otel_posthog.errors import Guard, PolicyError
from otel_posthog.health import Health
from otel_posthog.intake import SpanIntake
from otel_posthog.intake.otlp.records import SpanRecord
from otel_posthog.intake.signals import record_signals
from otel_posthog.model import Signal
from otel_posthog.operational import detach
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.recogniser import Recogniser

TEXT = """
derive:
  - name: post
    event: post_created
    when:
      attributes: {http.route: {equals: /create}}
      child: {db.operation.name: INSERT, db.collection.name: post}
  - name: no_post
    event: post_refused
    when:
      attributes: {http.route: {equals: /create}}
      without_child: {db.operation.name: INSERT, db.collection.name: post}
  - name: mailed
    event: mail_sent
    when: {kind: [consumer], child: {server.address: "*.mail.example"}}
"""
POLICY = parse_policy(TEXT, source="p")


class App:
    """A provider with our processor, and what it made."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.provider = TracerProvider(shutdown_on_exit=False)
        guard, rules = Guard(Health()), Recogniser(POLICY)
        self.provider.add_span_processor(
            SpanIntake(self.signals.append, detach, guard, flush=bool, close=lambda: None, recogniser=rules)
        )

    @property
    def tracer(self) -> Tracer:
        """A tracer."""
        return self.provider.get_tracer("t")

    def request(self, *children: dict[str, Any], kind: SpanKind = SpanKind.SERVER) -> list[str]:
        """Return the events of a request with spans of these attributes in it."""
        self.signals.clear()
        with self.tracer.start_as_current_span("r", kind=kind, attributes={"http.route": "/create"}):
            for each in children:
                with self.tracer.start_as_current_span("c", kind=SpanKind.CLIENT, attributes=each):
                    pass
        return [each.name for each in self.signals]


@pytest.fixture
def app() -> Iterator[App]:
    """An app, shut down afterwards."""
    made = App()
    yield made
    made.provider.shutdown()


INSERTED: list[dict[str, Any]] = [
    {"db.operation.name": "INSERT", "db.collection.name": "post"},
    {"db.operation": "insert", "db.sql.table": "post"},
    {"db.system": "sqlite", "db.statement": "INSERT INTO post (title) VALUES (?)"},
    {"db.system.name": "sqlite", "db.query.text": 'insert into "post" values (1)'},
]
OTHERS: list[dict[str, Any]] = [
    {},
    {"db.operation.name": "INSERT", "db.collection.name": "user"},
    {"db.statement": "SELECT * FROM post"},
    {"db.statement": "UPDATE t SET a = 'INSERT INTO post'"},
    {"db.statement": "INSERT INTO posts VALUES (1)"},
]


@pytest.mark.parametrize("child", INSERTED)
def test_a_request_is_told_by_what_it_did(app: App, child: dict[str, Any]) -> None:
    """Under either convention, by name or by statement; another request begins with nothing."""
    assert app.request({"db.system": "sqlite", "db.statement": "SELECT 1"}, child) == ["post_created"]
    assert app.request() == ["post_refused"]


@pytest.mark.parametrize("child", OTHERS)
def test_another_child_is_none(app: App, child: dict[str, Any]) -> None:
    """One of the conditions is not all of them."""
    assert app.request(child) == ["post_refused"]


def test_a_form_stands_for_many(app: App) -> None:
    """`*` as elsewhere."""
    assert app.request({"server.address": "a.mail.example"}, kind=SpanKind.CONSUMER) == ["post_refused", "mail_sent"]
    assert app.request({"server.address": "mail.example"}, kind=SpanKind.CONSUMER) == ["post_refused"]


def test_a_child_may_be_far_inside_or_on_another_thread(app: App) -> None:
    """Whatever is inside the request counts, if it has ended by then."""
    with app.tracer.start_as_current_span("r", kind=SpanKind.SERVER, attributes={"http.route": "/create"}):
        here = context.get_current()

        def work() -> None:
            token = context.attach(here)
            with (
                app.tracer.start_as_current_span("service"),
                app.tracer.start_as_current_span("db", kind=SpanKind.CLIENT, attributes=INSERTED[2]),
            ):
                pass
            context.detach(token)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert [each.name for each in app.signals] == ["post_created"]


def test_requests_beside_each_other_know_their_own(app: App) -> None:
    """Also where one ends in the other's time; what ends later is too late."""
    first = app.tracer.start_span("a", kind=SpanKind.SERVER, attributes={"http.route": "/create"})
    second = app.tracer.start_span("b", kind=SpanKind.SERVER, attributes={"http.route": "/create"})
    around = set_span_in_context(first)
    app.tracer.start_span("c", context=around, kind=SpanKind.CLIENT, attributes=INSERTED[0]).end()
    app.tracer.start_span("d", context=set_span_in_context(second), attributes=OTHERS[1]).end()
    late = app.tracer.start_span("e", context=set_span_in_context(second), attributes=INSERTED[0])
    second.end()
    late.end()
    first.end()
    assert [each.name for each in app.signals] == ["post_refused", "post_created"]


def test_a_request_remembers_no_more_than_the_rules_ask(app: App) -> None:
    """However many spans are inside it."""
    with app.tracer.start_as_current_span("r", kind=SpanKind.SERVER) as span:
        for at in range(300):
            attributes = {"db.statement": f"INSERT INTO post VALUES ({at})", "server.address": f"{at}.mail.example"}
            app.tracer.start_span("c", kind=SpanKind.CLIENT, attributes=attributes).end()
        record = span.otel_posthog_scope.record  # type: ignore[attr-defined]
        assert len(record.children) == 2


def test_contribs_database_spans_are_children(app: App) -> None:
    """Of `sqlite3`, by the instrumentation that `opentelemetry-instrument` starts."""
    trace_integration(sqlite3, "connect", "sqlite", tracer_provider=app.provider)  # type: ignore[arg-type]
    try:
        connection = sqlite3.connect(":memory:")
        connection.cursor().executescript("CREATE TABLE post (title text); CREATE TABLE user (name text)")
        for statement in ("INSERT INTO user VALUES (?)", "INSERT INTO post VALUES (?)"):
            with app.tracer.start_as_current_span("r", kind=SpanKind.SERVER, attributes={"http.route": "/create"}):
                connection.cursor().execute(statement, ("Ludwig",))
        connection.close()
    finally:
        unwrap_connect(sqlite3, "connect")  # type: ignore[arg-type]
    assert [each.name for each in app.signals] == ["post_refused", "post_created"]


def test_nothing_is_told_of_a_request_that_was_not_seen() -> None:
    """What comes over a wire comes in parts, or not at all: neither what is asked for nor what is not."""
    span = SpanRecord("r", {"http.route": "/create"}, 1, 1, 9, (), "", {}, kind="SERVER")
    assert record_signals(span, Recogniser(POLICY)) == []
    assert POLICY.in_app_rules == ("post", "no_post", "mailed")


def test_a_gateway_names_the_rules_that_it_does_not_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, and takes no port before it."""
    from otel_posthog.apps.cli import main  # noqa: PLC0415

    path = tmp_path / "p.yaml"
    path.write_text(f"{TEXT}  - {{name: anywhere, event: a, when: {{status: [error]}}}}\n")
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_test")
    monkeypatch.setenv("OTEL_POSTHOG_SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("OTEL_POSTHOG_STATE_DIR", str(tmp_path / "state"))
    arguments = ["gateway", "--policy", str(path), "--port", "0", "--tokens-file", str(tmp_path / "none")]
    assert main(arguments) != 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "otel-posthog gateway: not followed here, but in apps only: the derive rules post, no_post, mailed"
    )
    assert not any("anywhere" in each for each in lines)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("kind: [client], child: {db.collection.name: a}", "only a request has children"),
        ("signal: log, event_name: [a], child: {db.collection.name: a}", "only a request has children"),
        ("child: {db.sql.table: a}", "`db.sql.table` is an older name"),
    ],
)
def test_what_cannot_be_meant_is_refused(when: str, said: str) -> None:
    """With its line."""
    with pytest.raises(PolicyError, match=said):
        parse_policy(f"derive: [{{name: a, event: b, when: {{{when}}}}}]", source="p")
