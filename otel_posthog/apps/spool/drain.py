"""`drain`: send what ended processes left, with the settings of the app, until nothing is left."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from otel_posthog.apps.spool.show import count, notice
from otel_posthog.apps.spool.survey import LEFT, Holding, survey
from otel_posthog.apps.terminal import is_colored, styled
from otel_posthog.deliver import Delivery, SpoolRoot, spool_root
from otel_posthog.deliver.spool.adoption import bind
from otel_posthog.deliver.spool.backlog import CUT, DAMAGED, EXPIRED
from otel_posthog.deliver.spool.folder import project_of, unbound_path
from otel_posthog.errors import ConfigurationError, Guard
from otel_posthog.health import DELIVERED, DROPPED, RETRIED, STORAGE_ERROR, Health
from otel_posthog.policy import Durability, Policy
from otel_posthog.policy.collection import collection_choice
from otel_posthog.setup.settings import read_settings
from otel_posthog.text import visible

POLL_S, REPORT_S = 0.2, 2.0
# For answers under way when all is sent, or the time is over.
SHUTDOWN_S = 1.0
# A host to which no event got through in this time is given up; a drain can be started again.
STALLED_S = 20.0
INTERRUPTED = 130
Progress = Callable[["Tally"], None]
_LOST = {DAMAGED: "damaged on disk, and lost", EXPIRED: "dropped: waited longer than `max_spool_age_s`"}


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a drain is.

    Attributes:
        total: Events that were left behind when it began.
        delivered: Events that PostHog has.
        dropped: Why events were dropped, and how many: damaged, too old, or else refused for good (dead letters).
        cuts: Files that end within an event, which is lost with all that stood behind it.
        retried: Why attempts failed, and how often.
        is_interrupted: Whether Ctrl-C ended it.
    """

    total: int
    delivered: int
    dropped: dict[str, int]
    retried: dict[str, int]
    cuts: int = 0
    is_interrupted: bool = False

    @property
    def settled(self) -> int:
        """How many events got through, or wait no more."""
        return self.delivered + sum(self.dropped.values())

    @property
    def is_done(self) -> bool:
        """Whether nothing of what was left behind waits."""
        return self.settled >= self.total

    @property
    def failures(self) -> str:
        """Why attempts fail, in a few words."""
        return ", ".join(f"{reason} {number}" for reason, number in sorted(self.retried.items()))


def run(root: Path, arguments: argparse.Namespace) -> int:
    """Send, and return 0 where nothing is left."""
    policy = _policy(arguments.destination)
    keyed = [each for each in policy.destinations if each.api_key]
    spool = spool_root(os.environ, root, for_owner=True)
    if arguments.unbound:
        for each in keyed:
            bind(spool.files, unbound_path(root, each.name), root / spool.folder_of(each).name)
    projects = {project_of(each) for each in keyed}
    left = [each for each in survey(root) if each.state == LEFT and each.project in projects]
    total = sum(each.events for each in left)
    tally = Tally(total, 0, {}, {})
    if left:
        with _progress(total, is_quiet=arguments.json) as progress:
            tally = _send(spool, policy, total, time.monotonic() + arguments.timeout, progress)
    remaining = [each for each in survey(root, arguments.destination) if each.events]
    return _report(root, arguments, tally, remaining, projects)


def _policy(destination: str | None) -> Policy:
    """Return the policy of the environment, with a spool whatever it says, and the destinations asked for."""
    settings = read_settings(os.environ)
    if not settings.collection.enabled:
        raise ConfigurationError(f"nothing is sent: usage statistics are disabled by {settings.collection.reason}")
    if settings.collection.is_preview or collection_choice(os.environ).is_off():
        raise ConfigurationError("nothing is sent: collection is a preview, or was switched off at run time")
    policy = settings.policy
    chosen = tuple(each for each in policy.destinations if destination in {None, each.name})
    if not chosen:
        names = ", ".join(each.name for each in policy.destinations)
        raise ConfigurationError(f"the policy has no destination {destination}; it has {names}")
    # As many attempts as the time allows: giving up is the person's to decide who waits here.
    delivery = replace(policy.delivery, durability=Durability.SPOOL, max_attempts=None, flush_interval_s=0.01)
    return replace(policy, destinations=chosen, delivery=delivery)


