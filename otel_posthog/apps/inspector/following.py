"""One call of `otel-posthog tail`: apps are read as they come, and printed until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import threading
import time
from collections import Counter

from otel_posthog.apps.inspector.directory import live_directory
from otel_posthog.apps.inspector.journal import Journal, Kept
from otel_posthog.apps.inspector.lines import Wanted, item_lines, without_values
from otel_posthog.apps.inspector.live import LiveSource
from otel_posthog.apps.terminal import is_colored, styled
from otel_posthog.errors import ConfigurationError
from otel_posthog.inspection.form import as_line

STOPPED, REFUSED, WRONG = 0, 1, 2
_SETTLE_S = 1.0
_PIECE = 100


def follow(arguments: argparse.Namespace) -> int:
    """Print what apps show until Ctrl-C and return the exit status."""
    logging.getLogger("otel_posthog").addHandler(logging.NullHandler())
    try:
        source = LiveSource(live_directory(arguments.socket, os.environ))
    except ConfigurationError as error:
        print(f"otel-posthog tail: {error}", file=sys.stderr)
        return WRONG
    try:
        return _Follower(arguments, source).run()
    except KeyboardInterrupt:
        return STOPPED
    finally:
        source.stop()


class _Follower:
    """Prints a journal as it fills."""

    def __init__(self, arguments: argparse.Namespace, source: LiveSource) -> None:
        self._arguments, self._source = arguments, source
        self._wanted = Wanted(arguments.event, arguments.outcome)
        self._is_colored = is_colored(sys.stdout)
        self._out = styled(sys.stdout) if self._is_colored else sys.stdout
        self._journal, self._news = Journal(), threading.Event()
        self._connected: frozenset[int] = frozenset()
        self._skipped = Counter[int]()

    def run(self) -> int:
        """Print until the process ends."""
        self._journal.listen(self._news.set)
        self._source.start(self._journal)
        if self._source.problem:
            print(f"otel-posthog tail: {self._source.problem}", file=sys.stderr)
            return REFUSED
        for word in self._source.passed_over.values():
            print(f"otel-posthog tail: {word}", file=sys.stderr)
        deadline = time.monotonic() + _SETTLE_S
        while not self._source.state()["processes"] and time.monotonic() < deadline:
            time.sleep(_SETTLE_S / 20)
        self._tell_of_apps(is_first=True)
        cursor = self._begin()
        self._tell_of_apps()
        while True:
            self._news.clear()
            found = self._journal.after(cursor, _PIECE)
            missed = min(self._journal.passed(cursor), found[0].seq - 1) - cursor if found else 0
            if missed > 0:
                print(f"otel-posthog tail: {missed:,} items were too many to show", file=sys.stderr)
            for each in found:
                self._show(each)
                cursor = each.seq
            self._out.flush()
            if not found:
                self._news.wait(_SETTLE_S)
                self._tell_of_apps()

    def _begin(self) -> int:
        """Wait until what apps had is read, and return the number of the last item that is not to be printed."""
        before, last = -1, self._journal.last_seq
        deadline = time.monotonic() + 3 * _SETTLE_S
        while last != before and time.monotonic() < deadline:
            before = last
            time.sleep(_SETTLE_S / 3)
            last = self._journal.last_seq
        taken = [each.seq for each in self._journal.after(0, last) if self._wanted.takes(json.loads(each.line))]
        wanted = taken[-self._arguments.lines :] if self._arguments.lines else []
        return wanted[0] - 1 if wanted else last

    def _show(self, kept: Kept) -> None:
        item, with_values = json.loads(kept.line), not self._arguments.no_values
        if self._arguments.json:
            if self._wanted.takes(item):
                self._out.write(as_line(item if with_values else without_values(item)) + "\n")
            return
        for line in item_lines(item, self._wanted, with_values=with_values, is_colored=self._is_colored):
            self._out.write(line + "\n")

    def _tell_of_apps(self, *, is_first: bool = False) -> None:
        """Say on standard error which apps are looked at, where that has changed."""
        state = self._source.state()
        apps = {each["pid"]: each for each in state["processes"] if each["connected"]}
        opted_out = {each["pid"] for each in state["processes"] if each["opted_out"]}
        if is_first and not apps:
            where = state["source"]["name"]
            print(f"no app listens in {where}: start one with OTEL_POSTHOG_INSPECT=1; waiting ...", file=sys.stderr)
        for pid in sorted(apps.keys() - self._connected):
            shows = "values are shown as they were" if apps[pid]["values_shown"] else "what leaves is shown"
            print(f"looking at {apps[pid]['service'] or 'an app'} (pid {pid}): {shows}", file=sys.stderr)
        for pid in sorted(self._connected - apps.keys()):
            print(_farewell(pid, is_opted_out=pid in opted_out), file=sys.stderr)
        self._connected = frozenset(apps)
        skipped = Counter[int]()
        for each in state["processes"]:
            skipped[each["pid"]] += each["skipped"]
        self._tell_of_skipped(skipped)
        sys.stderr.flush()

    def _tell_of_skipped(self, skipped: Counter[int]) -> None:
        """Say on standard error how many items each app has left out since that was said last."""
        for pid, new in sorted((skipped - self._skipped).items()):
            items = "items, too many at once" if new > 1 else "item, of too many at once"
            print(f"not shown of the app with pid {pid}: {new:,} {items}; what is sent is the same", file=sys.stderr)
        self._skipped = skipped


def _farewell(pid: int, *, is_opted_out: bool) -> str:
    if is_opted_out:
        return f"the user of the app with pid {pid} has opted out: it shows nothing more, and its items are forgotten"
    return f"the app with pid {pid} has ended"
