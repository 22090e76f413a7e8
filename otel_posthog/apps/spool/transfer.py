"""`export`, `import` and `replay`: events go to a file for where there is a network, come from one, or are sent anew.

The file is JSON lines: a head that says what it is, one event each, and a foot with their number and the SHA-256 of all
lines before it. An event's bytes stand in it as PostHog will get them. To import a file twice repeats events with
the same uuid, of which PostHog keeps one.

Anybody can write such a file: what is imported has the form of an event or is refused, and passes
the key rules and detectors of this machine's policy again.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from otel_posthog.apps.progress import counted
from otel_posthog.apps.spool.show import count
from otel_posthog.apps.spool.survey import LEFT, dead_letters, events_of, files_in, survey
from otel_posthog.deliver import spool_root
from otel_posthog.deliver.spool import Spool
from otel_posthog.deliver.spool.dead_letters import DeadLetters
from otel_posthog.deliver.spool.folder import Folder, folder_for, is_project, parse_folder
from otel_posthog.deliver.spool.owner import adopt
from otel_posthog.deliver.spool.segment import read_records
from otel_posthog.errors import ConfigurationError
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy, Policy
from otel_posthog.posthog.encoding import NotAnEventError
from otel_posthog.privacy import Filter, refilter
from otel_posthog.setup.settings import read_settings

FORMAT, VERSION = "otel-posthog spool export", 1
_BODY = b',"event":'
# A line is an event, and what stands around it; honest events shrink to a tenth or so.
_AROUND_BYTES = 4096
_MAX_RATIO, _SPARE_BYTES = 100, 1024 * 1024


class TransferError(Exception):
    """A file that cannot be imported; the message says why."""


def put_all(root: Path, events: Iterable[tuple[CleanEvent, Folder]]) -> int:
    """Put `events` into the folders that they are given with, synced; return how many."""
    spools: dict[str, Spool] = {}
    number = 0
    try:
        for event, folder in events:
            spool = spools.get(folder.name)
            if spool is None:
                spool = spools[folder.name] = Spool(root, folder, DeliveryPolicy(), Health(), files=files_in(root))
            if not spool.put(event) or spool.volatile:
                raise TransferError(f"the spool {root} is full, or cannot be written: not all is in it")
            number += 1
    finally:
        for spool in spools.values():
            spool.close()
    return number


def run_export(root: Path, arguments: argparse.Namespace) -> int:
    """Write what waits to a file; take what ended processes left out of the spool."""
    holdings = [each for each in survey(root, arguments.destination) if each.events]
    files, path = files_in(root), Path(arguments.file)
    _refuse_to_replace(path)
    draft = path.with_name(path.name + ".part")
    waiting = ((event, each.project) for each in holdings for event in events_of(files, each.path))
    with _opened(draft, "wb", is_compressed=path.suffix == ".gz") as file:
        written = _write(file, counted(waiting, "written"))
    draft.replace(path)
    kept = 0
    for each in holdings:
        owned = adopt(files, each.path) if each.state == LEFT and not arguments.keep else None
        if owned is None:
            kept += each.events
        else:
            owned.remove()
    if arguments.json:
        print(json.dumps({"exported": written, "still_in_spool": kept, "file": str(path)}))
    else:
        print(f"{count(written)} written to {path}")
        if kept:
            print(f"{kept:,} of them stay in the spool as well: a running process has them, or --keep was given")
    return 0


def _refuse_to_replace(path: Path) -> None:
    """Let it pass where there is nothing, or nothing in it.

    Raises:
        TransferError: It is no file, or holds what may be an earlier export: the only copy of its events.
    """
    if path.exists() and not path.is_file():
        raise TransferError(f"{path} is no file; name a new one")
    if path.exists() and path.stat().st_size:
        raise TransferError(
            f"{path} exists already, and may hold the only copy of events; choose another name, or remove it"
        )


def run_import(root: Path, arguments: argparse.Namespace) -> int:
    """Check a file to its end, then put its events into the spool."""
    path: Path = arguments.file
    policy = read_settings(os.environ).policy
    try:
        for _ in _refiltered(counted(read_export(path), "checked"), policy, arguments.destination):
            pass  # what may not be imported is found before anything of the file is
        events = _refiltered(counted(read_export(path), "imported"), policy, arguments.destination)
        number = put_all(root, _placed(root, events, policy, arguments.destination))
    except NotAnEventError:
        raise TransferError(f"{path} holds what is no event; nothing else can be imported") from None
    if arguments.json:
        print(json.dumps({"imported": number}))
    else:
        print(f"{count(number)} imported into {root}; `otel-posthog spool drain`, or the app, sends them")
    return 0


def run_replay(root: Path, arguments: argparse.Namespace) -> int:
    """Put dead letters back into the spool, where a drain or the next process finds them."""
    wanted = {uuid.lower() for uuid in arguments.uuids}
    replayed: set[str] = set()
    for _, dead in dead_letters(root, arguments.destination):
        for path in dead.paths():
            replayed |= _replay_file(root, dead, path, wanted)
    missing = wanted - replayed
    if arguments.json:
        print(json.dumps({"replayed": sorted(replayed), "missing": sorted(missing)}))
    else:
        for uuid in sorted(missing):
            print(f"{uuid}: no such dead letter")
        print(f"{count(len(replayed), 'dead letter')} put back; `otel-posthog spool drain`, or the app, sends them")
    return 1 if missing else 0


def _replay_file(root: Path, dead: DeadLetters, path: Path, wanted: set[str]) -> set[str]:
    """Put back what is wanted of one file and keep the rest; return the uuids."""
    files = files_in(root)
    records = list(read_records(files, path))
    chosen = [each.event for each in records if not wanted or each.event.uuid in wanted]
    if not chosen:
        return set()
    put_all(root, ((event, parse_folder(path.parent.parent.name) or folder_for(event.destination)) for event in chosen))
    # Last: what stands in both, should this end here, is sent with the same uuid.
    dead.rewrite(path, [each for each in records if each.event not in chosen])
    return {event.uuid for event in chosen}


def _refiltered(
    events: Iterable[tuple[CleanEvent, str]], policy: Policy, destination: str | None
) -> Iterator[tuple[CleanEvent, str]]:
    """Yield each event as the policy of its destination, or of the one asked for, lets it leave."""
    compiled = {rules: Filter(rules) for rules in {policy.privacy, *map(policy.privacy_of, policy.destinations)}}
    filters = {each.name: compiled[policy.privacy_of(each)] for each in policy.destinations}
    for event, project in events:
        rules = filters.get(destination or event.destination, compiled[policy.privacy])
        yield refilter(event, rules, policy.trace_template), project


def _placed(
    root: Path, events: Iterable[tuple[CleanEvent, str]], policy: Policy, destination: str | None
) -> Iterator[tuple[CleanEvent, Folder]]:
    """Yield each event with its folder: of the project that it was exported for, or of the destination asked for.

    Raises:
        ConfigurationError: That has no key here.
    """
    spool = spool_root(os.environ, root)
    folder = None
    if destination is not None:
        known = {each.name: each for each in policy.destinations if each.api_key}
        if destination not in known:
            raise ConfigurationError(f"there is no key here for a destination {destination}: its project is not known")
        folder = spool.folder_of(known[destination])
    for event, project in events:
        yield event, folder or folder_for(event.destination, project, spool.installation)


def read_export(path: Path) -> Iterator[tuple[CleanEvent, str]]:
    """Yield the events of an exported file, each with what stands for its project (empty in older files).

    Args:
        path: The file.

    Raises:
        TransferError: It is no such file, is of a newer release, or is damaged.
        OSError: It cannot be read.
    """
    check, number, foot = hashlib.sha256(), 0, None
    try:
        with _opened(path, "rb", is_compressed=_is_gzip(path)) as file:
            lines = _lines(path, file)
            _check_head(path, head := next(lines, b""))
            check.update(head)
            for line in lines:
                foot = line
                if line.startswith(b'{"events":'):
                    break
                check.update(line)
                number += 1
                yield _event(path, line)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise TransferError(f"{path} is cut short or damaged; copy it again") from None
    _check_foot(path, foot or b"", number, check.hexdigest())


def _lines(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines that are not longer than an event may be, and not much more than a file of that size holds."""
    longest = DeliveryPolicy().max_event_bytes + _AROUND_BYTES
    left = path.stat().st_size * _MAX_RATIO + _SPARE_BYTES
    while line := file.readline(longest + 1):
        left -= len(line)
        if len(line) > longest:
            raise TransferError(f"{path} has a line that is longer than an event may be")
        if left < 0:
            raise TransferError(f"{path} holds {_MAX_RATIO} times its size; unpack it if you know who packed it")
        yield line


