"""Users on the operational side: ids by other names, in texts and paths, and texts that nobody looks at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanContext, TraceFlags, TraceState

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import (
    RedactingLogRecordExporter,
    RedactingMetricExporter,
    RedactingSpanExporter,
    Redactor,
)
from otel_posthog.policy import OperationalPolicy, Policy, PrivacyPolicy
from otel_posthog.privacy import Filter
from otel_posthog.testing import OtlpSink

GUARD = Guard(Health())


def redactor(policy: Policy | None = None) -> Redactor:
    """Return the filter of the operational side as set-up makes it."""
    policy = policy or Policy()
    return Redactor(policy.operational, Filter(policy.operational_privacy), GUARD)


NAMED = (
    *("user_id", "userId", "user-id", "USER_ID", "userID", "user_ids", "user.id", "current_user_id", "form.user_id"),
    *("user_uuid", "userGuid", "user.hash", "enduser.id", "endUserId", "person_id", "memberId", "visitor_id"),
    *("anonymous_id", "anonymousId", "distinct_id", "posthogDistinctId", "session_id", "sessionId", "session.id"),
    *("session.previous_id", "previous_session_id", "session_uuid", "window.id", "windowId", "device_id", "device.id"),
    *("deviceUUID", "idfv", "gaid", "androidId", "feature_flag.context.id", "targetingKey", "created_by_user_id"),
    *("process.owner", "processOwner", "process_owner"),
)
HARMLESS: dict[str, Any] = {
    "order.owner": "team-a",
    "user_id_count": 12,
    "user_ids_total": 3,
    "has_session_id": True,
    "user_id_type": "uuid",
    "session_id_source": "cookie",
    "user_id": None,
    "user_agent.original": "curl/8",
    "useridle": "x",
    "superuser_identity": "x",
    "order_id": "o-1",
    "tenant.id": "t-1",
    "build_id": "b-1",
    "trace_id": "4711",
    "thread.id": 17,
    "process.user.id": 1000,
    "process.real_user.id": 1000,
    "service.instance.id": "i-1",
    "k8s.pod.uid": "p-1",
    "host.id": "h-1",
    "app.installation.id": "2ab2916d-a51f-4ac8-80ee-45ac31a28092",
}


@pytest.mark.parametrize("key", NAMED)
@pytest.mark.parametrize(
    "value", ["u-4711", "7", 4711, ["u-1", "u-2"], {"a": 1}, "550e8400-e29b-41d4-a716-446655440000"]
)
def test_an_attribute_named_as_an_id_is_removed(key: str, value: Any) -> None:
    """Of a user, session, device or visitor, however the app writes the name; with the detectors off as well."""
    given = {key: value, "plan": "pro"}
    assert redactor().attributes(given) == {"plan": "pro"}
    assert redactor(Policy(operational=OperationalPolicy(redact=False))).attributes(given) == {"plan": "pro"}


def test_what_only_reads_like_an_id_of_somebody_stays() -> None:
    """Counts and kinds of ids, ids of things, accounts of the operating system."""
    for redact in (True, False):
        policy = Policy(operational=OperationalPolicy(redact=redact))
        assert redactor(policy).attributes(HARMLESS) == HARMLESS


def test_the_list_of_names_is_the_policys() -> None:
    """More by `also_id_keys`; another list, or none, for the operational side alone."""
    more = Policy(privacy=PrivacyPolicy(id_keys=frozenset({"customer id"})))
    assert redactor(more).attributes({"customerId": "c-1", "user_id": "u"}) == {"user_id": "u"}
    given = {"user_id": "u", "user.id": "u"}
    none = OperationalPolicy(user_keys=frozenset(), user_key_prefixes=(), id_keys=frozenset())
    assert redactor(Policy(operational=none)).attributes(given) == given
    some = Policy(operational=OperationalPolicy(id_keys=frozenset({"customer id"})))
    assert redactor(some).attributes({**given, "customer_id": 5}) == {"user_id": "u"}


BODIES = {
    "login ok user_id=7 took=5ms": "login ok user_id=[secret] took=5ms",
    "user_id=ada session_id=s-4711 ok": "user_id=[secret] session_id=[secret] ok",
    'msg="done" userId="ada l" n=1': 'msg="done" userId="[secret]" n=1',
    "user.id=u-1 session.previous_id=s-9": "user.id=[secret] session.previous_id=[secret]",
    "GET /x?user_id=5&page=2": "GET /x?user_id=[secret]&page=2",
    "GET /x?user[id]=5&page=2": "GET /x?user[id]=[secret]&page=2",
    "user_id: 4711 is unknown": "user_id: [secret] is unknown",
    "{'user_id': 5, 'n': 1}": "{'user_id': [secret], 'n': 1}",
    '{"user": {"id": 5, "plan": "pro"}}': '{"user": {"id": "[redacted]", "plan": "pro"}}',
    "<user_id>5</user_id>": "<user_id>[secret]</user_id>",
    "user_ids=[1, 2, 3] n=3": "user_ids=[secret] n=3",
    "feature_flag.context.id=ada window.id=w1": "feature_flag.context.id=[secret] window.id=[secret]",
    "process.owner=adal pid=7": "process.owner=[secret] pid=7",
    '{"process.owner": "adal", "pid": 7}': '{"process.owner": "[redacted]", "pid": 7}',
    "SELECT a FROM b WHERE user_id = 42 AND c = 1": "SELECT a FROM b WHERE user_id = [secret] AND c = 1",
    "user_id=david": "user_id=[secret]",
}
PLAIN = (
    "SELECT a FROM b WHERE user_id = ? AND session_id = %s AND c = $1",
    "create(user_id=user_id, session_id=self.session.id, device_id=UUID)",
    "user_id=none session_id=null",
    "order_id=5 build.id=7 id=9 order.id: 12",
    "the user id is missing",
    "user_id=[email] session_id=[redacted]",
    "user_id_count=5 has_user_id=true",
)


@pytest.mark.parametrize(("body", "clean"), BODIES.items())
def test_an_id_in_a_line_of_text_is_replaced(body: str, clean: str) -> None:
    """logfmt, query strings, SQL, reprs, JSON; one character is enough to be somebody's id."""
    assert redactor().value("body", body) == clean
    assert redactor().value("body", clean) == clean


