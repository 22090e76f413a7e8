"""Feature flags by the real OpenFeature SDK, as both kinds of hooks tell of them."""

from __future__ import annotations

import json
from typing import Any

from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.hook.opentelemetry import TracingHook
from openfeature.evaluation_context import EvaluationContext
from openfeature.hook import Hook
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider
from openfeature.telemetry import create_evaluation_event
from opentelemetry._logs import Logger

FLAGS: dict[str, InMemoryFlag[Any]] = {
    "new-cart": InMemoryFlag("on", {"on": True, "off": False}),
    "old-cart": InMemoryFlag("off", {"on": True, "off": False}),
    "button": InMemoryFlag("blue", {"blue": "#00f", "red": "#f00"}),
    "limit": InMemoryFlag("low", {"low": 3, "high": 30}),
    "layout": InMemoryFlag("wide", {"wide": {"columns": 3}}),
}


class LoggingHook(Hook):
    """Tells of evaluations by log records, with the attributes that OpenFeature's own function gives them.

    Args:
        logger: Emits them.
    """

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def finally_after(self, hook_context: Any, details: Any, hints: Any) -> None:
        """Emit one."""
        told = create_evaluation_event(hook_context, details)
        attributes = {str(key): value for key, value in told.attributes.items()}
        value = {"feature_flag.result.value": json.dumps(details.value)}
        self._logger.emit(event_name=told.name, attributes={**attributes, **value})


def client(hook: Hook | None = None) -> OpenFeatureClient:
    """Return a client with the flags, which `hook` or OpenTelemetry's own tells of."""
    api.set_provider(InMemoryProvider(FLAGS))
    made = api.get_client()
    made.add_hooks([hook or TracingHook()])
    return made


def user(targeting_key: str | None) -> EvaluationContext:
    """Return the context of an evaluation for a user."""
    return EvaluationContext(targeting_key)
