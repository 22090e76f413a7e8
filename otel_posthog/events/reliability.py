"""What fails and what takes long, as users meet it; the traces have the rest."""

from __future__ import annotations

from typing import TypedDict

from otel_posthog.events.durations import Duration


class ApiErrorOccurred(TypedDict, total=False):
    """`api_error_occurred`: a request failed.

    Attributes:
        route: The template of the route.
        method: The HTTP method.
        status_code: The HTTP status.
        error_type: The kind of error, never its message.
        retry_count: Tries before.
        duration_ms: How long it took.
    """

    route: str
    method: str
    status_code: int
    error_type: str
    retry_count: int
    duration_ms: Duration


class PerformanceMeasured(TypedDict, total=False):
    """`performance_measured`: something was timed.

    Attributes:
        operation: What, in `snake_case`.
        duration_ms: How long it took.
        item_count: Things that were handled.
        size_bytes: Bytes that were handled.
        is_cached: Whether the answer was there already.
    """

    operation: str
    duration_ms: Duration
    item_count: int
    size_bytes: int
    is_cached: bool
