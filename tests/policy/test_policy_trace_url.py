"""Links to traces: the address that each name stands for, and where an event has none."""

from __future__ import annotations

import json
import string
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from events import ring
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from telemetry import Telemetry

from otel_posthog.identity import Pseudonyms
from otel_posthog.intake import AnalyticsSampler
from otel_posthog.policy import IdentityMode
from otel_posthog.policy.yaml_file import parse_policy

TEMPO = "{grafana: 'https://grafana.example/sub/', datasource: my-tempo, org_id: 7}"
JAEGER_SOURCE = "{grafana: 'https://grafana.example', datasource: j1, datasource_type: jaeger}"
JAEGER = "{jaeger: 'https://jaeger.example/base'}"
TEMPLATE = "'https://x.example/{trace_id}?span={span_id}&from={from_ms}&to={to_ms}'"
FORMS = (TEMPO, JAEGER_SOURCE, JAEGER, TEMPLATE)


def sent(trace_url: str, mode: IdentityMode = IdentityMode.IDENTIFIED, **attributes: Any) -> dict[str, Any]:
    """Return the properties of the event of a span, and of its trace and time, under a policy with `trace_url`."""
    policy = parse_policy(f"trace_url: {trace_url}\n", source="p.yaml")
    sampler = AnalyticsSampler(attributes.pop("sampler", ALWAYS_ON))
    given = {"analytics.event": "e", "analytics.user.id": "u-1", **attributes}
    with Telemetry(mode, sampler=sampler, trace_url=policy.trace_url, pseudonyms=Pseudonyms(keys=ring())) as telemetry:
        telemetry.tracer.start_span("op", attributes=given).end(end_time=1_764_000_000_123_456_789)
    return dict(telemetry.only["properties"])


def test_grafana_opens_the_span_in_explore() -> None:
    """Explore reads `panes` of format 1: the data source, the trace as a query, an hour around it, the span."""
    properties = sent(TEMPO)
    address = urlsplit(properties["trace_url"])
    query = parse_qs(address.query)
    assert (address.scheme, address.netloc, address.path) == ("https", "grafana.example", "/sub/explore")
    assert (query["schemaVersion"], query["orgId"]) == (["1"], ["7"])
    ((pane,),) = (json.loads(query["panes"][0]).values(),)
    source = {"type": "tempo", "uid": "my-tempo"}
    asked = {"refId": "A", "datasource": source, "query": properties["$trace_id"], "queryType": "traceql"}
    assert pane == {
        "datasource": "my-tempo",
        "queries": [asked],
        "range": {"from": "1763996400123", "to": "1764003600123"},
        "panelsState": {"trace": {"spanId": properties["$span_id"]}},
    }


def test_a_jaeger_data_source_is_asked_by_id() -> None:
    """Grafana's Jaeger has no query language: a query without a type is the id of a trace."""
    properties = sent(JAEGER_SOURCE)
    query = parse_qs(urlsplit(properties["trace_url"]).query)
    (pane,) = json.loads(query["panes"][0]).values()
    source = {"type": "jaeger", "uid": "j1"}
    assert pane["queries"] == [{"refId": "A", "datasource": source, "query": properties["$trace_id"]}]
    assert "orgId" not in query


def test_jaegers_own_page_and_a_template_of_ones_own() -> None:
    """The address of Jaeger may have a path; a template gets ids and times."""
    properties = sent(JAEGER)
    trace_id, span_id = properties["$trace_id"], properties["$span_id"]
    assert properties["trace_url"] == f"https://jaeger.example/base/trace/{trace_id}?uiFind={span_id}"
    properties = sent(TEMPLATE)
    trace_id, span_id = properties["$trace_id"], properties["$span_id"]
    assert properties["trace_url"] == (
        f"https://x.example/{trace_id}?span={span_id}&from=1763996400123&to=1764003600123"
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", list(IdentityMode))
@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF])
def test_a_link_is_where_there_is_a_trace_to_be_seen(form: str, mode: IdentityMode, sampler: Any) -> None:
    """None where the trace was not sampled, and nothing of a trace where nothing may link events."""
    properties = sent(form, mode, sampler=sampler)
    if mode is IdentityMode.UNLINKED:
        assert not [key for key in properties if "trace" in key or "span" in key]
    else:
        assert properties["trace_sampled"] is (sampler is ALWAYS_ON)
        assert ("trace_url" in properties) is (sampler is ALWAYS_ON)


ANYTHING = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["{trace_id}", "%7Btrace_id%7D", "&orgId=2", '","uid":"x', "javascript:alert(1)"]
)


@given(ANYTHING, ANYTHING, st.sampled_from(FORMS))
def test_nothing_that_an_app_says_is_in_a_link(name: str, value: str, form: str) -> None:
    """Whatever names, properties and users say, a link has the characters of the template, of ids and of times."""
    given: dict[str, Any] = {"analytics.event": name or "e", "analytics.property.note": value}
    given["analytics.user.id"] = value or "u"
    try:
        properties = sent(form, **given)
    except ValueError:  # a name that is none: no event
        return
    digits = set(string.hexdigits)
    assert set(properties["trace_url"]) - digits <= set(sent(form)["trace_url"])
    for key in ("$trace_id", "$span_id"):
        assert properties["trace_url"].count(properties[key]) == 1
    assert len(properties["trace_url"]) == len(sent(form)["trace_url"])
