"""Journeys through a web app, a Celery worker and a second service: real processes under `opentelemetry-instrument`."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from instrumented import NOT_NEEDED
from ports import free_port
from processes import PROGRAMS, command, environment, running

from otel_posthog.testing import FakePostHog, OtlpSink

INSTRUMENT = command("opentelemetry-instrument")
WORKER = (INSTRUMENT, command("celery"), "-A", "journey_tasks", "worker", "--pool=prefork", "-c", "2", "-l", "INFO")
USERS = [f"ada-{number}-lovelace" for number in range(5)]
NEEDED = {"celery", "requests", "flask"}
# To one project with users' ids, to another as each day's.
POLICY = """
version: 1
identity: identified
destinations:
  - {name: default}
  - {name: vendor, api_key: phc_vendor, identity: daily, host: %s}
"""
ONBOARDING = ["journey_started", "profile", "workspace", "welcome", "journey_completed"]


class Seen:
    """What three processes sent.

    Args:
        projects: What each project of PostHog got.
        sink: What the operational side got.
    """

    def __init__(self, projects: dict[str, FakePostHog], sink: OtlpSink) -> None:
        self.projects, self.sink = projects, sink
        self.tours: list[tuple[str, int]] = []

    def journeys(self, project: str, name: str) -> dict[str, list[Any]]:
        """Return the events of each journey by its id, in the order of their times."""
        found = defaultdict[str, list[Any]](list)
        for each in self.projects[project].unique_events:
            if each.properties.get("journey") == name:
                found[each.properties["journey_id"]].append(each)
        return {key: sorted(each, key=lambda event: event.timestamp) for key, each in found.items()}


def labels(events: list[Any]) -> list[str]:
    """Return the names of events, of a step's the step's."""
    return [each.properties["step"] if each.event == "journey_step_completed" else each.event for each in events]


def wait_until_it_answers(url: str) -> None:
    """Wait until a server listens."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.ConnectionError):
            requests.get(url, timeout=10)
            return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


def onboard(web: str, asked: dict[str, str]) -> int:
    """Begin the onboarding of a user, and return the status."""
    return requests.post(f"{web}/onboarding", json=asked, timeout=30).status_code


def take_the_tour(web: str) -> list[tuple[str, int]]:
    """Visit three pages of one browser, of which the last is broken."""
    with requests.Session() as browser:
        pages = ("map", "search", "broken")
        answers = [browser.post(f"{web}/tour", json={"user": USERS[0], "page": page}, timeout=30) for page in pages]
    return [(each.text if each.ok else "", each.status_code) for each in answers]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """All of it, once: five users who are onboarded at the same time, and a browser that comes back twice."""
    folder = tmp_path_factory.mktemp("journeys")
    for name in ("queue", "control"):
        (folder / name).mkdir()
    web, service = free_port(), free_port()
    with (
        FakePostHog() as own,
        FakePostHog(api_key="phc_vendor") as vendor,
        OtlpSink() as sink,
        contextlib.ExitStack() as stack,
    ):
        policy = folder / "policy.yaml"
        policy.write_text(POLICY % vendor.url)
        variables = environment(
            otlp=sink.url,
            posthog=own.url,
            CELERY_FOLDER=str(folder),
            OTEL_POSTHOG_POLICY=str(policy),
            OTEL_POSTHOG_STATE_DIR=str(folder / "state"),
            OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=",".join(set(NOT_NEEDED.split(",")) - NEEDED),
        )
        programs = {"worker": WORKER, "web": app_on(web), "service": app_on(service)}
        trees = [
            stack.enter_context(running(*words, environ={**variables, "OTEL_SERVICE_NAME": name}, cwd=folder))
            for name, words in programs.items()
        ]
        trees[0].wait_for(r"celery@\S+ ready")
        for port in (web, service):
            wait_until_it_answers(f"http://127.0.0.1:{port}/")
        made = Seen({"own": own, "vendor": vendor}, sink)
        told = {"service": f"http://127.0.0.1:{service}"}
        with ThreadPoolExecutor(len(USERS)) as pool:
            answers = pool.map(lambda user: onboard(f"http://127.0.0.1:{web}", {**told, "user": user}), USERS)
        assert list(answers) == [200] * len(USERS)
        made.tours = take_the_tour(f"http://127.0.0.1:{web}")
        for each in (own, vendor):
            each.wait_for(len(ONBOARDING) * len(USERS) + 4)
        sink.wait_for_spans(len(USERS) * 9 + 9)
        yield made
        assert [tree.out for tree in trees if "otel_posthog/" in tree.out] == []


