"""The documents of a file in, the items to explain out: spans and log records of OTLP, events, properties."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from otel_posthog.apps.explain.console_format import is_console, read_console
from otel_posthog.apps.explain.foreign_formats import foreign_format
from otel_posthog.apps.explain.json_documents import Located, UnreadableFileError
from otel_posthog.apps.explain.metric_point import MetricPoint, read_otlp_metrics
from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp import LogRecord, SpanRecord
from otel_posthog.intake.otlp_json import is_otlp, read


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
        told = foreign_format(content)
        if told is not None:
            raise UnreadableFileError(f"line {document.line}: {told}")
        yield Item(document.line, content)


def _records(
    document: Located, read_all: Callable[[object], Iterator[SpanRecord | LogRecord | MetricPoint]]
) -> Iterator[Item]:
    try:
        for record in read_all(document.content):
            yield Item(document.line, record)
    except MalformedTelemetry as error:
        raise UnreadableFileError(f"line {document.line}: {error}") from None
