"""One app that uses posthog-python, run by itself and with the bridge, and what PostHog has of it either way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import posthog
import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

import otel_posthog
from otel_posthog.policy import (
    CollectionPolicy,
    DeliveryPolicy,
    Destination,
    Durability,
    ExceptionMode,
    ExceptionPolicy,
    FrozenMap,
    IdentityMode,
    Policy,
    PrivacyPolicy,
    activate,
)
from otel_posthog.setup import configure
from otel_posthog.testing import FakePostHog
from otel_posthog.testing.fake_posthog import CapturedEvent
from otel_posthog_instrumentation.posthog_python import PostHogPythonInstrumentor

KEY = "phc_test"
AT = datetime(2026, 1, 2, tzinfo=timezone.utc)
_MS = f"{int(AT.timestamp() * 1000):012x}"
SESSION = f"{_MS[:8]}-{_MS[8:]}-7000-8000-000000000001"
"""Of that time, as PostHog takes it."""

ADDED = frozenset(
    {"$lib", "$lib_version", "$ip", "$geoip_disable", "$ignore_sent_at", "$trace_id", "$span_id", "trace_sampled"}
)
"""Properties that each of the two libraries writes in its own way."""

NOT_PROPERTIES = frozenset({"$process_person_profile"})
"""Compared by itself: where posthog-python leaves it out, it means yes."""

NOTHING_IF_EMPTY = frozenset({"$set", "$set_once", "$groups"})
"""Properties that say nothing where they are empty, and are left out here."""

CHANGES = frozenset({"$create_alias", "$groupidentify"})
"""Events that are here the change and nothing else."""

_OF_A_CHANGE = {
    "$create_alias": {"distinct_id", "alias"},
    "$groupidentify": {"$group_type", "$group_key", "$group_set"},
}


def fails(_: dict[str, Any]) -> dict[str, Any]:
    """Fail, as an app's `before_send` may."""
    raise ValueError("as the test asked")


App = Callable[[], object]

PERMISSIVE = Policy(
    identity=IdentityMode.IDENTIFIED,
    collection=CollectionPolicy(bridge=True),
    privacy=PrivacyPolicy(
        allow=frozenset(), sensitive_keys=frozenset(), detectors=FrozenMap(), max_depth=50, max_string_chars=10**6
    ),
    exceptions=ExceptionPolicy(mode=ExceptionMode.FRAMES),
    delivery=DeliveryPolicy(durability=Durability.MEMORY, flush_interval_s=0.01),
)


def policy_for(*hosts: FakePostHog, base: Policy = PERMISSIVE) -> Policy:
    """Return `base` with each of `hosts` as a destination."""
    made = tuple(Destination(f"d{number}", each.api_key, each.url) for number, each in enumerate(hosts))
    return replace(base, destinations=made)


@contextlib.contextmanager
def set_up(policy: Policy, *, end_s: float = 5.0) -> Iterator[tuple[TracerProvider, LoggerProvider]]:
    """Set the package up under `policy`, with providers that `capture()` and tracers of this process find."""
    resource = Resource({"service.name": "shop"})
    providers = (
        TracerProvider(resource=resource, shutdown_on_exit=False),
        LoggerProvider(resource=resource, shutdown_on_exit=False),
    )
    before = configure._running, configure._is_attached
    configure._running, configure._is_attached = None, False
    try:
        configure.configure(policy=policy, tracer_provider=providers[0], logger_provider=providers[1])
        with _found(providers[1]):
            yield providers
    finally:
        otel_posthog.shutdown(end_s)
        configure._running, configure._is_attached = before
        activate(Policy())


@contextlib.contextmanager
def bridged(policy: Policy, **options: Any) -> Iterator[PostHogPythonInstrumentor]:
    """The same with the bridge."""
    instrumentor = PostHogPythonInstrumentor()
    with set_up(policy):
        instrumentor.instrument(**options)
        try:
            yield instrumentor
            otel_posthog.flush(10)
        finally:
            if instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.uninstrument()


@contextlib.contextmanager
def module_client(host: str, **settings: Any) -> Iterator[None]:
    """The functions of the module `posthog`, with a client of their own."""
    given = {"project_api_key": KEY, "api_key": KEY, "host": host, **settings}
    before = {name: getattr(posthog, name, None) for name in (*given, "default_client")}
    try:
        for name, value in {**given, "default_client": None}.items():
            setattr(posthog, name, value)
        yield
        client = posthog.default_client
        if client is not None and client.consumers:  # 7.0 ends with an error without any
            client.shutdown()
    finally:
        for name, value in before.items():
            setattr(posthog, name, value)


def by_itself(app: App, **settings: Any) -> list[CapturedEvent]:
    """Return what PostHog has of `app` without this package."""
    with FakePostHog() as server, module_client(server.url, **settings):
        app()
        posthog.flush()
        return list(server.events)


def with_the_bridge(app: App, *, base: Policy = PERMISSIVE, **settings: Any) -> list[CapturedEvent]:
    """Return what PostHog has of `app` with the bridge, and that nothing came past it."""
    with FakePostHog() as server, FakePostHog() as past, bridged(policy_for(server, base=base)):
        with module_client(past.url, **settings):
            app()
            posthog.flush()
        otel_posthog.flush(10)
        assert past.requests == []
        return list(server.events)


def told(event: CapturedEvent) -> dict[str, Any]:
    """Return what an event says, without what each library adds of its own."""
    kept = {key: value for key, value in event.properties.items() if key not in ADDED | NOT_PROPERTIES}
    kept = {key: value for key, value in kept.items() if value or key not in NOTHING_IF_EMPTY}
    if event.event in CHANGES:
        kept = {key: value for key, value in kept.items() if key in _OF_A_CHANGE[event.event]}
    return {
        "event": event.event,
        "uuid": event.uuid,
        "distinct_id": event.distinct_id,
        "timestamp": datetime.fromisoformat(event.timestamp),
        "has_profile": event.properties.get("$process_person_profile", True),
        "properties": {**kept, **({"$groups": _texts(kept["$groups"])} if "$groups" in kept else {})},
    }


def _texts(groups: dict[str, Any]) -> dict[str, str]:
    return {kind: str(key) for kind, key in groups.items()}


@contextlib.contextmanager
def _found(provider: LoggerProvider) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("otel_posthog.emit.record.get_logger", provider.get_logger)
        yield
