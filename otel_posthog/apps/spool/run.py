"""Runs a subcommand of `otel-posthog spool` where what it would let out may leave; those that only look are here."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path

from otel_posthog import environment_variables as env
from otel_posthog.apps.spool import drain, erase, transfer
from otel_posthog.apps.spool.show import age, body_of, columns, count, notice, size
from otel_posthog.apps.spool.survey import Holding, dead_letters, events_of, files_in, has_folder, survey
from otel_posthog.deliver import spool_root
from otel_posthog.deliver.spool.adoption import drop
from otel_posthog.errors import ConfigurationError
from otel_posthog.policy.collection import collection_choice
from otel_posthog.setup.settings import read_settings
from otel_posthog.state import spool_directory, spool_named_by, state_directory
from otel_posthog.text import visible

CANNOT = 2
_TO_COME = (
    "{root} does not exist: no app of this Python has kept events yet; for an app that runs elsewhere, set "
    f"{env.OTEL_POSTHOG_STATE_DIR} or --directory as there"
)


def run_subcommand(arguments: argparse.Namespace) -> int:
    """Run what was asked for and return the exit status."""
    root = arguments.directory or spool_directory(os.environ)
    try:
        _refuse_what_is_not_there(root, arguments)
        _refuse_what_is_read_only(root, arguments)
        if arguments.subcommand in _LETS_OUT:
            _refuse_if_opted_out(root)
        if arguments.subcommand == "export":
            _refuse_if_switched_off()
        is_to_come = not root.exists() and arguments.subcommand != "import"
        status = _SUBCOMMANDS[arguments.subcommand](root, arguments)
        if is_to_come:
            notice(_TO_COME.format(root=root))
        return status
    except (ConfigurationError, transfer.TransferError) as error:
        notice(f"otel-posthog spool: {error}")
    except OSError as error:
        notice(f"otel-posthog spool: {error.filename or root}: {error.strerror}")
    return CANNOT


def _refuse_what_is_not_there(root: Path, arguments: argparse.Namespace) -> None:
    """Answer for no directory and no destination that somebody mistyped: nothing waits there, but elsewhere it may.

    Raises:
        ConfigurationError: The directory is none, or neither the spool nor the policy has the destination.
    """
    if not root.is_dir() and not (arguments.subcommand == "import" and not root.exists()):
        _refuse_no_directory(root, is_argument=arguments.directory is not None)
    name = arguments.destination
    if name is None or has_folder(root, name):
        return
    known = [each.name for each in read_settings(os.environ).policy.destinations]
    if name not in known:
        raise ConfigurationError(
            f"the policy has no destination {name}, and nothing of one waits; it has {', '.join(known)}"
        )


def _refuse_what_is_read_only(root: Path, arguments: argparse.Namespace) -> None:
    """Let only those pass that look: what cannot be locked would be taken for what a running process has.

    Raises:
        ConfigurationError: The file system is read-only, and the subcommand would change what is there.
    """
    looks = arguments.subcommand in _LOOKS or (arguments.subcommand == "export" and arguments.keep)
    # By the mount and not by permission bits: of a directory that others share, only what is below it is this user's.
    if not looks and root.is_dir() and hasattr(os, "statvfs") and os.statvfs(root).f_flag & os.ST_RDONLY:
        raise ConfigurationError(
            f"{root} cannot be used: it is on a read-only file system, where `list`, `inspect`, `dead` and "
            "`export --keep` work"
        )


def _refuse_no_directory(root: Path, *, is_argument: bool) -> None:
    """Let it pass where nobody has named the directory: no app has kept anything there yet.

    Raises:
        ConfigurationError: Somebody has; where that is mistyped, events wait elsewhere.
    """
    if is_argument:
        raise ConfigurationError(f"{root} is no directory; name a spool, or leave --directory out")
    variable, state = spool_named_by(os.environ), state_directory(os.environ)
    if root.exists():
        raise ConfigurationError(f"{root} is no directory; correct {variable or env.OTEL_POSTHOG_SPOOL_DIR}")
    named = state if variable == env.OTEL_POSTHOG_STATE_DIR else root
    if variable and not named.exists():
        raise ConfigurationError(
            f"{named}, which {variable} names, does not exist; correct that, or start the app first, which makes it"
        )


def _refuse_if_opted_out(root: Path) -> None:
    """Drop what waits where the installation opted out, as a process of the app would.

    Raises:
        ConfigurationError: It did; nothing is let out then.
    """
    if collection_choice(os.environ).is_off():
        spool = spool_root(os.environ, root, for_owner=True)
        dropped = drop(spool.files, root, spool.is_mine)
        raise ConfigurationError(
            f"nothing is sent or handed on: collection was switched off at run time, and what waited is dropped "
            f"({count(dropped)})"
        )


def _refuse_if_switched_off() -> None:
    """Let nothing out under an off switch; no key is none: a site without a network needs none.

    Raises:
        ConfigurationError: There is one.
    """
    decided = read_settings(os.environ).collection
    if not decided.enabled and not decided.reason.startswith(env.POSTHOG_API_KEY):
        raise ConfigurationError(f"nothing is handed on: usage statistics are disabled by {decided.reason}")


def _list(root: Path, arguments: argparse.Namespace) -> int:
    holdings = survey(root, arguments.destination)
    if arguments.json:
        print(json.dumps([{**asdict(each), "path": str(each.path)} for each in holdings]))
        return 0
    waiting = [each for each in holdings if each.events]
    if not waiting:
        print(f"nothing waits in {root}")
    else:
        print(f"{root}\n")
        print(columns([_HEAD, *map(_row, holdings)], right=(4, 5, 6)))
        total = sum(each.events for each in waiting)
        print(f"\n{count(total)} waiting, {size(sum(each.size_bytes for each in holdings))} on disk")
    dead = _dead_letters_in(root, arguments.destination)
    if dead:
        print(f"{count(dead, 'dead letter')}: see `otel-posthog spool dead`")
    return 0


_HEAD = ("destination", "project", "process", "state", "events", "size", "oldest")


def _row(each: Holding) -> tuple[str, ...]:
    process = f"pid {each.pid}" if each.pid else each.path.name
    return (
        each.destination,
        each.project[:8] or "-",
        process,
        each.state,
        f"{each.events:,}",
        size(each.size_bytes),
        age(each.oldest_ms),
    )


def _inspect(root: Path, arguments: argparse.Namespace) -> int:
    files = files_in(root)
    events = chain.from_iterable(events_of(files, each.path) for each in survey(root, arguments.destination))
    shown = 0
    for event in islice(events, arguments.limit or None):
        shown += 1
        if arguments.json:
            print(event.body.decode())
        else:
            print(visible(f"{event.uuid}  for {event.destination}"))
            print(json.dumps(body_of(event.body), indent=2, ensure_ascii=False), end="\n\n")
    if not shown and not arguments.json:
        print(f"nothing waits in {root}")
    return 0


def _dead_letters_in(root: Path, destination: str | None) -> int:
    """Return how many dead letters there are."""
    return sum(1 for _, dead in dead_letters(root, destination) for _ in dead.all())


def _dead(root: Path, arguments: argparse.Namespace) -> int:
    """Show what PostHog refused for good, and why."""
    rows, found = [("uuid", "event", "destination", "refused", "reason")], []
    for _, dead in dead_letters(root, arguments.destination):
        for each in dead.all():
            event, record = each.record.event, each.record
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


_LOOKS = {"list", "inspect", "dead"}
_LETS_OUT = {"drain", "replay", "export", "import"}
_SUBCOMMANDS: dict[str, Callable[[Path, argparse.Namespace], int]] = {
    "list": _list,
    "inspect": _inspect,
    "drain": drain.run,
    "erase": erase.run_erase,
    "dead": _dead,
    "replay": transfer.run_replay,
    "export": transfer.run_export,
    "import": transfer.run_import,
}
