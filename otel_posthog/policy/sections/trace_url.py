"""Trace links: the address at which a person sees the trace of an event, by the name of what shows it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from otel_posthog.policy.fields import Choice, setting
from otel_posthog.policy.section import Section

PLACEHOLDERS = ("trace_id", "span_id", "from_ms", "to_ms")
"""What may stand in a template, in braces: ids in hexadecimal digits, and times around the event in milliseconds.
Nothing that an app has put into an event is among it."""


# What a link shows around an event: an hour before and after it.
_AROUND_MS = 3_600_000


def link_to_trace(template: str, trace_id: str, span_id: str, time_ns: int) -> str:
    """Return the address at which the trace of an event is seen.

    Args:
        template: The address with its placeholders.
        trace_id: In hexadecimal digits.
        span_id: The same; empty where there is none.
        time_ns: The event's time.
    """
    time_ms = time_ns // 10**6
    from_ms, to_ms = time_ms - _AROUND_MS, time_ms + _AROUND_MS
    return template.format(trace_id=trace_id, span_id=span_id, from_ms=from_ms, to_ms=to_ms)


class TraceSource(Choice):
    """What kind of data source of Grafana has the traces."""

    TEMPO = "tempo"
    JAEGER = "jaeger"


@dataclass(slots=True, repr=False, eq=False)
class TraceUrl(Section):
    """Where a trace is seen, by the name of what shows it: `grafana` with a `datasource`, or `jaeger`.

    In place of this section a text is the address itself, with `{trace_id}` in it.
    """

    grafana: str | None = setting(None, "Address of Grafana, whose Explore shows the trace.")
    datasource: str | None = setting(None, "The `uid` of Grafana's data source that has the traces.")
    datasource_type: TraceSource = setting(TraceSource.TEMPO, "What kind of data source that is.")
    org_id: int | None = setting(None, "Grafana's organisation; the one that whoever follows the link is in otherwise.")
    jaeger: str | None = setting(None, "Address of Jaeger's own page, whose `/trace/<id>` shows the trace.")

    @property
    def template(self) -> str:
        """The address with its placeholders."""
        if self.jaeger:
            return f"{self.jaeger.rstrip('/')}/trace/{{trace_id}}?uiFind={{span_id}}"
        return f"{(self.grafana or '').rstrip('/')}/explore?{'&'.join(self._query())}"

    def _query(self) -> list[str]:
        """Return what Explore reads of its address: https://grafana.com/docs/grafana/latest/explore/."""
        source = {"type": self.datasource_type.value, "uid": self.datasource}
        query: dict[str, object] = {"refId": "A", "datasource": source, "query": "<trace_id>"}
        if self.datasource_type is TraceSource.TEMPO:
            query["queryType"] = "traceql"
        pane = {
            "datasource": self.datasource,
            "queries": [query],
            "range": {"from": "<from_ms>", "to": "<to_ms>"},
            "panelsState": {"trace": {"spanId": "<span_id>"}},
        }
        encoded = quote(json.dumps({"trace": pane}, separators=(",", ":")), safe="")
        for name in PLACEHOLDERS:
            encoded = encoded.replace(quote(f"<{name}>"), f"{{{name}}}")
        return ["schemaVersion=1", f"panes={encoded}", *([f"orgId={self.org_id}"] if self.org_id else [])]
