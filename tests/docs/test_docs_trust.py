"""What the pages for data-protection officers, about guarantees and about others say is what the code does."""

from __future__ import annotations

import re
from inspect import signature

from pages import DOCS
from posthog.client import Client
from posthog.version import VERSION
from telemetry import Telemetry

from benchmarks.faults.scenarios import SCENARIOS
from otel_posthog.policy import Destination, IdentityMode, Policy

OFFICER = (DOCS / "data-protection.md").read_text(encoding="utf-8")
COMPARISON = (DOCS / "comparison.md").read_text(encoding="utf-8")
GUARANTEES = (DOCS / "guarantees.md").read_text(encoding="utf-8")
DAY_S = 86_400


def section(page: str, heading: str) -> str:
    """Return what stands under a heading."""
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_list_of_attributes_is_that_of_the_policy() -> None:
    """All that the built-in policy lets in, and nothing else."""
    listed = section(OFFICER, "What is collected").partition("(`privacy.allow`):")[2].partition("None of them")[0]
    assert set(re.findall(r"`([^`]+)`", listed)) == set(Policy().privacy.allow)


def test_an_event_has_no_part_that_the_page_does_not_name() -> None:
    """A span with a user, a session, a group, a secret and telemetry of every kind, by the built-in policy."""
    said = {
        "analytics.event": "ticket_created",
        "analytics.property.priority": "high",
        "analytics.user.id": "user-817",
        "analytics.session.id": "s-1",
        "analytics.group.company": "c-1",
        "analytics.user.set.plan": "pro",
        "client.address": "93.184.216.34",
        "url.full": "https://shop.example/?mail=ada@example.org",
        "user_agent.original": "Mozilla/5.0",
        "http.route": "/tickets",
    }
    with Telemetry(IdentityMode.INSTALLATION) as app:
        app.tracer.start_span("op", attributes=said).end()
        event = app.only
    named = set(re.findall(r"`([^`]+)`", section(OFFICER, "What is collected")))
    assert set(event["properties"]) - {"priority"} <= named
    assert set(event["options"]) <= named
    assert set(event) <= {"event", "timestamp", "properties", "options", *named}
    assert event["properties"]["$ip"] == "0.0.0.0"
    assert event["options"]["process_person_profile"] is False
    assert "user-817" not in str(event)


def test_times_and_hosts_are_those_of_the_code() -> None:
    """The seven days, and where events go unless somebody says otherwise."""
    policy = Policy()
    assert policy.delivery.max_spool_age_s == 7 * DAY_S
    assert "at most 7 days (`max_spool_age_s`)" in OFFICER
    assert policy.identity is IdentityMode.INSTALLATION
    assert policy.collection.consent_required is False
    assert f"The default is `{Destination().host}`" in OFFICER


def test_every_mode_is_told_to_the_officer() -> None:
    """In the order of what they say."""
    told = re.findall(r"^\| `(\w+)`", section(OFFICER, "As whom"), re.MULTILINE)
    assert told == [each.value for each in IdentityMode]


def test_every_fault_that_is_played_is_in_the_table_with_its_promise() -> None:
    """By name, and with what it may lose; that a machine that is busy missed one is said."""
    rows = re.findall(r"^\| `([^`]+)`[^|]*\| ([^|]+?) \| ([^|]+?) \|", GUARANTEES, re.MULTILINE)
    promised = {each.name: f"{each.lost_ms:g} ms of traffic" if each.lost_ms else "nothing" for each in SCENARIOS}
    # Only tests play it.
    del promised["outage of 2 s"]
    assert {name: may for name, may, _ in rows} == promised
    kept = {name: float(found[1]) for name, _, lost in rows if (found := re.match(r"([\d.]+) ms", lost))}
    limits = {each.name: each.lost_ms for each in SCENARIOS}
    assert all(lost_ms <= limits[name] for name, lost_ms in kept.items())
    assert all(lost.startswith(("0 of ", "**")) for name, may, lost in rows if name not in kept)


def test_the_comparison_has_the_figures_that_were_measured() -> None:
    """Those of the filters stand in the run that is told with its command and its peers."""
    run = (DOCS / "privacy-benchmark.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([\w-]+)[^|]* \| ([\d.]+%) \| ([\d.]+%) \|$", COMPARISON, re.MULTILINE)
    assert len(told) >= 5
    measured = re.findall(r"^\| ([\w-]+) \| ([\d.]+%) \| [\d.]+% \| ([\d.]+%) \|", run, re.MULTILINE)
    same = {"posthog-python": "posthog"}
    assert {(same.get(name.removesuffix("s"), name), *figures) for name, *figures in told} <= set(measured)


def test_the_comparison_is_right_about_posthog_python() -> None:
    """Of the release that is installed here: how much it keeps, and how often it repeats."""
    defaults = {name: each.default for name, each in signature(Client.__init__).parameters.items()}
    assert f"in memory, {defaults['max_queue_size']:,} events; up to {defaults['max_retries']} repeats" in COMPARISON
    assert f"posthog-python {VERSION.rpartition('.')[0]} |" in COMPARISON


def test_every_promise_names_a_test() -> None:
    """Each row of the tables of promises; that the tests are there is looked at with all names of all pages."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", GUARANTEES, re.MULTILINE)
    promises = [(promise, test) for promise, test in rows if promise not in {"promise", "---"}]
    assert len(promises) > 15
    assert [promise for promise, test in promises if "test_" not in test] == []