def _write(file: IO[bytes], events: Iterable[tuple[CleanEvent, str]]) -> int:
    check, number = hashlib.sha256(), 0

    def put(line: bytes) -> None:
        check.update(line)
        file.write(line)

    put(json.dumps({"format": FORMAT, "version": VERSION}).encode() + b"\n")
    for event, project in events:
        about = {"destination": event.destination, "project": project, "uuid": event.uuid}
        head = json.dumps(about, separators=(",", ":")).encode()
        put(head[:-1] + _BODY + event.body + b"}\n")
        number += 1
    foot = {"events": number, "sha256": check.hexdigest()}
    file.write(json.dumps(foot, separators=(",", ":")).encode() + b"\n")
    return number


def _event(path: Path, line: bytes) -> tuple[CleanEvent, str]:
    head, _, body = line.rstrip(b"\n").partition(_BODY)
    try:
        about = json.loads(head + b"}")
        json.loads(body[:-1])
        project = str(about.get("project", ""))
        if project and not is_project(project):
            raise TransferError(f"{path} is damaged; copy it again")
        uuid, name = about["uuid"], about["destination"]
        if not (isinstance(uuid, str) and isinstance(name, str) and name):
            raise TypeError
        return CleanEvent(uuid, body[:-1], name), project
    except (ValueError, KeyError, TypeError, RecursionError):
        raise TransferError(f"{path} is damaged; copy it again") from None


def _check_head(path: Path, line: bytes) -> None:
    try:
        head = json.loads(line)
        is_ours = head["format"] == FORMAT
        version = head["version"]
    except (ValueError, KeyError, TypeError):
        is_ours, version = False, 0
    if not is_ours:
        raise TransferError(f"{path} is not what `otel-posthog spool export` writes")
    if version > VERSION:
        raise TransferError(f"{path} is of a newer release; update otel-posthog here")


def _check_foot(path: Path, line: bytes, number: int, digest: str) -> None:
    try:
        foot = json.loads(line)
        is_whole = foot["events"] == number and foot["sha256"] == digest
    except (ValueError, KeyError, TypeError):
        is_whole = False
    if not is_whole:
        raise TransferError(f"{path} is cut short or damaged; copy it again")


@contextmanager
def _opened(path: Path, mode: str, *, is_compressed: bool) -> Iterator[IO[bytes]]:
    """Open for lines, synced at the end where it is written; only for this user."""
    flags = os.O_RDONLY if mode == "rb" else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o600), mode) as raw:
        if is_compressed:
            with gzip.GzipFile(fileobj=raw, mode=mode) as file:
                yield file  # type: ignore[misc]
        else:
            yield raw
        if mode == "wb":
            raw.flush()
            os.fsync(raw.fileno())


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
