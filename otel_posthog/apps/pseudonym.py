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
from otel_posthog.unix_time import moment_of

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
  otel-posthog pseudonym --all-keys < ids      every id that PostHog may have
  otel-posthog pseudonym --at 2026-05-01 -     the one of events of that day
  otel-posthog pseudonym --group company -     of a company instead of a user

To erase a person, delete each of these distinct ids in PostHog. Ids of the
mode daily cannot be found by anybody once their day is over; in the modes
unlinked and installation no event is anybody's.
"""
EXTRA = ""
BAD_CONFIGURATION = 1


def missing_module() -> str | None:
    """Return None: it needs nothing that the package does not bring."""
    return None


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
    parser.add_argument("--group", metavar="TYPE", help="the ids are keys of groups of this type")
    parser.add_argument("--policy", metavar="FILE", help="the policy file (default: OTEL_POSTHOG_POLICY)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Print the pseudonyms and return the exit status: 1 where there is no key."""
    try:
        keys = _keys(arguments)
        for given in _ids(arguments.ids):
            for key in keys:
                _show(given, key, arguments)
    except ConfigurationError as error:
        print(f"otel-posthog pseudonym: {error}", file=sys.stderr)
        return BAD_CONFIGURATION
    return 0


def _keys(arguments: argparse.Namespace) -> Sequence[Key]:
    """Return the keys to print pseudonyms of."""
    from otel_posthog.setup.settings import read_identity_keys  # noqa: PLC0415 - help comes at once

    ring = read_identity_keys(os.environ, arguments.policy)
    if arguments.all_keys:
        return ring.keys
    found = ring.at(time.time_ns() if arguments.at is None else arguments.at)
    if found is None:
        raise ConfigurationError("no key was in use at that time: events of then carry no user")
    if len(ring.keys) > 1:
        print(f"there are {len(ring.keys)} keys: --all-keys prints the pseudonyms under each", file=sys.stderr)
    return [found]


def _ids(given: Iterable[str]) -> Iterator[str]:
    words = list(given)
    if words not in ([], ["-"]):
        yield from words
        return
    if sys.stdin.isatty():
        print("reading ids, one a line; end with Ctrl-D", file=sys.stderr)
    yield from (line.strip() for line in sys.stdin if line.strip())


def _show(given: str, key: Key, arguments: argparse.Namespace) -> None:
    from otel_posthog.identity.pseudonyms import group_pseudonym, user_pseudonym  # noqa: PLC0415

    kind = arguments.group
    pseudonym = user_pseudonym(key.secret, given) if kind is None else group_pseudonym(key.secret, kind, given)
    if arguments.json:
        since = None if key.since_ns is None else moment_of(key.since_ns).isoformat()
        print(json.dumps({"pseudonym": pseudonym, "key_since": since}))
    else:
        print(pseudonym)


def _time_ns(text: str) -> int:
    from otel_posthog.identity.keys import read_time  # noqa: PLC0415

    time_ns = read_time(text)
    if time_ns is None:
        raise argparse.ArgumentTypeError("write 2026-05-01 or 2026-05-01T12:00:00Z")
    return time_ns
