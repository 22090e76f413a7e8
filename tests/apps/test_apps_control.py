"""The control: what the helpdesk's operational telemetry alone carries when nothing filters it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import pytest

from otel_posthog.apps.demo.app import AppProcess, app_environment, helpdesk_parent, hide_package
from otel_posthog.apps.demo.model import Options
from otel_posthog.apps.demo.planted import customers, owner
from otel_posthog.apps.demo.receivers import PREFIX, LeakSearch, Receivers, product_items
from otel_posthog.apps.demo.traffic import Tally, drive
from otel_posthog.testing import OtlpSink

SEED = 7


@pytest.fixture(scope="module")
def unfiltered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtlpSink]:
    """Return the OTLP side of a run without the package, every trace kept."""
    folder = tmp_path_factory.mktemp("control")
    environ = {name: value for name, value in os.environ.items() if name != "POSTHOG_API_KEY"}
    options = Options(160, "always_on", 1.0, seed=SEED, keep=False, unprotected=True, environ=environ)
    with Receivers(options) as receivers:
        environment = app_environment(options, folder, helpdesk_parent(folder)) | receivers.environment()
        hide_package(folder, environment)
        with AppProcess(folder, environment) as app:
            drive(app.url, options.requests, SEED, Tally())
            app.stop()
        assert receivers.otlp is not None
        yield receivers.otlp


def test_every_kind_is_planted_on_the_operational_side_itself(unfiltered: OtlpSink) -> None:
    """Leaving out product attributes and product-only records, each of the planted kinds is still there."""
    planted = [value for customer in customers(SEED) for value in customer.values()] + [owner(SEED)]
    search = LeakSearch(planted)
    search.search("\n".join(operational_texts(unfiltered)).encode())
    assert {value.kind for value in search.seen} == {value.kind for value in planted}
    assert len(search.seen) >= 50


def test_each_place_is_planted(unfiltered: OtlpSink) -> None:
    """Personal data stands in each place where a filter has to look."""
    planted = [value for customer in customers(SEED) for value in customer.values()] + [owner(SEED)]
    for place, text in places(unfiltered).items():
        assert LeakSearch(planted).search(text.encode()), place


def test_product_data_is_found_where_nothing_takes_it_off(unfiltered: OtlpSink) -> None:
    """The check for product attributes on operational items is able to fail."""
    assert product_items(unfiltered) > 20


def operational_texts(sink: OtlpSink) -> Iterator[str]:
    """Yield all that the sink has, less what is product data."""
    for span in sink.spans:
        yield f"{span.name} {span.status_message} {kept(span.attributes)} {span.links} {span.resource}"
        yield from (f"{name} {kept(attributes)}" for name, attributes in span.events if not name.startswith(PREFIX))
    for log in sink.logs:
        if not (log.event_name or "").startswith(PREFIX):
            yield f"{log.body} {kept(log.attributes)}"
    yield from (str(metric.points) for metric in sink.metrics)


def places(sink: OtlpSink) -> dict[str, str]:
    """Return the text of each place where telemetry can carry anything."""
    return {
        "span name": str([span.name for span in sink.spans]),
        "span attributes": str([kept(span.attributes) for span in sink.spans]),
        "span events": str([span.events for span in sink.spans]),
        "links": str([span.links for span in sink.spans]),
        "status message": str([span.status_message for span in sink.spans]),
        "SQL": str([span.attributes.get("db.statement") for span in sink.spans]),
        "URL query": str([span.attributes.get("url.query") for span in sink.spans]),
        "URL path": str([span.attributes.get("url.path") for span in sink.spans]),
        "stack trace": str([log.attributes.get("exception.stacktrace") for log in sink.logs]),
        "log body": str([log.body for log in sink.logs]),
        "log attributes": str([kept(log.attributes) for log in sink.logs]),
        "metric": str([metric.points for metric in sink.metrics]),
        "resource": str([span.resource for span in sink.spans]),
    }


def kept(attributes: Mapping[str, object]) -> dict[str, object]:
    """Return attributes that are not product data."""
    return {key: value for key, value in attributes.items() if not key.startswith(PREFIX)}
