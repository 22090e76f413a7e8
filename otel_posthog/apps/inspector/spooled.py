"""What waits in the spool as a source: events as they will be sent, which is all that is on a disk of them."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any, final

from otel_posthog.apps.inspector.journal import Journal
from otel_posthog.apps.inspector.source import NOTHING_RUNS
from otel_posthog.apps.spool.show import body_of
from otel_posthog.apps.spool.survey import Holding, files_in, stored_in, survey
from otel_posthog.inspection.explanation import Explanation, ProductEvent, Sent, Summary
from otel_posthog.inspection.form import Values, item_form, summary_form
from otel_posthog.inspection.made_rules import RuleError
from otel_posthog.inspection.times import utc
from otel_posthog.model import CleanEvent
from otel_posthog.text import visible

_NOTHING: dict[str, object] = {}


@final
class SpoolSource:
    """Reads the spool once, without changing anything.

    Args:
        root: Of the spool.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._holdings: list[Holding] = []
        self._is_complete = self._is_stopped = False
        self.problem = ""

    def start(self, journal: Journal) -> None:
        """Read it on a thread."""
        threading.Thread(target=self._read, args=(journal,), name="inspect-spool", daemon=True).start()

    def stop(self) -> None:
        """Read no further."""
        self._is_stopped = True

    def state(self) -> dict[str, Any]:
        """Return what a `state` says of it."""
        source = {
            "kind": "spool",
            "name": str(self._root),
            "complete": self._is_complete,
            "problem": self.problem or None,
        }
        return {**NOTHING_RUNS, "source": source, "values_shown": False, "spool": _levels(self._holdings)}

    def rule(self, item: dict[str, Any], kind: str, key: str) -> dict[str, Any]:
        """Refuse: what waits is filtered already, and a rule is tried on what is not."""
        del item, kind, key
        raise RuleError("what waits is filtered already: look at the running app or at a file to try a rule")

    def _read(self, journal: Journal) -> None:
        summary = Summary()
        if not self._root.is_dir():
            self.problem = "there is no spool here"
        try:
            self._holdings = survey(self._root) if not self.problem else []
            for holding in self._holdings:
                for event, stored_ms in stored_in(files_in(self._root), holding.path):
                    if self._is_stopped:
                        return
                    explanation = _explanation(event)
                    summary.add(explanation)
                    process = {"pid": holding.pid, "service": ""} if holding.pid else None
                    form = item_form(explanation, Values.LEAVING)
                    journal.add({**form, "time": utc(stored_ms * 1_000_000), "span": None, "process": process})
        except OSError as error:
            self.problem = error.strerror or type(error).__name__
        self._is_complete = True
        journal.finish(summary_form(summary))


def _explanation(event: CleanEvent) -> Explanation:
    body = body_of(event.body)
    sent = Sent(visible(event.destination), "", body or None, "" if body else "unreadable", ())
    made = ProductEvent("", "it waits in the spool", _NOTHING, _NOTHING, _NOTHING, (), (sent,))
    return Explanation(None, "event", "", "", events=(made,))


def _levels(holdings: list[Holding]) -> list[dict[str, Any]]:
    sizes, events = Counter[str](), Counter[str]()
    for each in holdings:
        sizes[each.destination] += each.size_bytes
        events[each.destination] += each.events
    return [
        {"destination": name, "bytes": size, "events": events[name], "oldest_age_s": 0.0}
        for name, size in sorted(sizes.items())
    ]
