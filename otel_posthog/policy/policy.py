"""The policy as typed, immutable values, with the built-in default of every setting.

The defaults are the strictest that are still useful: an app that configures nothing but a key sends anonymous events,
with no telemetry attribute outside a short list, every detector on, and a redacted operational side.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from otel_posthog.policy.defaults import (
    ALLOWED_TELEMETRY_KEYS,
    DETECTORS,
    SENSITIVE_KEYS,
    USER_KEY_PREFIXES,
    USER_KEYS,
)


class IdentityMode(str, Enum):
    """What an event tells of who acted (two of the design's four modes so far).

    `ANONYMOUS`: one stable id per installation; no session, group, person or IP address.
    `IDENTIFIED`: the user id as it is; person properties, groups and sessions allowed.
    """

    ANONYMOUS = "anonymous"
    IDENTIFIED = "identified"


@dataclass(frozen=True, slots=True)
class Destination:
    """One PostHog project.

    Attributes:
        name: Unique within the policy.
        api_key: The project's key (`phc_...`); None where the environment gives it.
        host: Base URL of the ingestion host.
        identity: The identity mode of what is sent there; None takes the policy's.
    """

    name: str = "default"
    api_key: str | None = None
    host: str = "https://us.i.posthog.com"
    identity: IdentityMode | None = None


@dataclass(frozen=True, slots=True)
class CollectionPolicy:
    """When anything is collected at all.

    Attributes:
        off_switches: Names of environment variables of the app's own that switch collection off when false.
        consent_required: True sends only events whose consent is known to be given; False sends unless it is denied.
    """

    off_switches: tuple[str, ...] = ()
    consent_required: bool = False


@dataclass(frozen=True, slots=True)
class PrivacyPolicy:
    """What may leave towards PostHog.

    Attributes:
        allow: Telemetry attribute keys that may become properties; all others are not sent.
        sensitive_keys: Words that make a property sensitive when they stand in its key as whole tokens
            (`auth` is not in `author`); several words in one entry must stand next to each other (`api key`).
        detectors: The names of the value detectors that are on.
        max_depth: Levels of nesting that are kept; what is deeper goes.
        max_items: Entries of one list or map that are kept.
        max_properties: Properties of one event that are kept.
        max_string_chars: Characters of one string that are kept.
    """

    allow: frozenset[str] = ALLOWED_TELEMETRY_KEYS
    sensitive_keys: frozenset[str] = SENSITIVE_KEYS
    detectors: frozenset[str] = DETECTORS
    max_depth: int = 6
    max_items: int = 200
    max_properties: int = 500
    max_string_chars: int = 8192


@dataclass(frozen=True, slots=True)
class OperationalPolicy:
    """What may go on towards the operational backends. Product attributes are always taken off, whatever is set here.

    Attributes:
        redact: Whether the detectors run over what is left.
        user_keys: Attribute keys that name a user and are removed.
        user_key_prefixes: The same for whole namespaces.
    """

    redact: bool = True
    user_keys: frozenset[str] = USER_KEYS
    user_key_prefixes: tuple[str, ...] = USER_KEY_PREFIXES


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How events are queued and sent.

    Attributes:
        max_queue_bytes: Size of the hand-over queue; past it the application thread filters its own event.
        max_buffer_bytes: Size of what waits to be sent; past it new events are dropped and counted.
        max_batch_events: Events in one request.
        max_batch_bytes: Bytes of events in one request, before compression.
        max_event_bytes: A larger event is dropped and counted.
        flush_interval_s: How long an event waits for others to share its request.
        request_timeout_s: For one request, connect and read each.
        retry_initial_s: First backoff; it doubles, with full jitter, up to `retry_max_s`.
        retry_max_s: Longest backoff.
        shutdown_timeout_s: How long `shutdown` and the exit of the process may take.
    """

    max_queue_bytes: int = 8 * 1024 * 1024
    max_buffer_bytes: int = 32 * 1024 * 1024
    max_batch_events: int = 100  # as posthog-python's `flush_at`
    max_batch_bytes: int = 5 * 1024 * 1024  # as posthog-python's BATCH_SIZE_LIMIT; the server stops at 20 MiB
    max_event_bytes: int = 900 * 1024  # as posthog-python's MAX_MSG_SIZE; PostHog discards above about 1 MB
    flush_interval_s: float = 1.0
    request_timeout_s: float = 15.0
    retry_initial_s: float = 0.5
    retry_max_s: float = 30.0
    shutdown_timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Policy:
    """All of the above; `Policy()` is the built-in one.

    Attributes:
        source: Where it came from (`built-in`, or the file's path), for messages.
        trace_url: A Grafana link template with `{trace_id}` and `{span_id}`, sent as `trace_url`; None sends none.
    """

    version: int = 1
    source: str = "built-in"
    identity: IdentityMode = IdentityMode.ANONYMOUS
    collection: CollectionPolicy = field(default_factory=CollectionPolicy)
    privacy: PrivacyPolicy = field(default_factory=PrivacyPolicy)
    operational: OperationalPolicy = field(default_factory=OperationalPolicy)
    delivery: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    destinations: tuple[Destination, ...] = (Destination(),)
    trace_url: str | None = None

    def identity_of(self, destination: Destination) -> IdentityMode:
        """Return the identity mode of what is sent to `destination`."""
        return destination.identity or self.identity

    def with_credentials(self, api_key: str | None, host: str | None) -> Policy:
        """Return this policy with the first destination's key and host replaced where given."""
        first = self.destinations[0]
        first = replace(first, api_key=api_key or first.api_key, host=host or first.host)
        return replace(self, destinations=(first, *self.destinations[1:]))

    def with_identity(self, mode: IdentityMode) -> Policy:
        """Return this policy with every destination in `mode`."""
        return replace(
            self, identity=mode, destinations=tuple(replace(each, identity=None) for each in self.destinations)
        )