def app_on(port: int) -> tuple[str, ...]:
    """Return the command of the web app, or of the second service."""
    return (INSTRUMENT, sys.executable, str(PROGRAMS / "journey_app.py"), str(port))


@pytest.mark.parametrize("project", ["own", "vendor"])
def test_a_journey_through_three_processes_is_one_funnel(project: str, seen: Seen) -> None:
    """One person, one journey's id, the steps in their order, by time; for users' ids and for those of the day."""
    journeys = seen.journeys(project, "onboarding")
    assert [labels(events) for events in journeys.values()] == [ONBOARDING] * len(USERS)
    people = [{each.distinct_id for each in events} for events in journeys.values()]
    assert {len(each) for each in people} == {1}
    everybody = set.union(*people)
    assert len(everybody) == len(USERS)
    is_daily = project == "vendor"
    assert (everybody == set(USERS)) is not is_daily
    assert {each.startswith("daily-") for each in everybody} == {is_daily}
    assert {each.startswith("journey-20") for each in journeys} == {is_daily}
    numbers = [[each.properties.get("step_number") for each in events] for events in journeys.values()]
    assert numbers == [[None, 1, 2, 3, None]] * len(USERS)


def test_it_is_one_trace(seen: Seen) -> None:
    """Of all three services, without a gap: every span's parent is there, and nothing links where nothing has to."""
    for events in seen.journeys("own", "onboarding").values():
        (trace_id,) = {each.properties["$trace_id"] for each in events}
        spans = {each.span_id: each for each in seen.sink.spans if each.trace_id == trace_id}
        assert {each.resource["service.name"] for each in spans.values()} == {"web", "worker", "service"}
        assert {each.parent_span_id for each in spans.values()} - spans.keys() == {""}
        names = sorted(each.name for each in spans.values() if each.name.startswith("journey "))
        steps = [f"journey onboarding: {step}" for step in ("profile", "welcome", "workspace")]
        assert names == [*["journey onboarding"] * 3, *steps]
        assert [each.name for each in spans.values() if each.linked_trace_ids] == []
        assert {each.properties["$span_id"] for each in events} <= spans.keys()


def test_the_operational_side_has_no_person_and_no_journeys_id(seen: Seen) -> None:
    """Not in any byte."""
    ids = [*USERS, *seen.journeys("own", "onboarding"), *seen.journeys("own", "tour")]
    assert len(ids) == 2 * len(USERS) + 1
    names = ("analytics.", "journey_id", "journey_started", "journey_step_completed", "journey_abandoned")
    assert [each for each in (*ids, *names) if each.encode() in seen.sink.raw_bytes] == []


def test_what_comes_back_in_another_request_is_linked_to_where_it_began(seen: Seen) -> None:
    """By the id in the browser's session: traces of their own, one funnel, which ends where a step raised."""
    ((kept, events),) = seen.journeys("own", "tour").items()
    assert seen.tours == [(kept, 200), (kept, 200), ("", 500)]
    assert labels(events) == ["journey_started", "map", "search", "journey_abandoned"]
    end = events[-1].properties
    assert (end["step"], end["reason"], end["error_type"]) == ("broken", "error", "LookupError")
    assert end["duration_s"] > 0
    traces = [each.properties["$trace_id"] for each in events]
    assert len(set(traces)) == 3
    began = [each for each in seen.sink.spans if each.name == "journey tour"]
    links = {each.trace_id: each.linked_trace_ids for each in began}
    assert links == {traces[0]: [], traces[2]: [traces[0]], traces[3]: [traces[0]]}
    assert [each.event for each in seen.projects["own"].unique_events if "no page for" in str(each)] == []
