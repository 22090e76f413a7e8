"""The notes apps: with no line of analytics in them, every request of a hundred people is an event of the right one."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest
from notes import EXAMPLES, SERVED, Step, notes_app, user_ids, visits

from otel_posthog.testing import FakePostHog, OtlpSink

PEOPLE = 100
ALLOWED = {"notes_flask", "notes_django", "notes_fastapi"}
# Queries of every app go through these; what an app does not have loads nothing.
LEFT_OUT = "celery,pymongo,urllib3"
PAGES = [
    "home",
    "sign up",
    "log in wrongly",
    "log in",
    "notes",
    "write",
    "note",
    "search",
    "export",
    "report",
    "broken",
    "log out",
    "home again",
]
# Of a request, beside what a page or an API has: of every app, and of those whose framework tells of accounts.
BESIDE = {
    "search": ["search_performed"],
    "export": ["data_exported"],
    "report": ["slow_query"],
    "broken": ["api_error_occurred", "$exception"],
    "broken api": ["api_error_occurred", "$exception"],
}
ACCOUNTS: dict[str, dict[str, list[str]]] = {
    "flask": {"log in": ["user_logged_in"], "log out": ["user_logged_out"]},
    "django": {
        "log in": ["user_logged_in"],
        "log out": ["user_logged_out"],
        "log in wrongly": ["login_failed"],
    },
    "fastapi": {},
}
# The app knows nobody in them; that of a log-in knows them once they are logged in.
BEFORE = {"home", "sign up", "log in wrongly", "home again"}


def expected(name: str, step: Step) -> list[str]:
    """Return the events of one request."""
    accounts = ACCOUNTS[name.partition("-")[0]]
    page = "page_viewed" if step.name in PAGES else "api_request"
    return [page, *BESIDE.get(step.name, ()), *accounts.get(step.name, ())]


def arrived(posthog: FakePostHog) -> Counter[tuple[str, str]]:
    """Return how often each event came, by trace."""
    return Counter((each.properties["$trace_id"], each.event) for each in posthog.unique_events)


def is_known(name: str, step: Step) -> bool:
    """Return whether the app knows who makes a request by the time that it is answered."""
    return step.name not in BEFORE and not (name == "fastapi" and step.name == "log in")


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_the_apps_know_nothing_of_telemetry(name: str) -> None:
    """They import their framework and the standard library, as apps do that nobody has written for this package."""
    for source in (EXAMPLES / name).glob("*.py"):
        text = source.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"opentelemetry", "otel_posthog", "posthog"} & {each.partition(".")[0] for each in names}


@pytest.mark.parametrize("name", SERVED)
def test_every_request_is_an_event_of_whoever_makes_it(
    name: str, tmp_path: Path, fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """A hundred at once, two workers, threads and async: none of another person, and no user's id on the other side."""
    with notes_app(
        name,
        tmp_path,
        otlp=otlp_sink.url,
        posthog=fake_posthog.url,
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=LEFT_OUT,
        OTEL_POSTHOG_DERIVE="web,db,search,exports,accounts",
        OTEL_POSTHOG_IDENTITY="identified",
        OTEL_POSTHOG_STATE_DIR=str(tmp_path / "state"),
        OTEL_POSTHOG_SPOOL_DIR=str(tmp_path / "spool"),
    ) as (tree, port):
        steps = visits(port, PEOPLE, PEOPLE)
        ids = user_ids(name, tmp_path)
        due = Counter((trace, event) for trace, step in steps.items() for event in expected(name, step))
        fake_posthog.wait_until(lambda: not due - arrived(fake_posthog), 60)
        tree.end()
    assert len(ids) == PEOPLE
    came = arrived(fake_posthog)
    assert not due - came
    # A hundred people who write into one SQLite file wait for one another.
    assert {event for _, event in came - due} <= {"slow_query"}
    for each in fake_posthog.unique_events:
        step = steps[each.properties["$trace_id"]]
        who = each.distinct_id if each.distinct_id == ids[step.email] else each.distinct_id.partition("-")[0]
        if (step.name, each.event) == ("log in", "slow_query"):
            assert who in {ids[step.email], "installation"}  # it looked the user up
        else:
            assert who == (ids[step.email] if is_known(name, step) else "installation"), (each.event, step)
    assert len({each.trace_id for each in otlp_sink.spans}) == len(steps)
    for email, user_id in ids.items():
        for secret in (user_id, user_id.replace("-", ""), email):
            assert secret.encode() not in otlp_sink.raw_bytes
    sent = str(fake_posthog.unique_events)
    assert "@planted" not in sent
