"""The exporters `posthog`, for those who choose exporters by name or put them together by hand.

    OTEL_TRACES_EXPORTER=otlp,posthog OTEL_LOGS_EXPORTER=otlp,posthog                     the environment
    exporter: {posthog: }                                                                 a configuration file

Of all integrations they give least: sampled spans only, no identity from the context, and what other exporters get is
not stripped. Beside any other integration they get nothing. They start nothing before the first product event, since
the SDK makes exporters before it comes to any set-up with settings of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from otel_posthog.intake import LogExportIntake, SpanExportIntake
from otel_posthog.model import Signal
from otel_posthog.policy import Policy
from otel_posthog.recogniser import Recogniser
from otel_posthog.setup import configure
from otel_posthog.setup.providers import outlets
from otel_posthog.setup.runtime import Runtime

_log = logging.getLogger("otel_posthog")

_is_logged = False


class PostHogSpanExporter(SpanExportIntake):
    """Exports the product events of sampled spans to PostHog.

    It never raises, as an error here would end the SDK's own set-up: a mistake is one line, and nothing is sent.

    Args:
        options: `policy`, `api_key`, `host`; default the environment's. Not in force where something runs already.
    """

    def __init__(self, **options: Any) -> None:
        late = _AtFirstEvent(options)
        super().__init__(late.submit, late.caught, flush=late.flush, close=late.close, recogniser=late.recogniser)


class PostHogLogRecordExporter(LogExportIntake):
    """Exports the log records that are product events to PostHog; as `PostHogSpanExporter`.

    Args:
        options: `policy`, `api_key`, `host`; default the environment's. Not in force where something runs already.
    """

    def __init__(self, **options: Any) -> None:
        late = _AtFirstEvent(options)
        super().__init__(late.submit, late.caught, flush=late.flush, close=late.close)


class _AtFirstEvent:
    """Starts what runs with the first event, unless it runs already."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._made: Runtime | None = None
        self._policy: Policy | None = None
        self._recogniser = Recogniser(Policy(), is_marked_only=True)
        _log_once()

    def started(self) -> Runtime:
        self._made = self._made or configure.ensure_or_strip("the exporter posthog", self._options)
        return self._made

    def submit(self, signal: Signal) -> None:
        submit, _, _ = outlets(self.started().pipeline)
        submit(signal)

    def recogniser(self) -> Recogniser:
        pipeline = self.started().pipeline
        if pipeline is not None and pipeline.policy is not self._policy:
            self._policy = pipeline.policy
            self._recogniser.replace(pipeline.policy)
        return self._recogniser

    def flush(self, timeout_s: float) -> bool:
        return self._made is None or outlets(self._made.pipeline)[1](timeout_s)

    def close(self) -> None:
        if self._made is not None:
            outlets(self._made.pipeline)[2]()

    def caught(self, place: str, error: BaseException) -> None:
        made = self._made or configure.running()
        if made is not None:
            made.guard.caught(place, error)
        else:
            _log.error("otel-posthog: %s in the exporter posthog, nothing is sent", type(error).__name__)


def _log_once() -> None:
    """Log what these exporters do not do, once and when one is made: a short program may end with its first event."""
    global _is_logged
    if not _is_logged:
        _is_logged = True
        _log.warning(
            "the exporter posthog sends the product events of sampled telemetry only, and does not take them off what "
            "other exporters send; where opentelemetry-instrument or configure() sets otel-posthog up, which does, "
            "it has nothing to do, and nothing is sent twice"
        )
