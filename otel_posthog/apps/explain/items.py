"""The documents of a file in, the items to explain out: spans and log records of OTLP, events, properties."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from otel_posthog.apps.explain.console_format import is_console, read_console
from otel_posthog.apps.explain.json_documents import Located, UnreadableFileError
from otel_posthog.apps.explain.metric_point import MetricPoint, read_otlp_metrics
from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp import LogRecord, SpanRecord
from otel_posthog.intake.otlp_json import is_otlp, read
from otel_posthog.route import EVENT

# What telemetry has and a property hardly: some of these at once, or one that holds further fields.
_IDS = frozenset({"traceid", "spanid", "parentid", "parentspanid"})
_HOLDERS = frozenset({"attributes", "resource", "context", "scope", "instrumentationscope", "tags", "spans", "status"})
_LISTS = frozenset({"resourcespans", "resourcelogs", "resourcemetrics", "scopespans", "scopelogs", "scopemetrics"})


class Item(NamedTuple):
    """One item of a file.

    Attributes:
        line: Where the document begins that holds it.
        content: A record of telemetry, or an event or properties as they were written.
    """

    line: int
    content: SpanRecord | LogRecord | MetricPoint | Mapping[str, object]


def items_of(document: Located) -> Iterator[Item]:
    """Yield the items of one document.

    Raises:
        UnreadableFileError: It is nothing that is read here; the message names the field and the line.
    """
    content = document.content
    if isinstance(content, list):
        for each in content:
            yield from items_of(Located(document.line, each))
    elif not isinstance(content, Mapping):
        raise UnreadableFileError(
            f'line {document.line}: an event should be an object, such as {{"event": "paid", "properties": {{}}}}'
        )
    elif is_otlp(content):
        yield from _records(document, read)
        yield from _records(document, read_otlp_metrics)
    elif is_console(content):
        yield from _records(document, read_console)
    elif isinstance(content.get("batch"), list):
        yield from items_of(Located(document.line, content["batch"]))
    else:
        _refuse_telemetry(document.line, content)
        yield Item(document.line, content)


def _refuse_telemetry(line: int, content: Mapping[str, object]) -> None:
    """Refuse what would be taken for properties and is telemetry in another format: it would show ids as sent."""
    if isinstance(content.get("event"), str) or EVENT in content:
        return
    names = {key: key.replace("_", "").lower() for key in content}
    ids = [key for key, name in names.items() if name in _IDS]
    nested = [key for key, name in names.items() if name in _HOLDERS and isinstance(content[key], (Mapping, list))]
    lists = [key for key, name in names.items() if name in _LISTS]
    if len(ids) > 1 or len(nested) > 1 or lists or (ids and nested) or "attributes" in nested:
        seen = ", ".join(ids + nested + lists)
        raise UnreadableFileError(
            f"line {line}: this looks like telemetry in a format that is not read here ({seen}); "
            "write OTLP JSON, or what the console exporters of OpenTelemetry for Python print"
        )


def _records(
    document: Located, read_all: Callable[[object], Iterator[SpanRecord | LogRecord | MetricPoint]]
) -> Iterator[Item]:
    try:
        for record in read_all(document.content):
            yield Item(document.line, record)
    except MalformedTelemetry as error:
        raise UnreadableFileError(f"line {document.line}: {error}") from None
