"""What our filters cannot be put in front of, told once: in one line for all that a set-up finds."""

from __future__ import annotations

import logging
import weakref

from opentelemetry.sdk.trace import SpanProcessor

_log = logging.getLogger("otel_posthog")

WRAP_IT = "wrap its exporter in otel_posthog.Operational{Span,LogRecord,Metric}Exporter"

_told: weakref.WeakSet[type] = weakref.WeakSet()
_found: list[str] = []


def note_unwrapped(holder: object) -> None:
    """Note a processor or reader that has no exporter that can be wrapped, unless it only adds to spans that start."""
    kind = type(holder)
    only_adds = isinstance(holder, SpanProcessor) and getattr(kind, "on_end", None) is SpanProcessor.on_end
    if kind in _told or only_adds:
        return
    _told.add(kind)
    _found.append(f"{kind.__module__}.{kind.__qualname__}")


def tell_unwrapped() -> None:
    """Say what was noted since the last time."""
    names = [_found.pop(0) for _ in range(len(_found))]
    if names:
        has = "has" if len(names) == 1 else "have"
        _log.warning(
            "%s %s no exporter that can be wrapped: if anything is sent there, that is not redacted; %s",
            ", ".join(names),
            has,
            WRAP_IT,
        )


def tell_foreign(provider: object) -> None:
    """Say, once for each kind, that a provider is none of OpenTelemetry's SDK, so that nothing of ours reaches it."""
    kind = type(provider)
    if kind not in _told:
        _told.add(kind)
        _log.warning(
            "%s.%s is not a provider of OpenTelemetry's SDK: product events from there are not seen, and what it sends "
            "is not stripped of analytics.* and not redacted",
            kind.__module__,
            kind.__qualname__,
        )
