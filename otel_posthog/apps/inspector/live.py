"""Running apps as a source: every socket in the directory, each read on a thread of its own, new ones as they come.

What an app hands out it decides itself. It is read as it comes and kept in the journal; an app that ends is still
listed, with its items, one that takes its place is found; what its user has opted out of is forgotten here too.
"""

from __future__ import annotations

import json
import socket
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any, final

from otel_posthog.apps.inspector.journal import MAX_ITEMS, Journal
from otel_posthog.apps.inspector.source import NOTHING_RUNS
from otel_posthog.inspection.door import connect, names_in
from otel_posthog.inspection.made_rules import RuleError
from otel_posthog.private_files import ForeignError

LOOK_INTERVAL_S = 0.5
_ANSWER_S = 20.0
_MAX_MESSAGE_BYTES = 32 * 1024 * 1024
_MAX_ENDED = 20


@final
class App:
    """One process.

    Args:
        name: Of its socket.
        connection: To it.
    """

    def __init__(self, name: str, connection: socket.socket) -> None:
        self.name, self._connection = name, connection
        self.about: dict[str, Any] = {}
        self.figures: dict[str, Any] = {}
        self.is_connected, self.is_opted_out, self.skipped = True, False, 0
        self._last_seq = 0
        self._numbers: OrderedDict[int, int] = OrderedDict()
        self._answers: Queue[dict[str, Any]] = Queue()
        self._asking = threading.Lock()

    def number_of(self, seq: int) -> int | None:
        """Return the number in the journal of an item of the app; None where it has not come, or long since."""
        return self._numbers.get(seq)

    def read(self, journal: Journal) -> None:
        """Read its items into the journal until it ends; they leave it again where its user opts out."""
        try:
            with self._connection.makefile("rb") as lines:
                while line := lines.readline(_MAX_MESSAGE_BYTES):
                    self._take(json.loads(line), journal)
        except (OSError, ValueError, KeyError, TypeError):
            pass
        finally:
            self.is_connected = False
            self._connection.close()
            self._answers.put({"error": "the app has ended"})

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return the app's answer.

        Raises:
            RuleError: It has none, or says why not.
        """
        with self._asking:
            try:
                self._connection.sendall(json.dumps(question).encode() + b"\n")
                answer = self._answers.get(timeout=_ANSWER_S)
            except (OSError, Empty):
                raise RuleError("the app does not answer: it has ended, or has no time") from None
        if "error" in answer:
            raise RuleError(str(answer["error"]))
        return answer

    def close(self) -> None:
        """Read no more."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def form(self) -> dict[str, Any]:
        """Return what a `state` says of it."""
        process = self.about.get("process") or {}
        return {
            "pid": process.get("pid"),
            "service": process.get("service", ""),
            "connected": self.is_connected,
            "opted_out": self.is_opted_out,
            "values_shown": self.about.get("values_shown", False),
            "policy": self.about.get("policy", ""),
            "started": self.about.get("started", ""),
            "skipped": self.skipped,
        }

    def _take(self, message: dict[str, Any], journal: Journal) -> None:
        kind = message["type"]
        if kind == "item":
            self.skipped += max(0, message["seq"] - self._last_seq - 1)
            self._last_seq = max(self._last_seq, message["seq"])
            of = {"socket": self.name, "seq": message["seq"]}
            item = {**message, "process": self.about.get("process"), "of": of}
            self._numbers[message["seq"]] = journal.add(item, self.name)
            if len(self._numbers) > MAX_ITEMS:
                self._numbers.popitem(last=False)
        elif kind == "answer":
            self._answers.put(message)
        elif kind == "state":
            self.figures = {name: message[name] for name in ("queue", "spool", "delivery")}
            self.about = message
        elif kind == "forgotten":
            self.is_opted_out = True
            self._numbers.clear()
            journal.drop(self.name, message["process"]["pid"])
        elif kind == "hello":
            self.about = message
            # What came before this viewer is not what it was too slow for.
            self._last_seq = message["last_seq"]


