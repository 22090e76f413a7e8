"""The program of a rehearsal: imports an app's module where all is set up as the app's, and writes what it finds.

    opentelemetry-instrument python -m otel_posthog.apps.doctor.rehearsed FACTS.json shop.app

No span, log record or metric is made here, and the process ends without its exit handlers: nothing is exported.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider

from otel_posthog.intake import LogExportIntake, LogIntake, SpanExportIntake, SpanIntake
from otel_posthog.sdk import beneath, foreign, is_in_front, log_processors, parts_of, span_processors
from otel_posthog.setup import configure

MAX_LINES = 10
# What posthog-python has for spans that sends them by itself.
_OF_POSTHOG = frozenset({"PostHogSpanProcessor", "PostHogTraceExporter"})


class _Lines(logging.Handler):
    """Keeps the warnings of this package."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.kept) < MAX_LINES:
            self.kept.append(record.getMessage())


def facts(module: str) -> dict[str, Any]:
    """Import `module` and return what is there then.

    Args:
        module: The name of the app's module; empty for none.
    """
    lines = _Lines()
    logging.getLogger("otel_posthog").addHandler(lines)
    error = _imported(module) if module else ""
    made, tracer, logger = configure.running(), trace.get_tracer_provider(), get_logger_provider()
    return {
        "error": error,
        "is_attached": configure.is_attached(),
        "set_up_by": made.set_up_by if made else "",
        "spans": _provider(tracer, TracerProvider, SpanIntake, SpanExportIntake, span_processors),
        "logs": _provider(logger, LoggerProvider, LogIntake, LogExportIntake, log_processors),
        "lines": lines.kept,
    }


def _imported(module: str) -> str:
    """Import it and return the type of what that raised; empty where all went well."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        importlib.import_module(module)
    except BaseException as error:
        missing = getattr(error, "name", "") if isinstance(error, ModuleNotFoundError) else ""
        return f"{type(error).__name__}{f': {missing}' if missing else ''}"
    return ""


def _provider(provider: object, kind: type, intake: type, exporter: type, held_by: Any) -> dict[str, Any]:
    found, other = beneath(provider, kind), foreign(provider)
    held: list[object] = [part for each in held_by(found) or () for part in parts_of(each)] if found is not None else []
    named = type(other or found or provider)
    return {
        "class": f"{named.__module__}.{named.__qualname__}",
        "is_sdk": found is not None,
        "is_foreign": other is not None,
        "is_seen": any(isinstance(each, intake) for each in held) or is_in_front(found, intake),
        "is_exporter_there": any(isinstance(each, exporter) for each in held),
        "of_posthog": sorted({name for each in held if (name := type(each).__name__) in _OF_POSTHOG}),
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(facts(sys.argv[2])), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)
