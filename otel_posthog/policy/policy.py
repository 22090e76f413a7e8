"""The policy as typed, immutable values with their built-in defaults; which one is in force, and its revision.

The defaults are the strictest that are still useful: an app that configures nothing but a key sends events as its
installation, with no telemetry attribute outside a short list, every detector on, and a redacted operational side.
The revision of a policy has a digest that is the same on every machine that has the same rules: paths, hosts, keys and
delivery are not in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from otel_posthog.policy.derive_words import is_on, rules_in_force
from otel_posthog.policy.fields import plain, setting
from otel_posthog.policy.section import Section
from otel_posthog.policy.sections.catalog import Catalog
from otel_posthog.policy.sections.collection import CollectionPolicy, ExceptionPolicy
from otel_posthog.policy.sections.delivery import DeliveryPolicy, Destination
from otel_posthog.policy.sections.derive import DeriveOptions, DeriveRule
from otel_posthog.policy.sections.events_url import EventsUrl
from otel_posthog.policy.sections.identity import Carried, IdentityMode, IdentityUser, InstallationRotation
from otel_posthog.policy.sections.privacy import OperationalPolicy, PrivacyPolicy
from otel_posthog.policy.sections.trace_url import TraceUrl
from otel_posthog.policy.shipped_rules import WORDS

_DIGITS = 12
_LEFT_OUT = frozenset(
    {
        *("source", "revision", "description", "file", "identity_keys_file", "hmac_key", "hmac_secret"),
        *("api_key", "api_key_env", "host", "capture_mode", "accept_any_2xx", "delivery", "watch_interval_s"),
    }
)


@dataclass(slots=True, repr=False, eq=False)
class Policy(Section):
    """A whole policy; `Policy()` is the built-in one."""

    version: int = setting(1, "Version of the file's format; 1.")
    revision: str | None = setting(
        None,
        "Your name for this version of the policy (`2026-11`), shown by receipts, `doctor` and metrics before a "
        "digest of the rules; letters, digits, `.`, `_` and `-`.",
    )
    source: str = setting("built-in", "Where it came from (`built-in`, or the file's path), for messages.")
    identity: IdentityMode = setting(
        IdentityMode.INSTALLATION,
        "The identity mode of every destination that has none of its own.",
    )
    identity_keys_file: str | None = setting(
        None,
        "Path of the keys of the mode `pseudonymous`, relative to the policy file; the environment wins.",
    )
    installation_rotation: InstallationRotation = setting(
        InstallationRotation.NEVER,
        "How long this installation's id stays the same; not together with `INSTANCE_ID`.",
    )
    identity_baggage: Carried = setting(
        Carried.NONE,
        "Whether who acts is handed on to other services, and believed from them.",
    )
    identity_user: IdentityUser = setting(
        IdentityUser(),
        "Who the user of a web framework's request is.",
    )
    collection: CollectionPolicy = setting(CollectionPolicy(), "When anything is collected at all.")
    catalog: Catalog = setting(Catalog(), "The events and properties that the app declares it sends.")
    privacy: PrivacyPolicy = setting(PrivacyPolicy(), "What may leave towards PostHog.")
    exceptions: ExceptionPolicy = setting(ExceptionPolicy(), "What becomes of recorded exceptions.")
    operational: OperationalPolicy = setting(OperationalPolicy(), "What may go on towards the operational backends.")
    derive: tuple[DeriveRule | str, ...] = setting(
        (),
        "Rules that make product events of telemetry that carries no mark; without any nothing is derived. An entry is "
        "a rule, or the word of rules that come with the package; `OTEL_POSTHOG_DERIVE` adds words.",
        choices=WORDS,
        noun="rule",
    )
    derive_options: DeriveOptions = setting(DeriveOptions(), "Thresholds and routes of the rules that words stand for.")
    delivery: DeliveryPolicy = setting(DeliveryPolicy(), "How events are queued and sent.")
    destinations: tuple[Destination, ...] = setting((Destination(),), "The PostHog projects that events go to.")
    trace_url: TraceUrl | str | None = setting(
        None,
        "Where a person sees the trace of an event, sent as its `trace_url` where the trace was sampled: an address "
        "with `{trace_id}` (and `{span_id}`, `{from_ms}`, `{to_ms}`, an hour around the event), or a section that "
        "names Grafana or Jaeger; without it none is sent.",
    )
    watch_interval_s: float | None = setting(
        None,
        "How often the files of the policy are looked at and, when they have changed, read again; they are read once "
        "where not given.",
    )

    @property
    def trace_template(self) -> str | None:
        """The address of an event's trace with its placeholders; None where none is sent."""
        return self.trace_url.template if isinstance(self.trace_url, TraceUrl) else self.trace_url

    @property
    def events_template(self) -> str | None:
        """The address of a trace's events with its placeholders; None where there is none, or nothing may link events.

        Where several destinations may be meant, one that links nothing forbids it.
        """
        given = self.operational.events_url
        name = given.destination if isinstance(given, EventsUrl) else None
        meant = [each for each in self.destinations if name in {None, each.name}]
        if not meant or any(self.identity_of(each) is IdentityMode.UNLINKED for each in meant):
            return None
        return given.template if isinstance(given, EventsUrl) else given

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
    def derive_rules(self) -> tuple[DeriveRule, ...]:
        """The rules that are in force: those of `derive`, and those that its words stand for."""
        return rules_in_force(self.derive, self.derive_options)

    @property
    def in_app_rules(self) -> tuple[str, ...]:
        """The names of the rules that can be followed only where the whole request is seen: in the app."""
        return tuple(each.name for each in self.derive_rules if each.when.child or each.when.without_child)

    def derives(self, word: str) -> bool:
        """Return whether the rules or events of `word` are on: `user_logged_in` is by that word, or by `accounts`."""
        return is_on(word, self.derive)

    @property
    def operational_privacy(self) -> PrivacyPolicy:
        """What may be seen on the operational side."""
        id_keys = self.operational.id_keys
        return self.privacy if id_keys is None else replace(self.privacy, id_keys=id_keys)

    def with_credentials(self, api_key: str | None, host: str | None) -> Policy:
        """Return this policy with key and host of one destination replaced where given.

        That is the first one without a key in the policy; where all have one, the first.
        """
        all_ = list(self.destinations)
        keyless = (at for at, each in enumerate(all_) if each.api_key is None and each.api_key_env is None)
        at = next(keyless, 0)
        all_[at] = replace(all_[at], api_key=api_key or all_[at].api_key, host=host or all_[at].host)
        return replace(self, destinations=tuple(all_))

    def with_derived(self, words: Iterable[str]) -> Policy:
        """Return this policy with rules that come with the package switched on as well, by their words."""
        return replace(self, derive=tuple(dict.fromkeys((*self.derive, *words))))

    def with_identity(self, mode: IdentityMode) -> Policy:
        """Return this policy in `mode`; a destination with one of its own never sends more than that."""
        modes = list(IdentityMode)
        destinations = tuple(
            each if each.identity is None else replace(each, identity=min(mode, each.identity, key=modes.index))
            for each in self.destinations
        )
        return replace(self, identity=mode, destinations=destinations)


def active() -> Policy:
    """Return the policy in force in this process: the built-in one until set-up activates another."""
    return _active


def activate(policy: Policy) -> None:
    """Put `policy` in force for the helpers that take none (`sanitize_properties`, `should_collect`)."""
    global _active
    _active = policy


def revision_of(policy: Policy) -> str:
    """Return what receipts, counts and `otel-posthog doctor` call `policy`: `2026-11-3fa9c1d2e4b5`, `3fa9c1d2e4b5`."""
    text = json.dumps(plain(policy, lambda name, _: name not in _LEFT_OUT), sort_keys=True, ensure_ascii=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    return digest if policy.revision is None else f"{policy.revision}-{digest}"


_active = Policy()
