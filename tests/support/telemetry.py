"""Real OpenTelemetry providers with our intake on them, and what PostHog would get of what is emitted through them."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from typing_extensions import Self

from otel_posthog.actor import request
from otel_posthog.errors import Guard
from otel_posthog.health import DROPPED, REPAIRED, Health
from otel_posthog.identity import Pseudonyms
from otel_posthog.intake import LogIntake, SpanIntake
from otel_posthog.model import Signal
from otel_posthog.operational import RedactingLogRecordExporter, RedactingSpanExporter, Redactor, detach
from otel_posthog.pipeline import Pipeline
from otel_posthog.policy import Destination, IdentityMode, Policy
from otel_posthog.privacy import Filter
from otel_posthog.setup.requests import follow_requests
from otel_posthog.stages import clean_events

try:
    from opentelemetry.instrumentation.logging.handler import LoggingHandler
except ImportError:  # before contrib had it, it was the SDK's
    from opentelemetry.sdk._logs import LoggingHandler  # type: ignore[assignment]

NOWHERE = "http://127.0.0.1:9"
NOBODY = "installation-1"
"""As whom events without a user are sent."""


class Telemetry:
    """An app's telemetry, in one process and without a network; shut down at the end of a `with`.

    Args:
        mode: The identity mode.
        pseudonyms: Stand for ids in the modes that do not send them.
        sampler: Of the traces.
        policy: What differs from the built-in policy.

    Attributes:
        tracer: A tracer of the SDK's.
        logger: A logger of the SDK's, for log-based events.
        log: A logger of `logging`, bridged as the contrib instrumentation does it.
        events: What PostHog would get, decoded.
    """

    def __init__(
        self,
        mode: IdentityMode = IdentityMode.IDENTIFIED,
        *,
        pseudonyms: Pseudonyms | None = None,
        sampler: Any = None,
        **policy: Any,
    ) -> None:
        made = replace(
            Policy(destinations=(Destination(api_key="phc_test", host=NOWHERE),)).with_identity(mode), **policy
        )
        self.health, self.events = Health(), list[dict[str, Any]]()
        self._guard = guard = Guard(self.health)
        self._pipeline = Pipeline(made, installation_id=NOBODY, health=self.health, guard=guard, pseudonyms=pseudonyms)
        self.spans, self.logs = InMemorySpanExporter(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        redactor = Redactor(made.operational, Filter(made.privacy), guard)
        resource = Resource({"service.name": "helpdesk", "service.instance.id": "i1"})
        self.tracer_provider = TracerProvider(sampler=sampler, shutdown_on_exit=False, resource=resource)
        self.tracer_provider.add_span_processor(
            SpanIntake(
                self._submit,
                detach,
                guard,
                flush=lambda _: True,
                close=lambda: None,
                recogniser=self._pipeline.recogniser,
            )
        )
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(RedactingSpanExporter(self.spans, redactor, guard)))
        self.logger_provider = LoggerProvider(shutdown_on_exit=False, resource=resource)
        self.logger_provider.add_log_record_processor(
            LogIntake(
                self._submit,
                guard,
                flush=lambda _: True,
                close=lambda: None,
                recogniser=self._pipeline.recogniser,
            )
        )
        self.logger_provider.add_log_record_processor(
            SimpleLogRecordProcessor(RedactingLogRecordExporter(self.logs, redactor, guard))
        )
        self.tracer = self.tracer_provider.get_tracer("test")
        self.logger = self.logger_provider.get_logger("test")
        self.log = logging.Logger("test")  # noqa: LOG001 - one of its own, that no other test hears
        self.log.addHandler(LoggingHandler(logger_provider=self.logger_provider))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.tracer_provider.shutdown()
        self.logger_provider.shutdown()
        self._pipeline.shutdown(0)

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._pipeline.policy

    @property
    def only(self) -> dict[str, Any]:
        """The one event."""
        (event,) = self.events
        return event

    @property
    def names(self) -> list[str]:
        """The names of all events."""
        return [each["event"] for each in self.events]

    def counted(self, outcome: str = REPAIRED) -> dict[str, int]:
        """Return the counts of `outcome` by reason."""
        return {reason: n for (name, reason), n in self.health.snapshot().items() if name == outcome}

    @property
    def dropped(self) -> dict[str, int]:
        """What was dropped, by reason."""
        return self.counted(DROPPED)

    def who(self) -> dict[str, str]:
        """Return the events since the last call, and who each is about."""
        found = {each["event"]: each["distinct_id"] for each in self.events}
        self.events.clear()
        return found

    def span(self, name: str = "op", **attributes: Any) -> None:
        """Make a span; `__` in a name stands for a dot."""
        given = {key.replace("__", "."): value for key, value in attributes.items()}
        self.tracer.start_span(name, attributes=given).end()

    def use_for_capture(self, monkeypatch: pytest.MonkeyPatch) -> Self:
        """Have `capture()`, `journey()` and their like find these providers as the program's."""
        monkeypatch.setattr("otel_posthog.emit.record.get_logger", self.logger_provider.get_logger)
        monkeypatch.setattr("otel_posthog.journeys.inside.get_tracer", self.tracer_provider.get_tracer)
        return self

    def use_for_requests(self, monkeypatch: pytest.MonkeyPatch) -> Self:
        """Have hooks into frameworks work for this telemetry."""
        monkeypatch.setattr(request, "_requests", None)
        follow_requests(self._pipeline.policy, self._pipeline, lambda: False, self._guard)
        return self

    def _submit(self, signal: Signal) -> None:
        unknown = signal.context and signal.context.waits_for
        if unknown and unknown.hold(self._submit, signal):
            return
        self.events.extend(json.loads(each.body) for each in clean_events(self._pipeline.stages.outcomes(signal)))
