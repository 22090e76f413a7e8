"""`erase`: what waits of one person, or all that waits, is removed; dead letters too."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from otel_posthog.apps.spool.show import body_of, count
from otel_posthog.apps.spool.survey import LEFT, Holding, dead_letters, events_of, files_in, stored_in, survey
from otel_posthog.apps.spool.transfer import TransferError
from otel_posthog.deliver.spool import Spool
from otel_posthog.deliver.spool.dead_letters import DeadLetters
from otel_posthog.deliver.spool.files import Clock
from otel_posthog.deliver.spool.folder import folder_for, parse_folder
from otel_posthog.deliver.spool.owner import adopt
from otel_posthog.deliver.spool.segment import read_records
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy

# Where an event names persons: whose it is, and in an alias or an identification who else that is.
_IDS = ("distinct_id", "alias", "$anon_distinct_id", "$user_id", "$device_id")
Match = Callable[[CleanEvent], bool]


@dataclass
class Erased:
    """How much there was.

    Attributes:
        events: Removed of what waited.
        dead_letters: Removed of those.
        in_use: Matching events that a running process has, which stay.
    """

    events: int = 0
    dead_letters: int = 0
    in_use: int = 0


def run_erase(root: Path, arguments: argparse.Namespace) -> int:
    """Remove, and return 0 where nothing of it is left."""
    wanted = frozenset(arguments.distinct_id or ())
    match: Match = (lambda _: True) if arguments.all else (lambda event: _is_about(event, wanted))
    erased = Erased()
    for holding in survey(root, arguments.destination):
        _erase(root, holding, match, erased)
    for _, dead in dead_letters(root, arguments.destination):
        for path in dead.paths():
            erased.dead_letters += _erase_dead_letters(root, dead, path, match)
    _report(arguments, erased)
    return int(erased.in_use > 0)


def _is_about(event: CleanEvent, wanted: frozenset[str]) -> bool:
    body = body_of(event.body)
    properties = body.get("properties")
    named = [body.get("distinct_id")]
    if isinstance(properties, dict):
        named += [properties.get(key) for key in _IDS]
    return any(isinstance(each, str) and each in wanted for each in named)


def _erase(root: Path, holding: Holding, match: Match, erased: Erased) -> None:
    """Remove what matches in one directory: the rest goes into another one, with the age that it has."""
    files = files_in(root)
    found = sum(map(match, events_of(files, holding.path)))
    if not found:
        return
    owned = adopt(files, holding.path) if holding.state == LEFT else None
    if owned is None:
        erased.in_use += found
        return
    try:
        if found < holding.events:
            _keep_others(root, holding, match)
    except BaseException:
        owned.release()
        raise
    # Last: what stands in both, should this end here, is sent with the same uuid.
    owned.remove()
    erased.events += found


def _keep_others(root: Path, holding: Holding, match: Match) -> None:
    files, age = files_in(root), _Age()
    folder = parse_folder(holding.path.parent.name) or folder_for(holding.destination)
    spool = Spool(root, folder, DeliveryPolicy(max_spool_bytes=2**62), Health(), files=files, now_ms=age)
    try:
        for event, stored_ms in stored_in(files, holding.path):
            age.stored_ms = stored_ms
            if not match(event) and (not spool.put(event) or spool.volatile):
                raise TransferError(f"the spool {root} cannot be written: nothing of {holding.path} is removed")
    finally:
        spool.close()


def _erase_dead_letters(root: Path, dead: DeadLetters, path: Path, match: Match) -> int:
    records = list(read_records(files_in(root), path))
    kept = [each for each in records if not match(each.event)]
    if len(kept) < len(records):
        dead.rewrite(path, kept)
    return len(records) - len(kept)


def _report(arguments: argparse.Namespace, erased: Erased) -> None:
    if arguments.json:
        print(json.dumps(asdict(erased)))
        return
    print(f"{count(erased.events)} and {count(erased.dead_letters, 'dead letter')} removed")
    if erased.in_use:
        print(f"{count(erased.in_use)} left: a running process has them; stop it, or wait until it has sent them")


class _Age(Clock):
    """The time at which an event was stored, for a copy of it."""

    stored_ms: int | None = None

    def __call__(self) -> int:
        """Return that time; the present before the first event."""
        return super().__call__() if self.stored_ms is None else self.stored_ms
