"""The components by themselves, for a set-up that is put together by hand.

Each takes what runs in this process, started from the environment at first use. `configure()` does all of it in one
call; these are for those who want a processor or exporter in a place of their own.
"""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk._logs.export import LogRecordExporter
from opentelemetry.sdk.metrics.export import MetricExporter
from opentelemetry.sdk.trace import Span
from opentelemetry.sdk.trace.export import SpanExporter

from otel_posthog.errors import Guard
from otel_posthog.intake import LogIntake, SpanIntake
from otel_posthog.operational import (
    RedactingLogRecordExporter,
    RedactingMetricExporter,
    RedactingSpanExporter,
    Redactor,
    detach,
)
from otel_posthog.sdk import divert_dropped
from otel_posthog.setup import configure
from otel_posthog.setup.providers import outlets, recogniser_of


class AnalyticsSpanProcessor(SpanIntake):
    """Recognises product events on spans, hands them to the pipeline and strips the spans.

    Raises:
        ConfigurationError: A setting in the environment cannot work.
    """

    def __init__(self) -> None:
        made = configure.ensure()
        submit, flush, close = outlets(made.pipeline)
        recogniser = recogniser_of(made.pipeline)
        how = {"light": made.settings.light_spans, "listens": made.pipeline is not None}
        super().__init__(submit, detach, made.guard, flush=flush, close=close, recogniser=recogniser, **how)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do as for every span, and with the first take care that spans that are not sampled come here only."""
        vars(self)["on_start"] = super().on_start
        divert_dropped(span, self)
        super().on_start(span, parent_context)


class AnalyticsLogRecordProcessor(LogIntake):
    """Recognises log records that are product events and hands them to the pipeline.

    Raises:
        ConfigurationError: A setting in the environment cannot work.
    """

    def __init__(self) -> None:
        made = configure.ensure()
        submit, flush, close = outlets(made.pipeline)
        recogniser = recogniser_of(made.pipeline)
        super().__init__(submit, made.guard, flush=flush, close=close, recogniser=recogniser)


class OperationalSpanExporter(RedactingSpanExporter):
    """Wraps a span exporter so that it gets spans without product data and without what the detectors find.

    Args:
        exporter: The exporter of the operational backend.

    Raises:
        ConfigurationError: A setting in the environment cannot work.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        super().__init__(exporter, *_redaction(exporter))


class OperationalLogRecordExporter(RedactingLogRecordExporter):
    """Wraps a log record exporter as `OperationalSpanExporter` does; product-only records are withheld."""

    def __init__(self, exporter: LogRecordExporter) -> None:
        super().__init__(exporter, *_redaction(exporter))


class OperationalMetricExporter(RedactingMetricExporter):
    """Wraps a metric exporter as `OperationalSpanExporter` does; series that became one are merged."""

    def __init__(self, exporter: MetricExporter) -> None:
        super().__init__(exporter, *_redaction(exporter))


def _redaction(exporter: object) -> tuple[Redactor, Guard]:
    made = configure.ensure()
    return made.redactor.for_exporter(exporter), made.guard
