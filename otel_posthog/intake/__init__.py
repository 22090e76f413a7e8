"""Where telemetry comes in: recognise, hand over, detach."""

from otel_posthog.intake.acting import acting
from otel_posthog.intake.exporters import LogExportIntake, SpanExportIntake
from otel_posthog.intake.processors import LogIntake, SpanIntake
from otel_posthog.intake.sampler import AnalyticsSampler, Lift

__all__ = ["AnalyticsSampler", "Lift", "LogExportIntake", "LogIntake", "SpanExportIntake", "SpanIntake", "acting"]
