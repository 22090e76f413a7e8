"""A file that `explain` reads, as a source: each of its items explained under the policy of this environment.

Whoever opens a file has it: what was in it before the filters is shown, unless told not to.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Any, final

from otel_posthog.apps.explain.documents import JsonDocuments, UnreadableFileError, open_text
from otel_posthog.apps.explain.explainer import Explainer
from otel_posthog.apps.explain.items import Item, items_of
from otel_posthog.apps.explain.records import is_console
from otel_posthog.apps.inspector.journal import MAX_ITEMS, Journal
from otel_posthog.apps.inspector.source import NOTHING_RUNS
from otel_posthog.inspection.explanation import Summary
from otel_posthog.inspection.form import Values, item_form, summary_form
from otel_posthog.inspection.made_rules import RuleError
from otel_posthog.inspection.times import utc
from otel_posthog.inspection.trial import Item as Tried
from otel_posthog.intake.otlp import LogRecord, SpanRecord


@final
class FileSource:
    """Explains a file.

    Args:
        path: Of the file; `-` for standard input.
        explainer: Explains its items.
        values: What is shown of them.
    """

    def __init__(self, path: str, explainer: Explainer, values: Values) -> None:
        self._path, self._explainer, self._values = path, explainer, values
        self._is_complete = self._is_stopped = False
        self.problem = ""
        self._lock, self._items = threading.Lock(), deque[Tried](maxlen=MAX_ITEMS)
        self._found = _items_in(path)
        self._first: Item | None = None

    def look(self) -> None:
        """Read as far as the first item.

        Raises:
            UnreadableFileError: There is none.
        """
        self._first = next(self._found, None)
        if self._first is None:
            raise UnreadableFileError("there are no spans, log records, metrics or events in it")

    def start(self, journal: Journal) -> None:
        """Read the file on a thread."""
        threading.Thread(target=self._read, args=(journal,), name="inspect-file", daemon=True).start()

    def stop(self) -> None:
        """Read no further."""
        self._is_stopped = True

    def state(self) -> dict[str, Any]:
        """Return what a `state` says of it."""
        source = {"kind": "file", "name": self._path, "complete": self._is_complete, "problem": self.problem or None}
        return {**NOTHING_RUNS, "source": source, "values_shown": self._values is Values.ALL}

    def rule(self, item: dict[str, Any], kind: str, key: str) -> dict[str, Any]:
        """Return the lines of a rule that is made of an item, and what it would do."""
        with self._lock:
            items = list(self._items)
        of = next((each for each in items if each.seq == item["seq"]), None)
        if of is None:
            raise RuleError("this item is not kept any more")
        return self._explainer.trial(self._values).answer(kind, key, of, items)

    def _read(self, journal: Journal) -> None:
        summary = Summary()
        try:
            for item in chain([self._first] if self._first else [], self._found):
                if self._is_stopped:
                    return
                explanation = self._explainer.explain(item)
                summary.add(explanation)
                seq = journal.add({**item_form(explanation, self._values), **placed(item)})
                with self._lock:
                    self._items.append(self._explainer.tried(seq, item))
        except UnreadableFileError as error:
            self.problem = str(error)
        self._is_complete = True
        journal.finish(summary_form(summary))


def _items_in(path: str) -> Iterator[Item]:
    with open_text(path, "inspect") as text:
        for document in JsonDocuments(text, is_console):
            yield from items_of(document)


def placed(item: Item) -> dict[str, Any]:
    """Return when and where an item of a file was."""
    content = item.content
    if isinstance(content, SpanRecord):
        span = {"trace_id": f"{content.trace_id:032x}", "span_id": f"{content.span_id:016x}", "kind": content.kind}
        return {"time": utc(content.end_ns), "span": span, "process": None}
    if isinstance(content, LogRecord):
        has_span = content.trace_id or content.span_id
        ids = {"trace_id": f"{content.trace_id:032x}", "span_id": f"{content.span_id:016x}", "kind": None}
        return {"time": utc(content.time_ns or content.observed_ns), "span": ids if has_span else None, "process": None}
    return {"time": "", "span": None, "process": None}
