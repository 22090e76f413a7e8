"""Delivery: how events are queued and sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Durability(str, Enum):
    """Where an event is when the call that made it returns.

    `SPOOL`: handed over in memory; a writer that is woken at once has it on disk within a millisecond or so.
    `WRITE_THROUGH`: filtered and on disk; the application's thread does the work.
    `MEMORY`: in memory until PostHog has it; for hosts that must not write.
    """

    SPOOL = "spool"
    WRITE_THROUGH = "write_through"
    MEMORY = "memory"


class Compression(str, Enum):
    """The content encoding of requests: `gzip`, or `none` for what stands in between and cannot read that."""

    GZIP = "gzip"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How events are queued and sent.

    Attributes:
        durability: When an event is on disk.
        max_queue_bytes: Size of the hand-over queue; past it the application thread filters its own event.
        max_buffer_bytes: Size of what waits in memory, where there is no disk or it is full; past it new events are
            dropped and counted.
        max_spool_bytes: Size on disk of what waits for one destination; past it new events are dropped and counted.
        max_spool_age_s: What waits on disk longer is dropped and counted.
        max_batch_events: Events in one request.
        max_batch_bytes: Bytes of events in one request, before compression.
        max_event_bytes: Of a larger event properties are left out, the largest first; one that is too large even
            without any is dropped and counted (`too_large`).
        flush_interval_s: How long an event waits for others to share its request.
        request_timeout_s: For one request, connect and read each.
        compression: How requests are encoded.
        historical_migration: Whether what is sent is a backfill of past events, for which PostHog has its own queue.
            For a program that does nothing else, with a spool directory of its own.
        max_attempts: Attempts to send an event, the first one too; past them it is a dead letter. None: no limit. A key
            that is not accepted, or a project over its quota, is waited for whatever this says.
        retry_initial_s: First backoff; it doubles, with full jitter, up to `retry_max_s`.
        retry_max_s: Longest backoff.
        shutdown_timeout_s: How long `shutdown` and the exit of the process may take.
        exit_try_s: How long what is on disk already holds the exit of the process up without progress; each batch that
            PostHog takes begins it anew, within `shutdown_timeout_s`. `OTEL_POSTHOG_EXIT_TRY_S` wins.
    """

    durability: Durability = Durability.SPOOL
    max_queue_bytes: int = 8 * 1024 * 1024
    max_buffer_bytes: int = 32 * 1024 * 1024
    max_spool_bytes: int = 512 * 1024 * 1024  # about a million events of the usual size
    max_spool_age_s: float = 7 * 24 * 3600.0
    max_batch_events: int = 100  # as posthog-python's `flush_at`
    max_batch_bytes: int = 5 * 1024 * 1024  # as posthog-python's BATCH_SIZE_LIMIT; the server stops at 20 MiB
    max_event_bytes: int = 900 * 1024  # as posthog-python's MAX_MSG_SIZE; PostHog discards above about 1 MB
    flush_interval_s: float = 1.0
    request_timeout_s: float = 15.0
    compression: Compression = Compression.GZIP
    historical_migration: bool = False
    max_attempts: int | None = None
    retry_initial_s: float = 0.5
    retry_max_s: float = 30.0
    shutdown_timeout_s: float = 5.0
    exit_try_s: float = 1.0
