"""Exporters and metric readers: how the SDK calls them, and what keeps our own requests out of its telemetry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

from opentelemetry import context as context_api

from otel_posthog.sdk.providers import safe_getattr


def wrap_reader(reader: object, redact: Callable[[Any], Any | None]) -> bool:
    """Have a metric reader get `redact(metrics_data)`, or nothing where that is None.

    It works for readers that push through an exporter and for those that are scraped alike.

    Returns:
        False where this SDK hands metrics on in another way.
    """
    receive = getattr(reader, "_receive_metrics", None)
    if receive is None:
        return False

    def receive_redacted(metrics_data: Any, *args: Any, **kwargs: Any) -> None:
        clean = redact(metrics_data)
        if clean is not None:
            receive(clean, *args, **kwargs)

    reader._receive_metrics = receive_redacted  # type: ignore[attr-defined]  # noqa: SLF001
    return True


_IS_REDACTING = "_otel_posthog_redacts"


def stand_before_export(exporter: Any, wrap: Callable[[Any], Any]) -> Any:
    """Have what an exporter exports pass through `wrap(...)`, and return what is to stand where the exporter stands.

    That is the exporter itself, as its owner may look at it, ask what it is or change it. Where one takes no method of
    ours it is the wrapper.

    Args:
        exporter: A span or log exporter; one that has been here is left as it is.
        wrap: Returns a wrapper around what has the exporter's own `export`.
    """
    if safe_getattr(exporter, _IS_REDACTING):
        return exporter
    front = wrap(_Inner(exporter))
    try:
        setattr(exporter, _IS_REDACTING, True)
        exporter.export = front.export
    except AttributeError:
        return wrap(exporter)
    return exporter


class _Inner:
    """An exporter as it was."""

    def __init__(self, exporter: Any) -> None:
        self.export = exporter.export


def shutdown_exporter(exporter: object, timeout_millis: float | None) -> None:
    """Shut a span or log exporter down; its time limit is handed on where it takes one, as the SDK itself does."""
    shutdown: Callable[..., object] = exporter.shutdown  # type: ignore[attr-defined]
    if timeout_millis is not None and "timeout_millis" in signature(shutdown).parameters:
        shutdown(timeout_millis=timeout_millis)
    else:
        shutdown()


def flush_exporter(exporter: object, timeout_millis: int) -> bool:
    """Flush a span or log exporter; those of older SDKs need not have anything to flush."""
    flush = getattr(exporter, "force_flush", None)
    return flush is None or flush(timeout_millis) is not False


def metric_preferences(exporter: object) -> tuple[Any, Any]:
    """Return the temporality and aggregation that a metric exporter prefers, for a wrapper to prefer the same."""
    return getattr(exporter, "_preferred_temporality", None), getattr(exporter, "_preferred_aggregation", None)


@contextmanager
def suppressed_instrumentation() -> Iterator[None]:
    """Keep instrumentation of HTTP clients from tracing what runs inside: our requests are no telemetry of the app."""
    key = getattr(context_api, "_SUPPRESS_INSTRUMENTATION_KEY", "suppress_instrumentation")
    token = context_api.attach(context_api.set_value(key, True))
    try:
        yield
    finally:
        context_api.detach(token)