def _send(spool: SpoolRoot, policy: Policy, total: int, deadline: float, progress: Progress) -> Tally:
    health = Health()
    delivery = Delivery(policy, health, Guard(health), spool=spool)
    tally, moved_at, is_interrupted = Tally(total, 0, {}, {}), time.monotonic(), False
    try:
        delivery.start()
        while not tally.is_done and time.monotonic() < min(deadline, moved_at + STALLED_S):
            time.sleep(max(0.0, min(POLL_S, deadline - time.monotonic())))
            before, tally = tally, _tally(total, health)
            if tally.settled > before.settled:
                moved_at = time.monotonic()
            progress(tally)
            if not any(level.events for level in health.read_spools().values()):
                break
    except KeyboardInterrupt:
        is_interrupted = True
        notice("interrupted: what is not delivered stays in the spool")
    finally:
        delivery.shutdown(max(0.0, min(SHUTDOWN_S, deadline - time.monotonic())))
    return replace(_tally(total, health), is_interrupted=is_interrupted)


def _tally(total: int, health: Health) -> Tally:
    counts = health.snapshot()
    dropped, retried = (
        {reason: number for (outcome, reason), number in counts.items() if outcome == wanted}
        for wanted in (DROPPED, RETRIED)
    )
    cuts = counts.get((STORAGE_ERROR, CUT), 0)
    return Tally(total, health.total(DELIVERED), dropped, retried, cuts)


def _report(root: Path, arguments: argparse.Namespace, tally: Tally, left: list[Holding], projects: set[str]) -> int:
    number = sum(each.events for each in left)
    if arguments.json:
        dropped = sum(tally.dropped.values())
        shown = {"delivered": tally.delivered, "dropped": dropped, "left": number, "retried": tally.retried}
        print(json.dumps({**shown, "reasons": tally.dropped, "cut_files": tally.cuts}))
        return INTERRUPTED if tally.is_interrupted else int(number > 0)
    print(f"{count(tally.delivered)} delivered")
    for line in _losses(tally):
        print(line)
    for each in left:
        print(visible(f"{count(each.events)} left for {each.destination}: {_why_left(each, projects)}"))
    if any(each.state == LEFT and each.project in projects for each in left) and tally.failures:
        print(f"attempts failed: {tally.failures}")
    if not number:
        print(f"nothing is left in {root}")
    return INTERRUPTED if tally.is_interrupted else int(number > 0)


def _losses(tally: Tally) -> Iterator[str]:
    """Yield a line for each way in which events were lost."""
    refused = sum(number for reason, number in tally.dropped.items() if reason not in _LOST)
    if refused:
        yield f"{count(refused)} refused by PostHog: see `otel-posthog spool dead`"
    for reason, why in _LOST.items():
        if reason in tally.dropped:
            yield f"{count(tally.dropped[reason])} {why}"
    if tally.cuts:
        yield f"{count(tally.cuts, 'file')} cut short: at least one event each is lost, nobody knows how many"


def _why_left(each: Holding, projects: set[str]) -> str:
    if each.state != LEFT:
        return "a running process has them"
    if each.project in projects:
        return "not delivered yet"
    if not each.project:
        return "an earlier release did not note for which project; --unbound sends them to the one whose key is here"
    return "of a project and host whose key is not here; set POSTHOG_API_KEY and POSTHOG_HOST as they were"


@contextmanager
def _progress(total: int, *, is_quiet: bool) -> Iterator[Progress]:
    """Yield what shows how far it is: a bar on a terminal if rich is installed, else a line where something changed."""
    if is_quiet:
        yield lambda _: None
        return
    if sys.stderr.isatty():
        try:
            from rich.console import Console  # noqa: PLC0415 - an extra
            from rich.progress import Progress as Bar  # noqa: PLC0415
        except ModuleNotFoundError:
            pass
        else:
            with Bar(
                console=Console(file=styled(sys.stderr), no_color=not is_colored(sys.stderr)), transient=True
            ) as bar:
                task = bar.add_task("sending", total=total)
                yield lambda tally: bar.update(task, completed=tally.settled, description=_doing(tally))
            return
    said_at, said = time.monotonic(), (0, frozenset[str]())

    def say(tally: Tally) -> None:
        nonlocal said_at, said
        news = tally.settled, frozenset(tally.retried)
        if news != said and time.monotonic() - said_at >= REPORT_S:
            said_at, said = time.monotonic(), news
            notice(f"{tally.settled:,} of {tally.total:,} events {_doing(tally)}")

    yield say


def _doing(tally: Tally) -> str:
    return f"sent (failed attempts: {tally.failures})" if tally.failures else "sent"
