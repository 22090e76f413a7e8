"""Links from the operational side: the address at which PostHog shows the events of a trace, in its table of events.

Whoever looks at it has an account there: an address by itself shows nothing. Nobody is in it but the trace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from otel_posthog.policy.fields import setting
from otel_posthog.policy.section import Section

PLACEHOLDERS = ("trace_id", "span_id")
"""What may stand in a template, in braces."""


@dataclass(slots=True, repr=False, eq=False)
class EventsUrl(Section):
    """Where PostHog shows the events of a trace: a filter by the id of the trace, and nothing else.

    In place of this section a text is the address itself, with `{trace_id}` in it.
    """

    posthog: str = setting("", "Address of PostHog's app (`https://eu.posthog.com`), not of its ingestion.")
    project: int = setting(0, "The project's number, as PostHog's addresses have it behind `/project/`.", minimum=0)
    destination: str | None = setting(
        None,
        "The `name` of the destination that is that project, whose identity mode decides; where not given, no "
        "destination may be `unlinked`.",
    )

    @property
    def template(self) -> str:
        """The address with its placeholders."""
        return events_template(self.posthog, str(self.project))


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
