"""The sections of the policy file, one typed, immutable value each; their fields are the keys of the file."""

from __future__ import annotations

from otel_posthog.policy.sections.catalog import (
    Catalog,
    CatalogMode,
    EventSpec,
    GroupSpec,
    PropertySpec,
    PropertyType,
)
from otel_posthog.policy.sections.collection import CollectionPolicy
from otel_posthog.policy.sections.delivery import Compression, DeliveryPolicy, Durability
from otel_posthog.policy.sections.destination import CaptureMode, Destination
from otel_posthog.policy.sections.exceptions import ExceptionItems, ExceptionMode, ExceptionPolicy
from otel_posthog.policy.sections.identity import Carried, IdentityMode, InstallationRotation, words_of
from otel_posthog.policy.sections.key_reference import KeyReference
from otel_posthog.policy.sections.method import HitMethod, Method
from otel_posthog.policy.sections.operational import OperationalPolicy
from otel_posthog.policy.sections.privacy import PrivacyPolicy
from otel_posthog.policy.sections.rule import Rule

__all__ = [
    "CaptureMode",
    "Carried",
    "Catalog",
    "CatalogMode",
    "CollectionPolicy",
    "Compression",
    "DeliveryPolicy",
    "Destination",
    "Durability",
    "EventSpec",
    "ExceptionItems",
    "ExceptionMode",
    "ExceptionPolicy",
    "GroupSpec",
    "HitMethod",
    "IdentityMode",
    "InstallationRotation",
    "KeyReference",
    "Method",
    "OperationalPolicy",
    "PrivacyPolicy",
    "PropertySpec",
    "PropertyType",
    "Rule",
    "words_of",
]
