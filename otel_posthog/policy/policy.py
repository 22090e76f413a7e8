"""The policy as typed, immutable values, with the built-in default of every setting.

The defaults are the strictest that are still useful: an app that configures nothing but a key sends anonymous events,
with no telemetry attribute outside a short list, every detector on, and a redacted operational side.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from otel_posthog.policy.sections import (
    Carried,
    CollectionPolicy,
    DeliveryPolicy,
    Destination,
    ExceptionPolicy,
    IdentityMode,
    OperationalPolicy,
    PrivacyPolicy,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """All of the above; `Policy()` is the built-in one.

    Attributes:
        identity: The identity mode of every destination that has none of its own.
        identity_keys_file: Path of the keys of the mode `pseudonymous`; the environment wins.
        identity_baggage: Whether who acts is handed on to other services, and believed from them.
        source: Where it came from (`built-in`, or the file's path), for messages.
        trace_url: A Grafana link template with `{trace_id}` and `{span_id}`, sent as `trace_url`; None sends none.
    """

    version: int = 1
    source: str = "built-in"
    identity: IdentityMode = IdentityMode.ANONYMOUS
    identity_keys_file: str | None = None
    identity_baggage: Carried = Carried.NONE
    collection: CollectionPolicy = field(default_factory=CollectionPolicy)
    privacy: PrivacyPolicy = field(default_factory=PrivacyPolicy)
    exceptions: ExceptionPolicy = field(default_factory=ExceptionPolicy)
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
