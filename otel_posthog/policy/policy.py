"""The policy as typed, immutable values, with the built-in default of every setting.

The defaults are the strictest that are still useful: an app that configures nothing but a key sends events as its
installation, with no telemetry attribute outside a short list, every detector on, and a redacted operational side.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from otel_posthog.policy.sections import (
    Carried,
    Catalog,
    CollectionPolicy,
    DeliveryPolicy,
    Destination,
    ExceptionPolicy,
    IdentityMode,
    InstallationRotation,
    OperationalPolicy,
    PrivacyPolicy,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy; `Policy()` is the built-in one.

    Attributes:
        version: Of the form of the file; 1.
        identity: The identity mode of every destination that has none of its own.
        identity_keys_file: Path of the keys of the mode `pseudonymous`, relative to the policy file; the environment
            wins.
        installation_rotation: How long this installation's id stays the same; not together with `INSTANCE_ID`.
        identity_baggage: Whether who acts is handed on to other services, and believed from them.
        revision: Your name for this version of the policy (`2026-11`), shown by receipts, `doctor` and metrics before a
            digest of the rules; letters, digits, `.`, `_` and `-`.
        source: Where it came from (`built-in`, or the file's path), for messages.
        collection: When anything is collected at all.
        catalog: The events and properties that the app declares it sends.
        privacy: What may leave towards PostHog.
        exceptions: What becomes of recorded exceptions.
        operational: What may go on towards the operational backends.
        derive: Reserved for rules that make product events of telemetry that carries no mark; must be empty.
        delivery: How events are queued and sent.
        destinations: The PostHog projects that events go to.
        trace_url: A Grafana link template with `{trace_id}` and `{span_id}`, sent as `trace_url`; None sends none.
        watch_interval_s: How often the files of the policy are looked at and, when they have changed, read again; they
            are read once where not given.
    """

    version: int = 1
    revision: str | None = None
    source: str = "built-in"
    identity: IdentityMode = IdentityMode.INSTALLATION
    identity_keys_file: str | None = None
    installation_rotation: InstallationRotation = InstallationRotation.NEVER
    identity_baggage: Carried = Carried.NONE
    collection: CollectionPolicy = field(default_factory=CollectionPolicy)
    catalog: Catalog = field(default_factory=Catalog)
    privacy: PrivacyPolicy = field(default_factory=PrivacyPolicy)
    exceptions: ExceptionPolicy = field(default_factory=ExceptionPolicy)
    operational: OperationalPolicy = field(default_factory=OperationalPolicy)
    derive: tuple[str, ...] = field(default=(), metadata={"reserved": True})
    delivery: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    destinations: tuple[Destination, ...] = (Destination(),)
    trace_url: str | None = None
    watch_interval_s: float | None = None

    def identity_of(self, destination: Destination) -> IdentityMode:
        """Return the identity mode of what is sent to `destination`."""
        return destination.identity or self.identity

    def catalog_of(self, destination: Destination) -> Catalog:
        """Return the catalog of what is sent to `destination`."""
        return self.catalog if destination.catalog is None else destination.catalog

    def privacy_of(self, destination: Destination) -> PrivacyPolicy:
        """Return what may be sent to `destination`."""
        privacy = self.privacy if destination.privacy is None else destination.privacy
        return privacy.in_mode(self.identity_of(destination))

    @property
    def operational_privacy(self) -> PrivacyPolicy:
        """What may be seen on the operational side."""
        id_keys = self.operational.id_keys
        return self.privacy if id_keys is None else replace(self.privacy, id_keys=id_keys)

    def with_credentials(self, api_key: str | None, host: str | None) -> Policy:
        """Return this policy with key and host of one destination replaced where given.

        It is the first one for which the policy names no key; where it names all of them, the first.
        """
        all_ = list(self.destinations)
        keyless = (at for at, each in enumerate(all_) if each.api_key is None and each.api_key_env is None)
        at = next(keyless, 0)
        all_[at] = replace(all_[at], api_key=api_key or all_[at].api_key, host=host or all_[at].host)
        return replace(self, destinations=tuple(all_))

    def with_identity(self, mode: IdentityMode) -> Policy:
        """Return this policy in `mode`; a destination with a mode of its own gets at most as much as that tells."""
        modes = list(IdentityMode)
        destinations = tuple(
            each if each.identity is None else replace(each, identity=min(mode, each.identity, key=modes.index))
            for each in self.destinations
        )
        return replace(self, identity=mode, destinations=destinations)