@final
class LiveSource:
    """Reads the apps in a directory.

    Args:
        directory: Of the sockets; a socket itself shows that process alone.
    """

    def __init__(self, directory: Path) -> None:
        is_one = directory.is_socket()
        self._directory = directory.parent if is_one else directory
        self._only = directory.name if is_one else None
        self._apps: dict[str, App] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.problem = ""
        self.passed_over: dict[str, str] = {}

    def start(self, journal: Journal) -> None:
        """Look for apps, on a thread."""
        self.look(journal)
        threading.Thread(target=self._watch, args=(journal,), name="inspect-apps", daemon=True).start()

    def stop(self) -> None:
        """Read no more."""
        self._stop.set()
        for each in self._all():
            each.close()

    def state(self) -> dict[str, Any]:
        """Return what a `state` says of the apps."""
        apps = self._all()
        shown = [each for each in apps if each.about]
        source = {"kind": "live", "name": str(self._directory), "complete": self._stop.is_set()}
        return {
            "source": {**source, "problem": self._said() or None},
            "values_shown": bool(shown) and all(each.about.get("values_shown") for each in shown),
            "processes": [each.form() for each in shown],
            **_sum_of([each.figures for each in shown if each.figures]),
        }

    def rule(self, item: dict[str, Any], kind: str, key: str) -> dict[str, Any]:
        """Ask the app that an item is of."""
        app = self._apps.get(item["of"]["socket"])
        if app is None or not app.is_connected:
            raise RuleError("the app of this item has ended: it alone has what a rule is tried on")
        answer = app.ask({"id": 1, "type": "rule", "seq": item["of"]["seq"], "kind": kind, "key": key})
        examples = [{**each, "seq": app.number_of(each["seq"])} for each in answer["examples"]]
        kept = {name: value for name, value in answer.items() if name not in {"type", "id"}}
        return {**kept, "examples": examples}

    def look(self, journal: Journal) -> None:
        """Connect to the apps that are new."""
        try:
            names = names_in(self._directory)
            self.problem = ""
            for name in names:
                if name not in self._apps and self._only in {None, name}:
                    self._try(name, journal)
        except OSError as error:
            self.problem = f"{error.filename or self._directory}: {error.strerror or type(error).__name__}"

    def _said(self) -> str:
        return self.problem or "; ".join(self.passed_over.values())

    def _all(self) -> list[App]:
        with self._lock:
            return list(self._apps.values())

    def _watch(self, journal: Journal) -> None:
        while not self._stop.wait(LOOK_INTERVAL_S):
            self.look(journal)

    def _try(self, name: str, journal: Journal) -> None:
        """Connect to one, or pass it over with a word where it is nobody's to look at."""
        try:
            self._connect(name, journal)
        except ForeignError as error:
            if self._only is not None or error.filename != str(self._directory / name):
                raise
            self.passed_over[name] = f"{error.filename}: passed over: {error.strerror}"

    def _connect(self, name: str, journal: Journal) -> None:
        connection = connect(self._directory, name)
        if connection is None:
            return
        app = App(name, connection)
        with self._lock:
            self._apps[name] = app
            ended = [each.name for each in self._apps.values() if not each.is_connected]
            for each in ended[:-_MAX_ENDED]:
                del self._apps[each]
        threading.Thread(target=app.read, args=(journal,), name="inspect-app", daemon=True).start()


def _sum_of(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of several processes as those of one."""
    queue, delivery = dict(NOTHING_RUNS["queue"]), dict(NOTHING_RUNS["delivery"])
    reasons: dict[tuple[str, str], int] = {}
    for each in figures:
        for name in queue:
            queue[name] += each["queue"][name]
        for name, value in each["delivery"].items():
            if isinstance(value, int):
                delivery[name] = delivery.get(name, 0) + value
        for row in each["delivery"]["reasons"]:
            place = row["outcome"], row["reason"]
            reasons[place] = reasons.get(place, 0) + row["count"]
        last, newest = each["delivery"]["last_attempt"], delivery["last_attempt"]
        if last and (newest is None or last["time"] > newest["time"]):
            delivery["last_attempt"] = last
    ordered = sorted(reasons.items(), key=lambda each: -each[1])
    delivery["reasons"] = [{"outcome": name, "reason": why, "count": count} for (name, why), count in ordered]
    return {"queue": queue, "spool": _spools(figures), "delivery": delivery}


def _spools(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for each in figures:
        for row in each["spool"]:
            of = found.setdefault(row["destination"], {**row, "bytes": 0, "events": 0, "oldest_age_s": 0.0})
            of["bytes"] += row["bytes"]
            of["events"] += row["events"]
            of["oldest_age_s"] = max(of["oldest_age_s"], row["oldest_age_s"])
    return [found[name] for name in sorted(found)]
