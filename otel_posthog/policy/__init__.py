"""The policy: what may be collected, what may leave, in which form. Built-in defaults, a YAML file on top."""

from otel_posthog.policy.collection import OPTED_OUT, Collection, CollectionChoice, collection_choice, decide
from otel_posthog.policy.fields import FrozenMap
from otel_posthog.policy.policy import Policy, activate, active
from otel_posthog.policy.sections.catalog import (
    Catalog,
    CatalogMode,
    EventSpec,
    GroupSpec,
    PropertySpec,
    PropertyType,
)
from otel_posthog.policy.sections.collection import CollectionPolicy, ExceptionItems, ExceptionMode, ExceptionPolicy
from otel_posthog.policy.sections.delivery import CaptureMode, Compression, DeliveryPolicy, Destination, Durability
from otel_posthog.policy.sections.derive import (
    DeriveConditions,
    DeriveKind,
    DeriveOptions,
    DeriveRule,
    DeriveSignal,
    DeriveStatus,
    OncePer,
    ValueCondition,
)
from otel_posthog.policy.sections.identity import Carried, IdentityMode, InstallationRotation
from otel_posthog.policy.sections.privacy import (
    HitMethod,
    KeyReference,
    Method,
    OperationalPolicy,
    PrivacyPolicy,
    Rule,
)

__all__ = [
    "OPTED_OUT",
    "CaptureMode",
    "Carried",
    "Catalog",
    "CatalogMode",
    "Collection",
    "CollectionChoice",
    "CollectionPolicy",
    "Compression",
    "DeliveryPolicy",
    "DeriveConditions",
    "DeriveKind",
    "DeriveOptions",
    "DeriveRule",
    "DeriveSignal",
    "DeriveStatus",
    "Destination",
    "Durability",
    "EventSpec",
    "ExceptionItems",
    "ExceptionMode",
    "ExceptionPolicy",
    "FrozenMap",
    "GroupSpec",
    "HitMethod",
    "IdentityMode",
    "InstallationRotation",
    "KeyReference",
    "Method",
    "OncePer",
    "OperationalPolicy",
    "Policy",
    "PrivacyPolicy",
    "PropertySpec",
    "PropertyType",
    "Rule",
    "ValueCondition",
    "activate",
    "active",
    "collection_choice",
    "decide",
]
