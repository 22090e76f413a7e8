"""What the filters would do with an app's events: the policy in force, and what it lets out too much or not at all.

Not told from settings alone where it can be tried: made-up properties and the names of declared events go through the
filter of each destination.
"""

from __future__ import annotations

from collections.abc import Iterator

from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom
from otel_posthog.clean import Cleaner
from otel_posthog.health import Health
from otel_posthog.model import Receipt
from otel_posthog.policy import CatalogMode, Destination, Policy
from otel_posthog.policy.checks import weaknesses
from otel_posthog.policy.policy import revision_of
from otel_posthog.setup.settings import Settings

ABOUT = "policy"
LONG_INTERVAL_S = 30.0
# No word of it is sensitive, and no detector finds anything in it.
_SAMPLE = {"plan": "basic", "count": 3}

_NOTE, _WRONG = Level.NOTE, Level.WRONG
IN_FORCE = Kind("policy", Group.FILTERS, Level.OK, "{source}, version {version}")
BATCHES = Kind(
    "batches", Group.FILTERS, Level.OK, "events leave in batches: after {seconds:g} s, or with {count} of them at once"
)
WEAKER = Kind(
    "policy_weaker", Group.FILTERS, _NOTE, "weaker than built in: {said}", "nothing, if it is meant so",
    Gravity.LEAKS, Symptom.PRIVACY,
)  # fmt: skip
NOTHING_DECLARED = Kind(
    "catalog_empty", Group.FILTERS, _WRONG,
    "destination {name}: the catalog declares no event, and its mode is `enforce`, so that every event is dropped",
    "declare the app's events in `catalog.events`, or write `catalog: {{mode: warn}}` until they are",
    Gravity.NOTHING_ARRIVES, Symptom.SOME,
)  # fmt: skip
ALL_REMOVED = Kind(
    "properties_removed", Group.FILTERS, _NOTE,
    "destination {name}: rules of the policy remove every property, of whatever name",
    "narrow the `keys` of those rules (`otel-posthog explain` shows which); nothing, if events are only counted",
    Gravity.SOME_MISSING, Symptom.SOME,
)  # fmt: skip
NAME_CHANGED = Kind(
    "event_name_filtered", Group.FILTERS, _NOTE,
    "destination {name}: events are declared or derived whose names do not pass the filter as they are ({count})",
    "take what looks personal or secret out of their names; `otel-posthog explain` shows what is left of one",
    Gravity.SOME_MISSING, Symptom.SOME,
)  # fmt: skip
CONSENT = Kind(
    "consent_required", Group.FILTERS, _NOTE,
    "only events whose consent is known to be given are sent (`consent_required`)",
    "set analytics.consent=true, or user_context(consent=True), where somebody has consented", Gravity.SOME_MISSING,
    Symptom.SOME,
)  # fmt: skip
SLOW = Kind(
    "batches_slow", Group.FILTERS, _NOTE, "events wait up to {seconds:g} s for others before they are sent",
    "set `delivery: {{flush_interval_s: 1}}`, or call otel_posthog.flush()", Gravity.TO_KNOW, Symptom.SOME,
)  # fmt: skip
KINDS = (
    IN_FORCE, BATCHES, WEAKER, NOTHING_DECLARED, ALL_REMOVED, NAME_CHANGED, CONSENT, SLOW,
)  # fmt: skip


def of_filters(settings: Settings) -> Iterator[Finding]:
    """Yield what is found of the policy in force.

    Args:
        settings: As an app would have them.
    """
    policy = settings.policy
    source = "built in" if policy.source == "built-in" else policy.source
    yield IN_FORCE.found(ABOUT, source=source, version=revision_of(policy))
    yield from (WEAKER.found(ABOUT, said=said) for said in weaknesses(policy))
    cleaner = Cleaner(policy, installation_id="doctor", health=Health())
    for each in cleaner.destinations:
        yield from _of_destination(policy, each, cleaner)
    if policy.collection.consent_required:
        yield CONSENT.found("consent")
    seconds, count = policy.delivery.flush_interval_s, policy.delivery.max_batch_events
    kind = SLOW if seconds >= LONG_INTERVAL_S else BATCHES
    yield kind.found("batches", seconds=seconds, count=count)


def _of_destination(policy: Policy, destination: Destination, cleaner: Cleaner) -> Iterator[Finding]:
    catalog, name = policy.catalog_of(destination), destination.name
    if catalog.mode is CatalogMode.ENFORCE and not catalog.events:
        yield NOTHING_DECLARED.found("catalog", name=name)
    if not cleaner.filter_of(destination).properties(_SAMPLE, Receipt()):
        yield ALL_REMOVED.found("properties", name=name)
    names = {*catalog.events, *(rule.event for rule in policy.derive_rules if "{" not in rule.event)}
    changed = sum(cleaner.name_of(each, destination) is None for each in names)
    if changed:
        yield NAME_CHANGED.found("event names", name=name, count=changed)
