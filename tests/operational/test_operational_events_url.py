"""A link from a span to its events in PostHog: where the policy says so, and nowhere else."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from events import ring
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import SpanKind
from telemetry import NOWHERE, Telemetry

from otel_posthog.identity import Pseudonyms
from otel_posthog.intake import AnalyticsSampler
from otel_posthog.model import EVENTS_URL
from otel_posthog.policy import Destination, IdentityMode, OperationalPolicy, Policy
from otel_posthog.policy.sections.derive import DeriveConditions, DeriveKind, DeriveRule
from otel_posthog.policy.sections.events_url import EventsUrl

NAMED = EventsUrl(posthog="https://eu.posthog.com/", project=12345)
ON = OperationalPolicy(events_url=NAMED)
RULE = DeriveRule(name="seen", event="page_viewed", when=DeriveConditions(kind=(DeriveKind.CLIENT,)))


def linked(mode: IdentityMode = IdentityMode.IDENTIFIED, sampler: Any = ALWAYS_ON, **policy: Any) -> dict[str, Any]:
    """Return name -> link of the spans that are exported, of each kind there is, and check what PostHog finds by it."""
    given = {"pseudonyms": Pseudonyms(keys=ring()), "derive": (RULE,), **policy}
    with Telemetry(mode, sampler=AnalyticsSampler(sampler), **given) as telemetry:
        with telemetry.tracer.start_as_current_span("plain"):
            telemetry.tracer.start_span("marked", attributes={"analytics.event": "e", "k": "v"}).end()
            telemetry.tracer.start_span("derived", kind=SpanKind.CLIENT).end()
            with telemetry.tracer.start_as_current_span("holds one") as span:
                span.add_event("analytics.inside")
            telemetry.logger.emit(event_name="analytics.logged")
        spans = telemetry.spans.get_finished_spans()
    assert all((each.attributes or {}).get("k") == "v" for each in spans if each.name == "marked")
    return {each.name: (each.attributes or {})[EVENTS_URL] for each in spans if EVENTS_URL in (each.attributes or {})}


def test_spans_that_are_or_hold_an_event_lead_to_the_events_of_their_trace() -> None:
    """Marked, derived, or with a product event inside; of no other span, whatever is logged in it."""
    found = linked(operational=ON)
    assert set(found) == {"marked", "derived", "holds one"}
    (url,) = set(found.values())
    assert url.startswith("https://eu.posthog.com/project/12345/activity/explore#q=")
    table = json.loads(unquote(urlsplit(url).fragment.removeprefix("q=")))
    (only,) = table["source"]["properties"]
    assert (only["key"], only["operator"], len(only["value"][0])) == ("$trace_id", "exact", 32)
    assert table["source"]["after"] == "all"


def test_there_is_none_unless_the_policy_says_so() -> None:
    """Nor of a trace that is not sampled, as nobody sees its spans."""
    assert linked() == {}
    assert linked(operational=ON, sampler=ALWAYS_OFF) == {}
    with Telemetry(sampler=AnalyticsSampler(ALWAYS_OFF), operational=ON) as telemetry:
        span: Any = telemetry.tracer.start_span("op", attributes={"analytics.event": "e"})
        span.end()
        assert EVENTS_URL not in span.attributes


def test_a_template_of_ones_own_has_the_ids() -> None:
    """Of the trace, and of the span."""
    found = linked(operational=OperationalPolicy(events_url="https://p.example/{trace_id}/{span_id}"))
    assert len(set(found.values())) == 3
    assert all(len(each) == len("https://p.example/") + 32 + 1 + 16 for each in found.values())


@pytest.mark.parametrize("mode", list(IdentityMode))
def test_no_link_where_nothing_may_link_events(mode: IdentityMode) -> None:
    """In `unlinked` no span says that it has events, as none has the id of its trace."""
    assert bool(linked(mode, operational=ON)) is (mode is not IdentityMode.UNLINKED)


def test_of_several_destinations_the_one_that_is_meant_decides() -> None:
    """Where none is named, one that links nothing forbids it."""
    open_, closed = (Destination(name, "phc_x", NOWHERE, identity=mode) for name, mode in
                     (("operator", IdentityMode.IDENTIFIED), ("vendor", IdentityMode.UNLINKED)))  # fmt: skip
    for name, is_linked in ((None, False), ("operator", True), ("vendor", False)):
        url = EventsUrl(posthog="https://eu.posthog.com", project=1, destination=name)
        policy = Policy(destinations=(open_, closed), operational=OperationalPolicy(events_url=url))
        assert (policy.events_template is not None) is is_linked


@pytest.mark.parametrize("mode", list(IdentityMode))
@pytest.mark.parametrize("operational", [ON, OperationalPolicy()])
@pytest.mark.parametrize("derive", [(RULE,), ()])
@pytest.mark.parametrize("is_twice", [False, True])
def test_a_link_of_an_apps_own_is_taken_off(
    mode: IdentityMode, operational: OperationalPolicy, derive: Any, is_twice: bool
) -> None:
    """On every span, in each mode, with the setting and without; a link of ours stays, whoever looks at it again."""
    lie = {EVENTS_URL: "http://evil.example/?u=alice", "k": "v"}
    made = Pseudonyms(keys=ring())
    with Telemetry(mode, operational=operational, derive=derive, pseudonyms=made) as telemetry:
        if is_twice:
            again = telemetry.tracer_provider._active_span_processor._span_processors[0]
            telemetry.tracer_provider.add_span_processor(again)
        telemetry.tracer.start_span("plain", attributes=lie).end()
        telemetry.tracer.start_span("marked", attributes={"analytics.event": "e", **lie}).end()
        telemetry.tracer.start_span("derived", kind=SpanKind.CLIENT, attributes=lie).end()
        with telemetry.tracer.start_as_current_span("holds one") as span:
            span.add_event("analytics.inside")
            span.set_attributes(lie)
        spans = telemetry.spans.get_finished_spans()
    is_linked = operational is ON and mode is not IdentityMode.UNLINKED
    for each in spans:
        found = dict(each.attributes or {})
        is_event = each.name in {"marked", "holds one"} or (each.name == "derived" and bool(derive))
        assert found.pop("k") == "v"
        assert (EVENTS_URL in found) is (is_linked and is_event), (each.name, found)
        assert "evil" not in str(found)
