"""Delivery: the PostHog projects that events go to, and how events are queued and sent.

Sizes and times have their unit in their name. Limits of PostHog's that a default follows are named beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from otel_posthog.policy.fields import Choice, setting
from otel_posthog.policy.section import Section
from otel_posthog.policy.sections.catalog import Catalog
from otel_posthog.policy.sections.identity import IdentityMode
from otel_posthog.policy.sections.privacy import PrivacyPolicy


class CaptureMode(Choice):
    """PostHog's wire format: `v1` is Capture V1, `v0` the older `/batch/`, `auto` V1 where the server has it."""

    AUTO = "auto"
    V1 = "v1"
    V0 = "v0"


@dataclass(slots=True, repr=False, eq=False)
class Destination(Section):
    """One PostHog project; every event goes to each destination, cleaned for it separately."""

    name: str = setting("default", "Unique within the policy.")
    api_key: str | None = setting(
        None,
        "The project's key (`phc_...`); without one nothing is sent there. `POSTHOG_API_KEY` and `POSTHOG_HOST` are "
        "those of the first destination for which no key is named, else of the first.",
        secret=True,
    )
    host: str = setting("https://us.i.posthog.com", "Base URL of the ingestion host.")
    api_key_env: str | None = setting(None, "The name of an environment variable that holds the key instead.")
    identity: IdentityMode | None = setting(
        None,
        "The identity mode of what is sent there; that of the policy where not given.",
    )
    capture_mode: CaptureMode = setting(CaptureMode.AUTO, "Which wire format the server gets.")
    accept_any_2xx: bool = setting(
        False,
        "Whether any 2xx counts as delivered, for a relay that does not hand PostHog's answer on. Else an answer that "
        "is not PostHog's means a wrong host: events wait.",
    )
    catalog: Catalog | None = setting(None, "The catalog of what is sent there; that of the policy where not given.")
    privacy: PrivacyPolicy | None = setting(None, "What is different there from the policy's `privacy`.")


class Durability(Choice):
    """Where an event is when the call that made it returns."""

    SPOOL = "spool", "handed over in memory; a writer has it on disk within a millisecond or two."
    WRITE_THROUGH = "write_through", "filtered and on disk; the application's thread does the work."
    MEMORY = "memory", "in memory until PostHog has it; for hosts that must not write."


class Compression(Choice):
    """The content encoding of requests: `gzip`, or `none` for what stands in between and cannot read that."""

    GZIP = "gzip"
    NONE = "none"


@dataclass(slots=True, repr=False, eq=False)
class DeliveryPolicy(Section):
    """How events are queued and sent."""

    durability: Durability = setting(Durability.SPOOL, "When an event is on disk.")
    max_queue_bytes: int = setting(
        8 * 1024 * 1024,
        "Size of the queue of the worker; past it the application thread filters its own event.",
    )
    worker_interval_s: float = setting(
        0.001,
        "How often the worker looks for events while they come; up to so much of them ends with a `kill -9`, where "
        "`durability` is `spool`. A longer one costs less CPU. At most 0.02.",
    )
    max_buffer_bytes: int = setting(
        32 * 1024 * 1024,
        "Size of what waits in memory, where there is no disk or it is full; past it new events are dropped and "
        "counted.",
    )
    max_spool_bytes: int = setting(
        512 * 1024 * 1024,  # about a million events of the usual size
        "Size on disk of what waits for one destination; past it new events are dropped and counted.",
    )
    max_spool_age_s: float = setting(7 * 24 * 3600.0, "What waits on disk longer is dropped and counted.")
    max_batch_events: int = setting(100, "Events in one request.")  # as posthog-python's `flush_at`
    max_batch_bytes: int = setting(
        5 * 1024 * 1024,  # as posthog-python's BATCH_SIZE_LIMIT; the server stops at 20 MiB
        "Bytes of events in one request, before compression.",
    )
    max_event_bytes: int = setting(
        900 * 1024,  # as posthog-python's MAX_MSG_SIZE; PostHog discards above about 1 MB
        "From a larger event properties are left out, the largest first; one that is too large even without any is "
        "dropped and counted (`too_large`).",
    )
    flush_interval_s: float = setting(1.0, "How long an event waits for others to share its request.")
    request_timeout_s: float = setting(15.0, "Timeout of one request, for connecting and for reading each.")
    compression: Compression = setting(Compression.GZIP, "How requests are encoded.")
    historical_migration: bool = setting(
        False,
        "Whether what is sent is a backfill of past events, for which PostHog has its own queue. For a program that "
        "does nothing else, with a spool directory of its own.",
    )
    max_attempts: int | None = setting(
        None,
        "Attempts to send an event, the first one too; past them it is a dead letter. None: no limit. A key that is "
        "not accepted, or a project over its quota, is waited for whatever this says.",
    )
    retry_initial_s: float = setting(0.5, "First backoff; it doubles, with full jitter, up to `retry_max_s`.")
    retry_max_s: float = setting(30.0, "Longest backoff.")
    shutdown_timeout_s: float = setting(5.0, "How long `shutdown` and the exit of the process may take.")
    exit_try_s: float = setting(
        1.0,
        "How long the exit of the process waits without progress for what is on disk already; each batch that "
        "PostHog takes begins it anew, within `shutdown_timeout_s`. `OTEL_POSTHOG_EXIT_TRY_S` wins.",
    )
