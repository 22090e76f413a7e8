"""The address at which PostHog shows the events of a trace: its table of events, with the id of the trace as a filter.

Whoever looks at it has an account there: an address by itself shows nothing. Nobody is in it but the trace.
"""

from __future__ import annotations

import json
from urllib.parse import quote

PLACEHOLDERS = ("trace_id", "span_id")


def events_template(address: str, project: str) -> str:
    """Return the address with `{trace_id}` in it.

    Args:
        address: Of PostHog's app, not of its ingestion.
        project: The number that its addresses have behind `/project/`.
    """
    only = {"type": "event", "key": "$trace_id", "operator": "exact", "value": ["<trace_id>"]}
    query = {
        "kind": "DataTableNode",
        "full": True,
        "source": {
            "kind": "EventsQuery",
            "select": ["*", "event", "person_display_name -- Person", "properties.$span_id", "timestamp"],
            "properties": [only],
            "after": "all",
            "orderBy": ["timestamp DESC"],
        },
        "propertiesViaUrl": True,
        "showPropertyFilter": True,
    }
    encoded = quote(json.dumps(query, separators=(",", ":")), safe="").replace(quote("<trace_id>"), "{trace_id}")
    return f"{address.rstrip('/')}/project/{project}/activity/explore#q={encoded}"
