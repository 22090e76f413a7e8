"""Everything the vocabulary has words for, from a real process under `opentelemetry-instrument` to PostHog and OTLP."""

from __future__ import annotations

from collections import Counter
from typing import Any

from everything import COMPANY, TEAM, USER, VISITOR
from instrumented import SUPPORT, instrumented

from otel_posthog.testing import FakePostHog, OtlpSink

IDS = (USER, VISITOR, COMPANY, TEAM)
PRODUCT_EVENTS = Counter(
    {
        "signed_up": 1,
        "step": 130,
        "mail_sent": 1,
        "line_logged": 1,
        "import_failed": 1,
        "search_performed": 1,
        "$exception": 1,
    }
)
CHANGES = Counter({"$identify": 1, "$set": 1, "$set_once": 1, "$create_alias": 2, "$groupidentify": 2})


def run(fake_posthog: FakePostHog, otlp_sink: OtlpSink, **environ: str) -> Counter[str]:
    """Run the program and return how many events of each name came; the operational side is the same each time."""
    done = instrumented(str(SUPPORT / "everything.py"), otlp=otlp_sink.url, posthog=fake_posthog.url, **environ)
    assert done.returncode == 0, done.out
    assert "done" in done.out.splitlines()
    assert not done.has_traceback_of_ours
    assert fake_posthog.duplicates == 0
    assert [each.name for each in otlp_sink.spans] == ["sign up"]
    assert otlp_sink.spans[0].attributes == {}
    assert otlp_sink.spans[0].events == []
    assert sorted(str(each.body) for each in otlp_sink.logs) == ["a line for u-4711", "an operational line", "failed"]
    assert b"analytics." not in otlp_sink.raw_bytes
    return Counter(each.event for each in fake_posthog.events)


def said(fake_posthog: FakePostHog, name: str) -> list[tuple[str, dict[str, Any]]]:
    """Return `distinct_id` and what is said of persons and groups, for each event called `name`."""
    ours = ("$set", "$set_once", "$groups", "alias", "$group_type", "$group_key", "$group_set")
    return [
        (each.distinct_id, {key: each.properties[key] for key in ours if key in each.properties})
        for each in fake_posthog.named(name)
    ]


def test_in_the_mode_identified_everything_arrives(fake_posthog: FakePostHog, otlp_sink: OtlpSink) -> None:
    """Spans, 130 events of one span, logs, lines of `logging`, an alias, groups, persons, and the six functions."""
    found = run(fake_posthog, otlp_sink, ANALYTICS_ANONYMIZE_USER_IDS="false")
    assert found == PRODUCT_EVENTS + CHANGES
    person = {"$set": {"plan": "pro"}, "$set_once": {"source": "ads"}, "$groups": {"company": COMPANY}}
    assert said(fake_posthog, "signed_up") == [(USER, person)]
    assert said(fake_posthog, "$create_alias") == [(VISITOR, {"alias": USER})] * 2
    assert sorted(said(fake_posthog, "$groupidentify")) == [
        (f"$team_{TEAM}", {"$group_type": "team", "$group_key": TEAM, "$group_set": {"size": 2}}),
        (USER, {"$group_type": "company", "$group_key": COMPANY, "$group_set": {"size": 5}}),
    ]
    assert said(fake_posthog, "$identify") == [(USER, {"$set": {"plan": "team"}})]
    assert said(fake_posthog, "$set") == [(USER, {"$set": {"seats": 3}})]
    assert said(fake_posthog, "$set_once") == [(USER, {"$set_once": {"first_seen": "today"}})]
    assert said(fake_posthog, "search_performed") == [(USER, {"$groups": {"team": TEAM}})]
    assert sorted(each.properties["number"] for each in fake_posthog.named("step")) == list(range(130))
    assert f"KeyError: '{USER}'".encode() not in fake_posthog.raw_bytes


def test_in_the_mode_anonymous_no_id_arrives_and_nobody_is_changed(
    fake_posthog: FakePostHog, otlp_sink: OtlpSink
) -> None:
    """The same program without a setting: the product events, of one installation."""
    assert run(fake_posthog, otlp_sink) == PRODUCT_EVENTS
    assert len({each.distinct_id for each in fake_posthog.events}) == 1
    assert [each for each in IDS if each.encode() in fake_posthog.raw_bytes] == []
