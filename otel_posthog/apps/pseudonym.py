"""The subcommand `pseudonym`: from the id of a user or a group to what stands for it in PostHog.

It reads the same keys as the app. An id is never shown again, neither in the output nor in an error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from otel_posthog.errors import ConfigurationError
from otel_posthog.values import moment_of

if TYPE_CHECKING:
    from otel_posthog.identity.keys import Key

NAME = "pseudonym"
SUMMARY = "turn a user id into its pseudonym, for an erasure request"
DESCRIPTION = """\
Print what stands for a user's id in PostHog, in the identity mode pseudonymous:
one line for each id, in the order in which they come.

Ids are read from standard input, one a line, unless they are arguments; there
they would stay in the history of the shell.
"""
EPILOG = """\
The keys are those of the app: OTEL_POSTHOG_IDENTITY_KEYS, or the file that
OTEL_POSTHOG_IDENTITY_KEYS_FILE or identity_keys_file in the policy names.

examples:
  otel-posthog pseudonym --erase < ids            every id that PostHog may have
  otel-posthog pseudonym --erase --session < ids  the same of sessions
  otel-posthog pseudonym --at 2026-05-01 -        the one of events of that day
  otel-posthog pseudonym --group company -        of a company, not a user

To erase a person, delete each of these distinct ids in PostHog. --erase has
the id itself as well, which events of the mode identified have, and those of
the mode daily as long as their salt is kept here. It says what it cannot know.

exit status: 0 printed, 2 a wrong argument, policy or key
"""
UNKNOWN = {
    "user": (
        "ids of the mode daily of days that are over: nobody can tell whose they were",
        "sessions and groups of theirs: give those with --session and --group TYPE",
        "other ids of theirs, as an alias from before log-in, and other spellings: give those too",
        "ids under keys that are not among these any more",
        "events that carry the installation's id, and what properties say of them in words",
    ),
    "session": ("sessions that you do not name", "ids under keys that are not among these any more"),
    "group": ("groups that you do not name", "ids under keys that are not among these any more"),
}
BAD_CONFIGURATION = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("ids", nargs="*", metavar="ID", help="an id; - or none reads them from standard input")
    times = parser.add_mutually_exclusive_group()
    times.add_argument(
        "--at",
        metavar="TIME",
        type=_time_ns,
        help="the pseudonym of events of this time: 2026-05-01 or 2026-05-01T12:00:00Z (default: now)",
    )
    times.add_argument("--all-keys", action="store_true", help="the pseudonyms under every key, the oldest first")
    times.add_argument("--erase", action="store_true", help="every id that PostHog may have, in whichever mode")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--group", metavar="TYPE", help="the ids are keys of groups of this type")
    kinds.add_argument("--session", action="store_true", help="the ids are those of sessions")
    parser.add_argument("--policy", metavar="FILE", help="the policy file (default: OTEL_POSTHOG_POLICY)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Print the pseudonyms and return the exit status: 1 where there is no key."""
    try:
        keys = _keys(arguments)
        for given in _ids(arguments.ids):
            for found in _every_id(given, keys, arguments) if arguments.erase else _pseudonyms(given, keys, arguments):
                print(json.dumps(found) if arguments.json else found["pseudonym"])
    except ConfigurationError as error:
        print(f"otel-posthog pseudonym: {error}", file=sys.stderr)
        return BAD_CONFIGURATION
    if arguments.erase:
        for line in ("not among them, since it cannot be known:", *(f"  {each}" for each in UNKNOWN[_kind(arguments)])):
            print(line, file=sys.stderr)
    return 0


def _kind(arguments: argparse.Namespace) -> str:
    return "session" if arguments.session else "user" if arguments.group is None else "group"


def _keys(arguments: argparse.Namespace) -> Sequence[Key]:
    """Return the keys to print pseudonyms of."""
    from otel_posthog.setup.settings import find_identity_keys, read_identity_keys  # noqa: PLC0415 - help comes at once

    if arguments.erase:
        # There may be events of a mode that needs none.
        found = find_identity_keys(os.environ, arguments.policy)
        return found.keys if found else ()
    ring = read_identity_keys(os.environ, arguments.policy)
    if arguments.all_keys:
        return ring.keys
    used = ring.at(time.time_ns() if arguments.at is None else arguments.at)
    if used is None:
        raise ConfigurationError("no key was in use at that time: events of then carry no user")
    if len(ring.keys) > 1:
        print(f"there are {len(ring.keys)} keys: --all-keys prints the pseudonyms under each", file=sys.stderr)
    return [used]


def _ids(given: Iterable[str]) -> Iterator[str]:
    words = list(given)
    if words not in ([], ["-"]):
        yield from words
        return
    if sys.stdin.isatty():
        print("reading ids, one a line; end with Ctrl-D", file=sys.stderr)
    yield from (line.strip() for line in sys.stdin if line.strip())


def _pseudonyms(given: str, keys: Sequence[Key], arguments: argparse.Namespace) -> Iterator[dict[str, str | None]]:
    """Yield what stands for `given` under each of `keys`."""
    from otel_posthog.identity.pseudonyms import (  # noqa: PLC0415 - help comes at once
        group_pseudonym,
        session_pseudonym,
        user_pseudonym,
    )

    for key in keys:
        since = None if key.since_ns is None else moment_of(key.since_ns).isoformat()
        if arguments.session:
            found = session_pseudonym(key.secret, given)
        elif arguments.group is not None:
            found = group_pseudonym(key.secret, arguments.group, given)
        else:
            found = user_pseudonym(key.secret, given)
        yield {"pseudonym": found, "key_since": since}


def _every_id(given: str, keys: Sequence[Key], arguments: argparse.Namespace) -> Iterator[dict[str, str | None]]:
    """Yield every id that PostHog may have for `given`, with the mode in which it was sent."""
    kept: list[dict[str, str | None]] = [{"pseudonym": given, "mode": "identified"}]
    kept += [{**each, "mode": "pseudonymous"} for each in _pseudonyms(given, keys, arguments)]
    yield from kept
    ids = [str(each["pseudonym"]) for each in kept]
    if arguments.group is not None:
        # What PostHog has of a group that was updated without a user.
        yield from ({**each, "pseudonym": f"${arguments.group}_{each['pseudonym']}"} for each in kept)
    elif not arguments.session:
        for daily in _daily(ids):
            yield {"pseudonym": daily, "mode": "daily"}


def _daily(ids: Sequence[str]) -> Iterator[str]:
    """Yield what stands for each of `ids` on the days whose salt is kept here: today, and just after midnight two."""
    from otel_posthog.identity.period_secrets import DailySalts  # noqa: PLC0415
    from otel_posthog.identity.pseudonyms import daily_pseudonym  # noqa: PLC0415
    from otel_posthog.state import state_directory  # noqa: PLC0415

    for day, salt in DailySalts(state_directory(os.environ)).kept():
        # A service that gets a lasting pseudonym instead of an id makes the daily one of that.
        yield from (daily_pseudonym(day, salt, each) for each in ids)


def _time_ns(text: str) -> int:
    from otel_posthog.identity.keys import read_time  # noqa: PLC0415

    time_ns = read_time(text)
    if time_ns is None:
        raise argparse.ArgumentTypeError("write 2026-05-01 or 2026-05-01T12:00:00Z")
    return time_ns
