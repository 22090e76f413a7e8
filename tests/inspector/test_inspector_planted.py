"""Whatever an app does, nothing of it from before the filters reaches a viewer, unless the app was told to show it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from clean import TIME_NS, policy
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, Status, StatusCode

from otel_posthog import user_context
from otel_posthog.deliver import Preview
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.inspection.explaining import Explaining
from otel_posthog.inspection.feed import Feed
from otel_posthog.inspection.form import Values
from otel_posthog.intake import LogIntake, SpanIntake
from otel_posthog.operational import Redactor, detach
from otel_posthog.pipeline import Pipeline
from otel_posthog.privacy import Filter

# No detector knows it: only what is never handed out keeps it back.
TOKEN = "zqplanted"
SECRETS = st.integers(0, 99_999_999).map(lambda number: f"{TOKEN}{number}")
MAILS = SECRETS.map(lambda secret: f"{secret}@{TOKEN}.example.org")
# Values of any type that an attribute may have, with a planted one in it.
TEXTS = st.one_of(SECRETS, SECRETS.map(lambda each: f"by {each}, again"), MAILS)
VALUES = st.one_of(TEXTS, st.lists(TEXTS, min_size=1, max_size=3))
# Instrumentations' keys, none of which is on the allow-list.
KEYS = st.sampled_from(
    ["url.full", "url.query", "db.query.text", "db.statement", "http.request.header.cookie", "client.address", "x.y",
     "exception.message", "code.stacktrace", "user.id", "enduser.id", "session.id", "user.email", "thread.name"]
)  # fmt: skip
# Of what an app declares the detectors and the key rules keep it back.
DECLARED = st.dictionaries(
    st.sampled_from(["analytics.customer_email", "analytics.password", "analytics.auth_token"]), TEXTS, max_size=2
)
NOTES = st.dictionaries(st.sampled_from(["analytics.note", "analytics.text"]), MAILS.map("mail {}".format), max_size=2)
# Who acts, and what is keyed by them.
IDS = st.one_of(st.none(), SECRETS)


class Looked:
    """A pipeline with an inspector's feed, and all that a viewer gets of it."""

    def __init__(self, folder: Path, values: Values) -> None:
        health = Health()
        guard = Guard(health)
        rules = policy("http://127.0.0.1:9")
        # Nothing is sent: a sender's pauses are random, and Hypothesis watches whoever asks for something random.
        delivery = Preview(rules, health, guard)
        self.pipeline = Pipeline(rules, installation_id="i-1", health=health, guard=guard, delivery=delivery)
        redactor = Redactor(rules.operational, Filter(rules.operational_privacy), guard)
        explaining = Explaining(self.pipeline, redactor, values)
        self.feed = Feed(
            self.pipeline, explaining, health=health, guard=guard, directory=folder, is_opted_out=lambda: False
        )
        resource = Resource({"service.name": "shop", "host.name": TOKEN, "process.command_line": f"run {TOKEN}"})
        tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource=resource)
        submit, flush, close = self.pipeline.submit, self.pipeline.flush, self.pipeline.flush_for_exit
        rule = self.pipeline.recogniser
        tracers.add_span_processor(SpanIntake(submit, detach, guard, flush=flush, close=close, recogniser=rule))
        loggers.add_log_record_processor(LogIntake(submit, guard, flush=flush, close=close, recogniser=rule))
        self.tracer, self.logger = tracers.get_tracer(TOKEN), loggers.get_logger(TOKEN)
        self.feed.start()
        path = _there(folder)
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.settimeout(20)
        self._connection.connect(str(path))
        self._lines = self._connection.makefile("rb")

    def close(self) -> None:
        """End it."""
        self.feed.close()
        self._lines.close()
        self._connection.close()
        self.pipeline.shutdown(0)

    def until(self, wanted: Any) -> list[dict[str, Any]]:
        """Return what the viewer gets until a message is `wanted`."""
        found = list[dict[str, Any]]()
        while not found or not wanted(found[-1]):
            found.append(json.loads(self._lines.readline()))
        return found

    def ask(self, *questions: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what the viewer gets until its questions are answered."""
        for each in questions:
            self._connection.sendall(json.dumps({"type": "rule", "id": 1, **each}).encode() + b"\n")
        return [got for _ in questions for got in self.until(lambda each: each["type"] == "answer")]


def _there(folder: Path) -> Path:
    deadline = time.monotonic() + 20
    while not (found := list(folder.glob("[0-9]*.sock"))):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found[0]


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    """An app that shows what leaves."""
    made = Looked(tmp_path_factory.mktemp("app") / "inspect", Values.LEAVING)
    yield made
    made.close()


@pytest.fixture(scope="module")
def open_looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    """An app that shows values as they were."""
    made = Looked(tmp_path_factory.mktemp("app") / "inspect", Values.ALL)
    yield made
    made.close()


def emit(looked: Looked, drawn: Sequence[Any], user: str | None) -> None:
    """Emit a span with events, a log record, an event that is none, and operational ones, with planted values."""
    name, attributes, declared, value = drawn
    who = (
        {}
        if user is None
        else {
            "analytics.user.id": user,
            f"seen.by.{user}": True,
        }
    )
    given = {**attributes, **declared, **who}
    with user_context(distinct_id=user) if user else user_context():
        for marked in ({"analytics.event": "seen"}, {}, {"analytics.event": f"mail {TOKEN}@{TOKEN}.example.org"}):
            span = looked.tracer.start_span(f"GET /{name}", kind=SpanKind.SERVER, attributes={**given, **marked})
            span.add_event(f"analytics.{'x' * 200}{name}", {"note": value} if isinstance(value, str) else {})
            span.add_event(name, attributes)
            span.record_exception(ValueError(name), attributes={"exception.stacktrace": name})
            span.set_status(Status(StatusCode.ERROR, name))
            span.end(TIME_NS)
        looked.logger.emit(timestamp=TIME_NS, body=value, attributes=attributes, severity_text=name)
        looked.logger.emit(timestamp=TIME_NS, body=name, attributes=given, event_name="analytics.logged")
        looked.logger.emit(timestamp=TIME_NS, attributes=given, event_name=f"analytics.{name}" + "x" * 200)


DRAWN = st.tuples(SECRETS, st.dictionaries(KEYS, VALUES, max_size=5), st.one_of(DECLARED, NOTES), VALUES)


# To shrink what takes threads and sockets would take minutes.
@settings(
    max_examples=10,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(DRAWN, IDS)
def test_no_planted_value_reaches_a_viewer(looked: Looked, drawn: Any, user: str | None) -> None:
    """By no entrance: items, states, rules and their refusals hold what leaves, and of the rest keys and rules."""
    emit(looked, drawn, user)
    got = looked.until(lambda each: each["type"] == "item" and "logged" in json.dumps(each.get("events")))
    got += looked.until(lambda each: each["type"] == "state")
    seq = max(each["seq"] for each in got if each["type"] == "item")
    rules = (("derive", ""), ("allow", "url.full"), ("allow", "x.y"), ("sensitive_key", "note"))
    last = range(max(1, seq - 7), seq + 1)
    got += looked.ask(*({"seq": at, "kind": kind, "key": key} for kind, key in rules for at in last))
    assert [each for each in got if TOKEN in json.dumps(each)] == []


def test_where_the_app_was_told_to_they_do(open_looked: Looked) -> None:
    """The same values reach a viewer of an app that was started so: the search above would find them."""
    drawn = (f"{TOKEN}1", {"url.full": f"{TOKEN}2"}, {"analytics.note": f"mail {TOKEN}3@a.example.org"}, f"{TOKEN}4")
    emit(open_looked, drawn, f"{TOKEN}5")
    got = open_looked.until(lambda each: each["type"] == "state" and each["last_seq"] >= 6)
    got += open_looked.until(lambda each: each["type"] == "state")
    assert [number for number in "12345" if f"{TOKEN}{number}" not in json.dumps(got)] == []
