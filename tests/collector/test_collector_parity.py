"""The same values through the filters here and through a real Collector; where they differ is on a page."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from collector import collector
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from parity_values import VALUES

from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter
from otel_posthog.testing import OtlpSink

PAGE = Path(__file__).parents[2] / "docs" / "collector.md"
_ROW = re.compile(r"^\| (?P<what>[^|]+?) \| (?P<filters>found|kept) \| (?P<collector>found|kept) \|$", re.MULTILINE)


def request() -> ExportLogsServiceRequest:
    """Return a log record for each value, with the value as an attribute."""
    made = ExportLogsServiceRequest()
    scope = made.resource_logs.add().scope_logs.add()
    for number, (key, value) in enumerate(VALUES.values()):
        record = scope.log_records.add(time_unix_nano=1_790_000_000_000_000_000 + number)
        record.body.string_value = "value"
        record.attributes.add(key="place").value.int_value = number
        kept = record.attributes.add(key=key).value
        if isinstance(value, str):
            kept.string_value = value
        elif isinstance(value, int):
            kept.int_value = value
        else:
            assert isinstance(value, float)
            kept.double_value = value
    return made


@cache
def altered_by_the_collector() -> frozenset[str]:
    """Return the names of the values that a real Collector does not let through as they are."""
    with OtlpSink() as sink:
        with collector("base", "privacy", "grafana", environ={"LOKI_ENDPOINT": sink.url}) as made:
            assert made.post("/v1/logs", request().SerializeToString()) == 200
            sink.wait_for_logs(len(VALUES))
        arrived = {int(log.attributes["place"]): log.attributes for log in sink.logs}
    return frozenset(
        what for place, (what, (key, value)) in enumerate(VALUES.items()) if arrived[place].get(key) != value
    )


def altered_here() -> frozenset[str]:
    """Return the names of the values that the filters here do not let through as they are."""
    filters = Filter(PrivacyPolicy())
    return frozenset(what for what, (key, value) in VALUES.items() if filters.scrub_value(key, value) != value)


def test_the_page_lists_every_difference() -> None:
    """And nothing that is none: a row is a value that one of the two finds and the other keeps."""
    here, there = altered_here(), altered_by_the_collector()
    differing = {what: (what in here, what in there) for what in VALUES if (what in here) != (what in there)}
    rows = {
        row["what"]: (row["filters"] == "found", row["collector"] == "found")
        for row in _ROW.finditer(PAGE.read_text("utf-8"))
    }
    assert rows == differing


def test_the_collector_lets_little_through_that_the_filters_find() -> None:
    """What is missed there is on the page, and rare."""
    missed = altered_here() - altered_by_the_collector()
    assert len(missed) <= len(altered_here()) * 0.1