@pytest.mark.parametrize("text", PLAIN)
def test_a_line_that_only_speaks_of_ids_stays(text: str) -> None:
    """Placeholders, variables of a stack trace, ids of things."""
    assert redactor().text(text) is text


ROUTES = (
    ("/user/<username>", "/user/ada", "/user/<username>"),
    ("/user/<string:username>/edit", "/user/ada/edit?tab=1", "/user/<string:username>/edit?tab=1"),
    ("/users/{id}", "/v1/users/55?x=1", "/v1/users/{id}?x=1"),
    ("/users/{user_id}/posts/{post}", "/users/7/posts/9", "/users/{user_id}/posts/9"),
    ("/u/:username/edit", "http://h.example:80/u/ada/edit#a", "http://h.example:80/u/:username/edit#a"),
    ("^users/(?P<username>[^/]+)/$", "/users/ada/", "/users/<username>/"),
    ("users/<str:username>/", "/users/Ada%20L/", "/users/<str:username>/"),
    ("/session/{session_id:path}", "/session/a/b", "/session/{session_id:path}"),
    ("/reset/<path:token>", "/reset/abc/def", "/reset/<path:token>"),
    ("/{user-id}/x", "/ada/x", "/{user-id}/x"),
    ("/{?email}", "/jo", "/{?email}"),
    # What cannot be matched is not kept: mounted elsewhere, rewritten, or of more than one way to match.
    ("/user/<username>", "/profile/ada", "/user/<username>"),
    ("/user/<username>", "https://x.example/profile", "https://x.example/user/<username>"),
    ("/<path:a>/user/<path:username>", "/x/user/ada", "/<path:a>/user/<path:username>"),
)
UNCHANGED = (
    ("/orders/<int:id>", "/orders/5"),
    ("/orders/{order_id}", "/orders/o-1"),
    ("/user/profile", "/user/profile"),
    ("/user/<email_type>", "/user/work"),
    ("/a/b", "/other"),
    ("", "/x"),
)


