"""The documents of a file in, the items to explain out: records of telemetry, events, properties."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from otel_posthog.apps.explain.documents import Located, UnreadableFileError
from otel_posthog.apps.explain.foreign_formats import foreign_format
from otel_posthog.apps.explain.records import is_console, read_console, read_otlp_metrics
from otel_posthog.errors import MalformedTelemetry
from otel_posthog.inspection.explanation import MetricPoint
from otel_posthog.intake.otlp import LogRecord, SpanRecord
from otel_posthog.intake.otlp.json_document import is_otlp, read_document
from otel_posthog.model import Signal, Source
from otel_posthog.recogniser import EVENT, PREFIX

BARE_NAME = "event"
"""The name under which bare properties are explained."""

# Where PostHog's own libraries put what OpenTelemetry has attributes for.
_TOP_LEVEL = {
    "distinct_id": "user.id",
    "uuid": "uuid",
    "timestamp": "timestamp",
    "session_id": "session.id",
    "window_id": "window.id",
}
# Where they stand beside the properties they mean what they mean among them.
_BESIDE = ("$set", "$set_once", "$groups")


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
        yield from _records(document, read_document)
        yield from _records(document, read_otlp_metrics)
    elif is_console(content):
        yield from _records(document, read_console)
    elif isinstance(content.get("batch"), list):
        yield from items_of(Located(document.line, content["batch"]))
    else:
        refusal = foreign_format(content)
        if refusal is not None:
            raise UnreadableFileError(f"line {document.line}: {refusal}")
        yield Item(document.line, content)


def signal_of(content: Mapping[str, object], time_ns: int) -> Signal:
    """Return the signal of an event (`{"event": ..., "properties": {...}}`), or of bare properties.

    Args:
        content: The event.
        time_ns: When it happened, for an event without a time; Unix nanoseconds.
    """
    if EVENT in content:
        # Attributes, as an app sets them.
        return Signal(Source.LOG, str(content[EVENT]), dict(content), time_ns)
    name, properties = content.get("event"), content.get("properties")
    if not isinstance(name, str):
        return Signal(Source.LOG, BARE_NAME, _attributes({}, content), time_ns)
    given = properties if isinstance(properties, Mapping) else {}
    return Signal(Source.LOG, name, _attributes(content, given), time_ns)


def _records(
    document: Located, read_all: Callable[[object], Iterator[SpanRecord | LogRecord | MetricPoint]]
) -> Iterator[Item]:
    try:
        for record in read_all(document.content):
            yield Item(document.line, record)
    except MalformedTelemetry as error:
        raise UnreadableFileError(f"line {document.line}: {error}") from None


def _attributes(event: Mapping[str, object], properties: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key in _BESIDE:
        if key in event:
            found[f"{PREFIX}property.{key}"] = event[key]
    for key, value in properties.items():
        found[f"{PREFIX}property.{key}"] = value
    for key, value in event.items():
        if key in _TOP_LEVEL:
            found[f"{PREFIX}{_TOP_LEVEL[key]}"] = value
    return found
