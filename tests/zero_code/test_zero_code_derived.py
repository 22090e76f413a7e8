"""Apps without a line of analytics, unchanged, under `opentelemetry-instrument`: the events that words switch on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from instrumented import SUPPORT, instrumented

from otel_posthog.testing import FakePostHog, OtlpSink

POLICY = "derive: [web]\nderive_options: {slow_query_ms: 50, slow_request_ms: 60000}\n"
WORDS = "db,jobs,calls,search,exports"
FRAMEWORKS = {
    "flask": "flask,requests,celery,dbapi",
    "django": "django,requests,celery,dbapi",
    "fastapi": "fastapi,asgi,celery,dbapi,httpx",
}
CONVENTIONS = {"old": "", "new": "http,database"}
RUNS = [(framework, when) for framework in FRAMEWORKS for when in CONVENTIONS]
PAGES = Counter(["/", "/orders/N", "/search", "/orders/export", "/report", "/pay", "/wait", "/queue"])


class Outcome(NamedTuple):
    """What came of a run: each event's name and properties, and all bytes of either side."""

    framework: str
    events: list[tuple[str, dict[str, Any]]]
    exported: bytes

    def of(self, name: str) -> list[dict[str, Any]]:
        """Return the properties of the events of this name."""
        return [properties for event, properties in self.events if event == name]


def visited(framework: str, when: str, policy: Path) -> Outcome:
    """Visit an app that runs under one of the conventions."""
    variables = {
        "OTEL_POSTHOG_POLICY": str(policy),
        "OTEL_POSTHOG_DERIVE": WORDS,
        "OTEL_SEMCONV_STABILITY_OPT_IN": CONVENTIONS[when],
        "DJANGO_SETTINGS_MODULE": "unchanged_django" if framework == "django" else "",
        "PYTHONPATH": str(SUPPORT),
    }
    with FakePostHog() as posthog, OtlpSink() as sink:
        program = str(SUPPORT / f"unchanged_{framework}.py")
        run = instrumented(program, otlp=sink.url, posthog=posthog.url, needed=FRAMEWORKS[framework], **variables)
        assert run.returncode == 0, run.out
        assert "done" in run.out.splitlines(), run.out
        found = [(each.event, dict(each.properties)) for each in posthog.unique_events]
        return Outcome(framework, found, sink.raw_bytes)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Future[Outcome]]]:
    """Start all of them, two at a time."""
    policy = tmp_path_factory.mktemp("policy") / "policy.yaml"
    policy.write_text(POLICY)
    with ThreadPoolExecutor(2) as pool:
        yield {each: pool.submit(visited, *each, policy) for each in RUNS if find_spec(each[0])}


@pytest.fixture(scope="module", params=RUNS, ids="-".join)
def outcome(request: pytest.FixtureRequest, outcomes: dict[tuple[str, str], Future[Outcome]]) -> Outcome:
    """Wait for one."""
    if request.param not in outcomes:
        pytest.skip(f"needs {request.param[0]}")
    return outcomes[request.param].result()


def route_of(properties: dict[str, Any]) -> str:
    """Return a route with one form for each framework's."""
    return str(properties.get("route")).replace("{number}", "N").replace("<int:number>", "N")


def test_each_page_is_viewed_once(outcome: Outcome) -> None:
    """With its route, also `/`; no file, no unknown path, and no part of a request as one of its own."""
    pages = outcome.of("page_viewed")
    routes = Counter(route_of(each) for each in pages)
    # The server of these tests tells Django's instrumentation no path under the new conventions.
    unrouted = routes.pop("None", 0)
    assert unrouted <= (outcome.framework == "django")
    assert routes + Counter({"/": unrouted}) == PAGES
    for each in pages:
        assert (each["method"], each["status_class"], each["is_slow"]) == ("GET", "2xx", False)
        assert each["duration_ms"] > 0


def test_what_programs_ask_is_told_apart(outcome: Outcome) -> None:
    """By its route; what fails is an error as well, of a kind and never with a message."""
    assert Counter((route_of(each), each["status_class"]) for each in outcome.of("api_request")) == {
        ("/api/orders", "2xx"): 1,
        ("/api/broken", "5xx"): 1,
    }
    (error,) = outcome.of("api_error_occurred")
    assert (error["route"], error["method"], error["status_code"], error["error_type"]) == (
        *("/api/broken", "GET", 500, "500"),
    )


def test_a_slow_query_tells_what_it_did_and_never_the_statement(outcome: Outcome) -> None:
    """By the statement, as the instrumentation writes no more."""
    (query,) = outcome.of("slow_query")
    assert (query["system"], query["operation"], query["collection"]) == ("sqlite", "SELECT", "orders")
    assert query["duration_ms"] >= 50


def test_calls_that_fail_tell_whom_and_why(outcome: Outcome) -> None:
    """A status or the type of the exception; the one that took too long is a time-out as well."""
    failed = {each["error_type"]: each for each in outcome.of("external_call_failed")}
    assert set(failed) == {"503", "ReadTimeout"}
    assert all((each["host"], each["method"]) == ("127.0.0.1", "GET") for each in failed.values())
    assert failed["503"]["status_code"] == 503
    (late,) = outcome.of("api_timeout")
    assert (late["error_type"], late["kind"], late["host"]) == ("ReadTimeout", "client", "127.0.0.1")


def test_jobs_searches_and_exports_are_told(outcome: Outcome) -> None:
    """Each once, by its name or route."""
    (done,), (failed,) = outcome.of("job_completed"), outcome.of("job_failed")
    assert (done["job"], failed["job"], failed["error_type"]) == ("shop.mail", "shop.charge", "LookupError")
    assert [each["route"] for each in outcome.of("search_performed")] == ["/search"]
    assert [each["route"] for each in outcome.of("data_exported")] == ["/orders/export"]


def test_nothing_of_what_people_and_databases_say_is_in_any_event(outcome: Outcome) -> None:
    """No query, statement, message, argument of a job; and nothing of the product side in an exported byte."""
    told = json.dumps(outcome.events)
    assert not [each for each in ("ludwig", "4111", "SELECT wait", "customer") if each in told]
    assert b"analytics." not in outcome.exported


def test_without_a_word_nothing_is_derived(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """The same app, as it was before."""
    pytest.importorskip("flask")
    program = str(SUPPORT / "unchanged_flask.py")
    run = instrumented(
        program, otlp=otlp_sink.url, posthog=fake_posthog.url, needed=FRAMEWORKS["flask"], PYTHONPATH=str(SUPPORT)
    )
    assert run.returncode == 0, run.out
    assert fake_posthog.unique_events == []
    assert any(each.name == "GET /report" for each in otlp_sink.spans)


def test_a_wrong_word_is_one_line_and_the_app_runs(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """It names the nearest; product data is taken off the app's telemetry all the same."""
    program = tmp_path / "app.py"
    program.write_text("print('done')\n")
    run = instrumented(str(program), otlp=otlp_sink.url, OTEL_POSTHOG_DERIVE="web,dbb")
    assert run.returncode == 0
    assert "OTEL_POSTHOG_DERIVE: there is no 'dbb'; did you mean `db`?" in run.out
    assert "Traceback" not in run.out