@pytest.mark.parametrize("path_key", ["url.path", "http.target", "url.full", "http.url"])
@pytest.mark.parametrize("template_key", ["http.route", "url.template"])
@pytest.mark.parametrize(("template", "path", "clean"), ROUTES)
def test_a_path_gets_the_routes_part_where_the_route_says_whose_it_is(
    template: str, path: str, clean: str, template_key: str, path_key: str
) -> None:
    """The templates of the frameworks, under old and new names of the conventions, with host and query."""
    given = {template_key: template, path_key: path}
    assert redactor().attributes(given) == {template_key: template, path_key: clean}


@pytest.mark.parametrize(("template", "path"), UNCHANGED)
def test_a_path_whose_route_names_nobody_stays(template: str, path: str) -> None:
    """The same object."""
    given = {"http.route": template, "url.path": path}
    assert redactor().attributes(given) is given


def test_a_long_route_against_a_long_path_takes_no_long_time() -> None:
    """Whatever a client asks for."""
    route = "/".join(f"{{user_id{number}}}" for number in range(80))
    path = "/".join("a" * 3 for _ in range(20_000))
    clean = redactor().attributes({"http.route": f"/{route}/x", "url.path": path})
    assert str(clean["url.path"]).startswith("/{user_id0}")


MAIL = "jo.doe@planted.example.org"
OTHERS = trace.Link(SpanContext(1, 2, True, TraceFlags(1), TraceState([("vendor", MAIL), ("ok", "1")])), {"note": MAIL})


def _emitted(sink: OtlpSink) -> None:
    """Emit a span, a log record and a metric with an address in every text that there is."""
    resource, guarded = Resource({"note": MAIL}, f"https://schema.example/{MAIL}"), redactor()
    traces = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter: Any = RedactingSpanExporter(OTLPSpanExporter(endpoint=f"{sink.url}/v1/traces"), guarded, GUARD)
    traces.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = traces.get_tracer(MAIL, MAIL, MAIL, {"note": MAIL})
    parent = trace.set_span_in_context(trace.NonRecordingSpan(OTHERS.context))
    span = tracer.start_span(MAIL, parent, attributes={"note": MAIL}, links=[OTHERS])
    span.add_event(MAIL, {"note": MAIL})
    span.set_status(trace.StatusCode.ERROR, MAIL)
    span.end()
    loggers = LoggerProvider(resource=resource, shutdown_on_exit=False)
    exporter = RedactingLogRecordExporter(OTLPLogExporter(endpoint=f"{sink.url}/v1/logs"), guarded, GUARD)
    loggers.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    record = LogRecord(body=MAIL, severity_text=f"INFO {MAIL}", event_name=MAIL, attributes={"note": MAIL})
    loggers.get_logger(MAIL, MAIL, MAIL, {"note": MAIL}).emit(record)
    exporter = RedactingMetricExporter(OTLPMetricExporter(endpoint=f"{sink.url}/v1/metrics"), guarded, GUARD)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    meters = MeterProvider([reader], resource, shutdown_on_exit=False)
    meter = meters.get_meter(MAIL, MAIL, MAIL, {"note": MAIL})
    meter.create_counter("seen", unit=MAIL, description=f"of {MAIL}").add(1, {"note": MAIL})
    for provider in (traces, loggers, meters):
        provider.shutdown()


def test_no_text_of_an_item_goes_on_unseen() -> None:
    """A log's severity, a metric's description and unit, the state of a trace, versions and schemas too."""
    with OtlpSink() as sink:
        _emitted(sink)
        raw = b"".join(request.body for request in sink.requests)
        assert MAIL.encode() not in raw
        assert (len(sink.spans), len(sink.logs), len(sink.metrics)) == (1, 1, 1)
        assert sink.logs[0].severity_text == "INFO [email]"
        assert b"of [email]" in raw


@pytest.mark.parametrize("given", [{"user_id": "u-1"}, {"plan": "pro"}])
def test_the_verdict_on_a_key_is_remembered_and_the_same(given: Mapping[str, Any]) -> None:
    """Twice the same."""
    made = redactor()
    assert made.attributes(given) == made.attributes(given) == ({} if "user_id" in given else given)
