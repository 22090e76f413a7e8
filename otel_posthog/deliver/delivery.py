"""The last stage: each clean event to the sender of its destination, and one deadline over all of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial

from otel_posthog import health as outcome
from otel_posthog.deliver.sender import Sender
from otel_posthog.deliver.spool import Spool
from otel_posthog.deliver.spool.adoption import drop
from otel_posthog.deliver.spool.files import HAS_LOCKS
from otel_posthog.deliver.spool.folder import SpoolRoot
from otel_posthog.deliver.store import MemoryStore, Store
from otel_posthog.deliver.transport import Transport
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import CleanEvent
from otel_posthog.policy import DeliveryPolicy, Destination, Durability, Policy
from otel_posthog.private_files import ForeignError
from otel_posthog.process import run_in_child
from otel_posthog.threads import start_daemon

_log = logging.getLogger("otel_posthog")

_FATE = "product events for %s wait in memory, and what PostHog does not have when the process ends is lost"

# Larger than most events.
USUAL_EVENT_BYTES = 4096


class Delivery:
    """The senders of a policy's destinations, one for each that has a key: one that is down never delays another.

    Args:
        policy: The destinations, and how to deliver.
        health: Counts what becomes of events.
        guard: Keeps errors of ours out of the host app.
        transport: The network; the default is HTTP, a connection of its own for each destination.
        suppress: Keeps the host's instrumentation from tracing our requests.
        spool: Where events wait on disk, one folder for each destination; None keeps them in memory.
    """

    def __init__(  # noqa: PLR0913 - the last three by name
        self,
        policy: Policy,
        health: Health,
        guard: Guard,
        *,
        transport: Transport | None = None,
        suppress: Callable[[], AbstractContextManager[None]] = nullcontext,
        spool: SpoolRoot | None = None,
    ) -> None:
        limits, self._health, self._spool = policy.delivery, health, spool

        def sender_for(destination: Destination) -> Sender:
            store = open_store(destination, limits, health, spool)
            return Sender(destination, limits, store, health, guard, transport=transport, suppress=suppress)

        self._sender_for = sender_for
        self._senders: dict[str, Sender] = {}
        self.extend(policy)
        run_in_child(self.reset_after_fork)

    def extend(self, policy: Policy) -> None:
        """Make senders for the destinations of `policy` that have a key and no sender yet; those there are go on."""
        missing = [each for each in policy.destinations if each.api_key and each.name not in self._senders]
        # Another mapping, not a changed one: other threads may be going through it.
        self._senders = {**self._senders, **{each.name: self._sender_for(each) for each in missing}}

    @property
    def size_bytes(self) -> int:
        """The size of what waits, over all destinations."""
        return sum(sender.store.size_bytes for sender in self._senders.values())

    @property
    def outstanding(self) -> int:
        """How many events are neither delivered nor dropped, over all destinations."""
        return sum(sender.outstanding for sender in self._senders.values())

    def submit(self, *events: CleanEvent) -> None:
        """Take `events` over; never raises, never waits for the network."""
        for sender, theirs in self._by_sender(events):
            sender.submit(theirs)

    def accept(self, events: Sequence[CleanEvent]) -> bool:
        """Take `events` over from a caller that keeps them until they are on disk; never raises.

        Returns:
            Whether all of them are. Where not, the caller retries with all of them: some may have been taken, and are
            sent twice then, with the same uuid.
        """
        return all(sender.accept(theirs) for sender, theirs in self._by_sender(events))

    @property
    def has_room(self) -> bool:
        """Whether every destination's disk takes events now, as far as that can be told without trying."""
        return not self.volatile and all(each.store.room_bytes >= USUAL_EVENT_BYTES for each in self._senders.values())

    def _by_sender(self, events: Sequence[CleanEvent]) -> list[tuple[Sender, list[CleanEvent]]]:
        by_destination: dict[str, list[CleanEvent]] = {}
        for event in events:
            by_destination.setdefault(event.destination, []).append(event)
        for name in by_destination.keys() - self._senders.keys():
            self._health.count(outcome.DROPPED, "no_destination", len(by_destination.pop(name)))
        return [(self._senders[name], theirs) for name, theirs in by_destination.items()]

    @property
    def volatile(self) -> int:
        """How many events would be lost with this process, over all destinations: none of those on disk."""
        return sum(sender.store.volatile for sender in self._senders.values())

    def start(self) -> bool:
        """Start the threads where ended processes left something, so that it does not wait for the next event.

        Returns:
            Whether they left anything.
        """
        found = [sender for sender in self._senders.values() if len(sender.store)]
        for sender in found:
            sender.start()
        return bool(found)

    def look_after_children(self) -> bool:
        """Start the threads, to look often for what children of this process leave on disk.

        Returns:
            Whether there is a disk where they may leave something.
        """
        durable = [sender for sender in self._senders.values() if sender.store.is_durable]
        for sender in durable:
            sender.look_after_children()
        return bool(durable)

    def flush(self, timeout_s: float, *, is_leaving: bool = False, is_exit: bool = False) -> bool:
        """Wait until what was submitted is delivered or finally dropped; False where the time did not suffice.

        Args:
            timeout_s: The longest to wait.
            is_leaving: The process ends: no wait for a server that fails, where the events are on disk.
            is_exit: As its exit, that is: no longer than `exit_try_s` without progress.
        """
        return self._all(lambda sender, left_s: sender.flush(left_s, is_leaving=is_leaving, is_exit=is_exit), timeout_s)

    def shutdown(self, timeout_s: float, *, is_exit: bool = False) -> bool:
        """Flush, end the threads, leave the rest to another process; False where the time did not suffice.

        Args:
            timeout_s: The longest this may take.
            is_exit: As of `flush`.
        """
        return self._all(lambda sender, left_s: sender.shutdown(left_s, is_exit=is_exit), timeout_s)

    def discard(self, reason: str) -> int:
        """Drop all that waits, here and left by ended processes, over all destinations; return how many events.

        Args:
            reason: A fixed identifier, under which they are counted.
        """
        count, others = sum(sender.discard(reason) for sender in self._senders.values()), 0
        if self._spool is not None:
            # Of destinations, keys and hosts as well that this process does not have, or has no longer.
            with suppress(OSError):
                others = drop(self._spool.files, self._spool.path, self._spool.is_mine)
        if others:
            self._health.count(outcome.DROPPED, reason, others)
        return count + others

    def reset_after_fork(self) -> None:
        """Leave to the parent what it will deliver."""
        for sender in self._senders.values():
            sender.reset_after_fork()

    def _all(self, call: Callable[[Sender, float], bool], timeout_s: float) -> bool:
        """Call every sender at once, so that a slow one takes nothing of the others' time."""
        senders = list(self._senders.values())
        if len(senders) == 1:
            return call(senders[0], timeout_s)
        deadline = time.monotonic() + timeout_s
        answers: list[bool] = []

        def ask(sender: Sender) -> None:
            answers.append(call(sender, max(0.0, deadline - time.monotonic())))

        threads = []
        for sender in senders:
            thread = start_daemon("otel-posthog-flush", partial(ask, sender))
            if thread is None:
                ask(sender)
            else:
                threads.append(thread)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return len(answers) == len(senders) and all(answers)


def open_store(
    destination: Destination,
    policy: DeliveryPolicy,
    health: Health,
    root: SpoolRoot | None,
) -> Store:
    """Return the store of `destination`; one line says so where that is memory.

    Args:
        destination: Whose events wait there.
        policy: `durability` and the bounds.
        health: Counts what the disk does.
        root: The spool; None where there is none.
    """
    memory = MemoryStore(policy.max_buffer_bytes)
    if root is None:
        return memory
    if policy.durability is Durability.MEMORY:
        _log.info(f"durability is `memory`: {_FATE}", destination.name)
        return memory
    if not HAS_LOCKS:
        _log.warning(f"this system has no file locks of POSIX, which a spool needs: {_FATE}", destination.name)
        return memory
    try:
        spool = Spool(root.path, root.folder_of(destination), policy, health, files=root.files)
    except OSError as error:
        place = error.filename if isinstance(error, ForeignError) else root.path
        _log.warning(
            f"the spool {place} cannot be used (%s): {_FATE}; name a directory that can be written in "
            "OTEL_POSTHOG_SPOOL_DIR, or say `durability: memory` in the policy",
            error.strerror,
            destination.name,
        )
        return memory
    spool.log()
    health.spool(destination.name, spool.level)
    return spool
