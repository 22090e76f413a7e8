"""Both links followed: from an event to its trace in a real Jaeger, and from that trace to its events in PostHog."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from backends import Jaeger, cached, get, jaeger, until
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from shown import document

import otel_posthog
from otel_posthog import configure
from otel_posthog.model import EVENTS_URL
from otel_posthog.policy import IdentityMode
from otel_posthog.policy.yaml_file import parse_policy
from otel_posthog.testing import FakePostHog

pytestmark = pytest.mark.usefixtures("not_set_up")


@pytest.fixture(name="traces", scope="module")
def _traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    cached("jaeger")
    with jaeger(tmp_path_factory.mktemp("jaeger")) as made:
        yield made


def events_of(posthog: FakePostHog, traces: Jaeger, sampler: Any, mode: str = "identified") -> list[dict[str, Any]]:
    """Return the properties of the events of a request with two product events in it, all of it delivered."""
    policy = parse_policy(
        f"identity: {mode}\ntrace_url: {{jaeger: '{traces.query_url}'}}\n"
        "operational: {events_url: {posthog: 'https://eu.posthog.com', project: 1}}\n"
        f"destinations: [{{api_key: phc_test, host: '{posthog.url}'}}]\n",
        source="p.yaml",
    )
    provider = TracerProvider(sampler=sampler, resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{traces.otlp_url}/v1/traces")))
    configure(policy=policy, tracer_provider=provider)
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("POST /orders", attributes={"analytics.user.id": "u-1"}) as span:
        span.add_event("analytics.cart_checked")
        tracer.start_span("place", attributes={"analytics.event": "order_placed"}).end()
    provider.force_flush()
    assert otel_posthog.flush(10)
    provider.shutdown()
    return [each.properties for each in posthog.unique_events]


def spans_in(traces: Jaeger, trace_id: str) -> list[Any]:
    """Return the spans of a trace; none where Jaeger has no such trace."""
    try:
        (found,) = get(f"{traces.query_url}/api/traces/{trace_id}")["data"]
    except urllib.error.HTTPError as error:
        error.close()
        return []
    return list(found["spans"])


def shown_by_posthog(posthog: FakePostHog, url: str) -> list[str]:
    """Return the names of the events that PostHog's table shows at an address: those that its filter lets through."""
    table = json.loads(unquote(urlsplit(url).fragment.removeprefix("q=")))
    (only,) = table["source"]["properties"]
    assert (table["source"]["kind"], only["type"], only["operator"]) == ("EventsQuery", "event", "exact")
    return sorted(each.event for each in posthog.unique_events if each.properties.get(only["key"]) in only["value"])


def test_from_an_event_to_its_span_and_back(fake_posthog: FakePostHog, traces: Jaeger) -> None:
    """The link of each event is a page, of a trace with the span that it marks; Jaeger's own link finds both events."""
    first, second = events_of(fake_posthog, traces, ALWAYS_ON)
    assert first["$trace_id"] == second["$trace_id"]
    for properties in (first, second):
        assert properties["trace_sampled"] is True
        address = urlsplit(properties["trace_url"])
        with urllib.request.urlopen(properties["trace_url"], timeout=30) as page:
            assert page.status == 200
            assert "text/html" in page.headers["Content-Type"]
        found = until(lambda path=address.path: spans_in(traces, path.removeprefix("/trace/")))  # type: ignore[misc]
        (marked,) = parse_qs(address.query)["uiFind"]
        assert marked in {each["spanID"] for each in found}
    (link,) = document("jaeger-page.json")["linkPatterns"]
    url = link["url"].replace("#{traceID}", first["$trace_id"])
    assert shown_by_posthog(fake_posthog, url) == ["cart_checked", "order_placed"]
    urls = {tag["value"] for each in found for tag in each["tags"] if tag["key"] == EVENTS_URL}
    assert len(urls) == 1
    assert shown_by_posthog(fake_posthog, urls.pop()) == ["cart_checked", "order_placed"]


def test_what_was_not_sampled_has_no_link_that_leads_nowhere(fake_posthog: FakePostHog, traces: Jaeger) -> None:
    """Jaeger has no such trace, and the events say so."""
    for properties in events_of(fake_posthog, traces, ALWAYS_OFF):
        assert properties["trace_sampled"] is False
        assert "trace_url" not in properties
        assert spans_in(traces, properties["$trace_id"]) == []


def test_nothing_links_where_nothing_may(fake_posthog: FakePostHog, traces: Jaeger) -> None:
    """In `unlinked` neither way leads anywhere: the trace is there, and finds no event."""
    for properties in events_of(fake_posthog, traces, ALWAYS_ON, IdentityMode.UNLINKED.value):
        assert not [key for key in properties if "trace" in key or "span" in key]
    found = until(lambda: traces.traces("shop"))
    (link,) = document("jaeger-page.json")["linkPatterns"]
    for each in found:
        assert shown_by_posthog(fake_posthog, link["url"].replace("#{traceID}", each["traceID"])) == []
