"""The documents of a file in, the items to explain out: spans and log records of OTLP, events, properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from otel_posthog.apps.explain.json_documents import Located, UnreadableFileError
from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp import LogRecord, SpanRecord
from otel_posthog.intake.otlp_json import is_otlp, read


class Item(NamedTuple):
    """One item of a file.

    Attributes:
        line: Where the document begins that holds it.
        content: A record of OTLP, or an event or properties as they were written.
    """

    line: int
    content: SpanRecord | LogRecord | Mapping[str, object]


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
        yield from _records(document)
    elif isinstance(content.get("batch"), list):
        yield from items_of(Located(document.line, content["batch"]))
    else:
        yield Item(document.line, content)


def _records(document: Located) -> Iterator[Item]:
    try:
        for record in read(document.content):
            yield Item(document.line, record)
    except MalformedTelemetry as error:
        raise UnreadableFileError(f"line {document.line}: {error}") from None
