"""`dead` and `replay`: what PostHog refused for good, and another try."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from otel_posthog.apps.spool.show import age, body_of, columns, count
from otel_posthog.apps.spool.survey import dead_letters, files_in
from otel_posthog.apps.spool.transfer import put_all
from otel_posthog.deliver.spool.dead_letters import DeadLetters
from otel_posthog.deliver.spool.folder import folder_for, parse_folder
from otel_posthog.deliver.spool.segment import read_records


def number_of(root: Path, destination: str | None) -> int:
    """Return how many dead letters there are."""
    return sum(1 for _, letters in dead_letters(root, destination) for _ in letters.all())


def run_dead(root: Path, arguments: argparse.Namespace) -> int:
    """List them."""
    rows, found = [("uuid", "event", "destination", "refused", "reason")], []
    for _, letters in dead_letters(root, arguments.destination):
        for letter in letters.all():
            event, record = letter.record.event, letter.record
            name = str(body_of(event.body).get("event", "?"))
            rows.append((event.uuid, name, event.destination, f"{age(record.stored_ms)} ago", record.reason))
            found.append({"reason": record.reason, "buried_ms": record.stored_ms, "event": body_of(event.body)})
    if arguments.json:
        print(json.dumps(found))
    elif not found:
        print(f"no dead letters in {root}")
    else:
        print(columns(rows))
        print(f"\n{count(len(found), 'dead letter')}; `otel-posthog spool replay [UUID...]` has them sent once more")
    return 0


def run_replay(root: Path, arguments: argparse.Namespace) -> int:
    """Put them back into the spool, where a drain or the next process finds them."""
    wanted = {uuid.lower() for uuid in arguments.uuids}
    replayed: set[str] = set()
    for _, letters in dead_letters(root, arguments.destination):
        for path in letters.paths():
            replayed |= _replay_file(root, letters, path, wanted)
    missing = wanted - replayed
    if arguments.json:
        print(json.dumps({"replayed": sorted(replayed), "missing": sorted(missing)}))
    else:
        for uuid in sorted(missing):
            print(f"{uuid}: no such dead letter")
        print(f"{count(len(replayed), 'dead letter')} put back; `otel-posthog spool drain`, or the app, sends them")
    return 1 if missing else 0


def _replay_file(root: Path, letters: DeadLetters, path: Path, wanted: set[str]) -> set[str]:
    """Put back what is wanted of one file and keep the rest; return the uuids."""
    files = files_in(root)
    records = list(read_records(files, path))
    chosen = [each.event for each in records if not wanted or each.event.uuid in wanted]
    if not chosen:
        return set()
    put_all(root, ((event, parse_folder(path.parent.parent.name) or folder_for(event.destination)) for event in chosen))
    # Last: what stands in both, should this end here, is sent with the same uuid.
    letters.rewrite(path, [each for each in records if each.event not in chosen])
    return {event.uuid for event in chosen}
