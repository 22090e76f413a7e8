"""The policy: what may be collected, what may leave, in which form. Built-in defaults, a YAML file on top."""

from otel_posthog.policy.active import activate, active
from otel_posthog.policy.collection import Collection, decide
from otel_posthog.policy.frozen import FrozenMap
from otel_posthog.policy.policy import Policy
from otel_posthog.policy.sections import (
    CaptureMode,
    Carried,
    CollectionPolicy,
    Compression,
    DeliveryPolicy,
    Destination,
    Durability,
    ExceptionItems,
    ExceptionMode,
    ExceptionPolicy,
    HitMethod,
    IdentityMode,
    KeyReference,
    Method,
    OperationalPolicy,
    PrivacyPolicy,
    Rule,
)

__all__ = [
    "CaptureMode",
    "Carried",
    "Collection",
    "CollectionPolicy",
    "Compression",
    "DeliveryPolicy",
    "Destination",
    "Durability",
    "ExceptionItems",
    "ExceptionMode",
    "ExceptionPolicy",
    "FrozenMap",
    "HitMethod",
    "IdentityMode",
    "KeyReference",
    "Method",
    "OperationalPolicy",
    "Policy",
    "PrivacyPolicy",
    "Rule",
    "activate",
    "active",
    "decide",
]
