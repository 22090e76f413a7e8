"""What services do, as users meet it: requests, calls, queries, jobs; more of the usual events, as in `usual.py`.

Most of them are derived from telemetry where a policy says so (`policy/shipped_rules.py`), with these names.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from otel_posthog.events.usual import Duration


class ApiRequest(TypedDict, total=False):
    """`api_request`: a program asked for something."""

    route: Annotated[str, "The template of the route."]
    method: Annotated[str, "The HTTP method."]
    status_class: Annotated[str, "`2xx` to `5xx`."]
    duration_ms: Annotated[Duration, "How long it took."]
    is_slow: Annotated[bool, "Whether that is longer than it should."]


class ApiErrorOccurred(TypedDict, total=False):
    """`api_error_occurred`: a request failed."""

    route: Annotated[str, "The template of the route."]
    method: Annotated[str, "The HTTP method."]
    status_code: Annotated[int, "The HTTP status."]
    error_type: Annotated[str, "The kind of error, never its message."]
    retry_count: Annotated[int, "Tries before."]
    duration_ms: Annotated[Duration, "How long it took."]


class ApiTimeout(TypedDict, total=False):
    """`api_timeout`: a request, or a call to another service, took too long."""

    route: Annotated[str, "The template of the route."]
    kind: Annotated[str, "`server`: somebody asked this service; `client`: it asked another one."]
    host: Annotated[str, "Which service was asked."]
    method: Annotated[str, "The HTTP method."]
    status_code: Annotated[int, "The HTTP status."]
    error_type: Annotated[str, "The kind of error, never its message."]
    duration_ms: Annotated[Duration, "How long it took."]


class ExternalCallFailed(TypedDict, total=False):
    """`external_call_failed`: a call to another service failed."""

    host: Annotated[str, "Which service."]
    system: Annotated[str, "`grpc`, ..., where it is no HTTP request."]
    service: Annotated[str, "What of the service, where it has a name."]
    operation: Annotated[str, "What was called, where it has a name."]
    method: Annotated[str, "The HTTP method."]
    status_code: Annotated[int, "The HTTP status."]
    error_type: Annotated[str, "The kind of error, never its message."]
    duration_ms: Annotated[Duration, "How long it took."]


class SlowQuery(TypedDict, total=False):
    """`slow_query`: a query took long."""

    system: Annotated[str, "`postgresql`, `redis`, ..."]
    operation: Annotated[str, "`SELECT`, `UPDATE`, ...; never the statement."]
    collection: Annotated[str, "The table or collection."]
    duration_ms: Annotated[Duration, "How long it took."]


class SlowOperation(TypedDict, total=False):
    """`slow_operation`: what is no query took long."""

    kind: Annotated[str, "`server`, `client`, `consumer`."]
    route: Annotated[str, "The template of the route, of a request."]
    method: Annotated[str, "The HTTP method."]
    system: Annotated[str, "`kafka`, ..., of a message."]
    operation: Annotated[str, "What was called, of a call that has a name."]
    job: Annotated[str, "The job's name."]
    is_failed: Annotated[bool, "Whether it failed."]
    duration_ms: Annotated[Duration, "How long it took."]


class PerformanceMeasured(TypedDict, total=False):
    """`performance_measured`: something was timed."""

    operation: Annotated[str, "What, in `snake_case`."]
    duration_ms: Annotated[Duration, "How long it took."]
    item_count: Annotated[int, "Things that were handled."]
    size_bytes: Annotated[int, "Bytes that were handled."]
    is_cached: Annotated[bool, "Whether the answer was there already."]


class JobCompleted(TypedDict, total=False):
    """`job_completed`: a job of a queue was done."""

    job: Annotated[str, "Its name."]
    queue: Annotated[str, "The queue's name."]
    duration_ms: Annotated[Duration, "How long it took."]
    is_slow: Annotated[bool, "Whether that is longer than it should."]


class JobFailed(TypedDict, total=False):
    """`job_failed`: a job of a queue failed."""

    job: Annotated[str, "Its name."]
    queue: Annotated[str, "The queue's name."]
    error_type: Annotated[str, "The kind of error, never its message."]
    duration_ms: Annotated[Duration, "How long it took."]


class MessageProcessed(TypedDict, total=False):
    """`message_processed`: a message was processed, well or not."""

    system: Annotated[str, "`kafka`, `rabbitmq`, ..."]
    destination: Annotated[str, "The topic or queue."]
    error_type: Annotated[str, "The kind of error, never its message."]
    is_failed: Annotated[bool, "Whether it failed."]
    duration_ms: Annotated[Duration, "How long it took."]
