"""Items as the inspector's page gets them, made by `otel-posthog explain` of events that a test writes."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from otel_posthog.apps.cli import main

SPAN = {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7", "kind": "SERVER"}
TICKET = {
    "plan": "pro",
    "note": "mail jo@planted.example.org",
    "customer_email": "jo@planted.example.org",
    "form": {"city": "Rome", "phone": "+49 151 26932530"},
}


def explained(*documents: Mapping[str, Any], options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return what `explain --json` says of documents."""
    out = io.StringIO()
    with TemporaryDirectory() as folder, redirect_stdout(out):
        path = Path(folder) / "documents.jsonl"
        path.write_text("\n".join(json.dumps(each) for each in documents), "utf-8")
        assert main(["explain", "--json", *options, str(path)]) == 0
    return [json.loads(line) for line in out.getvalue().splitlines()][:-1]


def event(
    name: str = "ticket_created", properties: Mapping[str, Any] = TICKET, *, options: tuple[str, ...] = (), **parts: Any
) -> dict[str, Any]:
    """Return the item of an event of an app, with other fields of the item."""
    document = {"event": name, "distinct_id": "u-4711", "properties": dict(properties)}
    return live(explained(document, options=options)[0]) | parts


def request(*, route: str = "/tickets", **attributes: Any) -> dict[str, Any]:
    """Return the item of a request's span, which both sides get a copy of."""
    given = {"http.route": route, "url.full": "https://help.example/t?mail=jo@planted.example.org", **attributes}
    span = {
        "traceId": SPAN["trace_id"],
        "spanId": SPAN["span_id"],
        "name": f"POST {route}",
        "kind": 2,
        "startTimeUnixNano": "1767268800000000000",
        "endTimeUnixNano": "1767268800120000000",
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in given.items()],
    }
    made = live(explained({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})[0])
    return made | {"operational_before": [{"key": key, "value": value} for key, value in given.items()]}


def live(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of a file as one that an app has just made."""
    made = {**item, "line": None, "time": "2026-01-01T12:00:00.123Z", "span": SPAN}
    made["process"] = {"pid": 4711, "service": "helpdesk"}
    for each in made["events"]:
        before = each.get("before", {})
        each["rule"], each["keys"] = "attribute", [*before.get("properties", ()), *before.get("telemetry", ())]
    return made


def without_values(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as an app hands it out that does not show values before filtering."""
    events = [{key: value for key, value in each.items() if key != "before"} for each in item["events"]]
    made = {key: value for key, value in item.items() if key != "operational_before"}
    return {**made, "events": events}
