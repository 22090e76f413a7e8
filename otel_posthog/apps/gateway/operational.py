"""A gateway for operational telemetry: a request in, the same one filtered out to the backend, its answer back.

The filter is an app's own. Nothing is kept: a sender is told that its telemetry was taken when the backend has said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError

from otel_posthog.apps.gateway.backend import Backend
from otel_posthog.apps.gateway.consumer import Steps
from otel_posthog.apps.gateway.memory import (
    Reservation,
    Reserve,
    check_items,
    check_json_items,
    reserve_for_json,
    reserve_for_proto,
)
from otel_posthog.apps.gateway.responses import ExportOutcome
from otel_posthog.apps.gateway.service import ExportRequest, Service
from otel_posthog.errors import MalformedTelemetry
from otel_posthog.intake.otlp.json_to_protobuf import with_proto_ids
from otel_posthog.intake.otlp.protobuf import LOGS, METRICS, TRACES, Kind
from otel_posthog.intake.otlp.wire import parsed_in_steps, parsed_json
from otel_posthog.operational.otlp import OtlpFilter, Passed

NOT_FILTERED = "not_filtered"


class Forwarder:
    """Reads requests and filters them, step by step; what is to be sent is in the outcome.

    Args:
        filter_: What is taken out.
        max_items: Of a request.
    """

    kinds: Mapping[str, Kind | None] = {"traces": TRACES, "logs": LOGS, "metrics": METRICS}
    is_ready = True

    def __init__(self, filter_: OtlpFilter, max_items: int) -> None:
        self._filter, self._max_items = filter_, max_items

    def consume_proto(self, body: bytes, kind: Kind, reserve: Reserve) -> Steps:
        """Filter an export request in protobuf; as `Consumer.consume_proto`."""
        yield from reserve_for_proto(body, kind, reserve)
        message = yield from parsed_in_steps(body, kind)
        return (yield from self._filtered(message, kind, reserve))

    def consume_json(self, body: bytes, kind: Kind, reserve: Reserve) -> Steps:
        """Filter an export request in JSON."""
        reserve_for_json(body, reserve)
        message = kind.message()
        try:
            document: Any = parsed_json(body)
            check_json_items(document, kind, self._max_items)
            yield
            found: Any = with_proto_ids(document)
            ParseDict(found, message, ignore_unknown_fields=True)
        except RecursionError:
            raise MalformedTelemetry("", "is nested too deeply") from None
        except (ValueError, TypeError, AttributeError, ParseError):
            # Their messages hold values of the request.
            raise MalformedTelemetry("", f"must be an {kind.message.DESCRIPTOR.name} in JSON") from None
        yield
        return (yield from self._filtered(message, kind, reserve))

    def _filtered(self, message: Any, kind: Kind, reserve: Reserve) -> Steps:
        check_items(message, kind, self._max_items)
        passed = Passed(0, 0, 0)
        for passed in self._filter.clean(message):  # noqa: B007 - the last one is of all of them
            yield
        outcome = ExportOutcome(items=passed.items, operational=passed.items - passed.product)
        if passed.failed:
            outcome.rejected[NOT_FILTERED] = passed.failed
        if message.ListFields():
            reserve(message.ByteSize())
            outcome.content = message.SerializeToString()
        return outcome


class ForwardingService(Service):
    """Has what was filtered taken by the backend before a request is answered.

    Args:
        backend: The backend.
        of_service: As `Service` has it.
    """

    def __init__(self, backend: Backend, *of_service: Any) -> None:
        super().__init__(*of_service)
        self._backend = backend

    async def export(
        self, request: ExportRequest, memory: Reservation, timeout_s: float | None = None
    ) -> ExportOutcome:
        """Filter a request, and return the outcome that the backend's answer is.

        Raises:
            Refusal: It cannot be read, or the backend has not taken it in time.
        """
        self._backend.check(request.kind)
        deadline = self.deadline(timeout_s)
        outcome = await self.outcome(request, memory, deadline)
        if outcome.content is not None:
            try:
                outcome.answer = await self._backend.send(request.kind, outcome.content, deadline)
            except BaseException:
                outcome.is_kept = False
                self.telemetry.exported(outcome)
                raise
        self.telemetry.exported(outcome)
        return outcome

    async def close(self) -> None:
        """End what sends."""
        await super().close()
        self._backend.close()
