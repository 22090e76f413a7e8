"""The filters that are compared: this package's two sides, and the filters that can be installed beside it.

The operational side gets every row as an attribute of a span, through the real exporter to a real receiver; a value
that a span attribute cannot hold (a map, None) goes as the body of a log record.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from benchmarks.cache import kept
from benchmarks.privacy.score import Answer, Row
from benchmarks.report import Say
from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.operational import RedactingLogRecordExporter, RedactingSpanExporter, Redactor
from otel_posthog.policy import OperationalPolicy, PrivacyPolicy
from otel_posthog.privacy import Filter
from otel_posthog.privacy.scoring import redact
from otel_posthog.testing import OtlpSink

RedactAll = Callable[[Sequence[Row]], "list[Answer] | None"]

HERE = Path(__file__).resolve().parent
PEERS = ("presidio", "argus-redact", "commonregex", "scrubadub", "datafog", "logfire", "posthog", "sentry-sdk")
_TIMEOUT_S = 900


def contenders(*, peers: bool, say: Say) -> dict[str, RedactAll]:
    """Return every contender by name.

    Args:
        peers: Whether others are among them; their environment is made where it is missing.
        say: Hears of peers that cannot be had.
    """
    own: dict[str, RedactAll] = {"otel-posthog": _ours, "otel-posthog, through OTLP": through_otlp}
    python = _environment(say) if peers else None
    if python is None:
        return own
    return own | {name: _peer(python, name, say) for name in PEERS}


def _ours(rows: Sequence[Row]) -> list[Answer]:
    for row in rows[:200]:
        redact(row.key, row.value)
    return [_timed(row) for row in rows]


# The least of a few: what other programs do meanwhile is not the filter's cost.
_TRIES = 5


def _timed(row: Row) -> Answer:
    times = []
    left: object = None
    for _ in range(_TRIES):
        start = time.perf_counter_ns()
        left = redact(row.key, row.value)
        times.append(time.perf_counter_ns() - start)
    return Answer(left, min(times) / 1000)


def _environment(say: Say) -> Path | None:
    """Return the interpreter of the peers' environment, made from peers.txt the first time."""
    python = kept("venv-privacy-peers", "bin", "python")
    ready = python.with_name("peers-ready")
    if ready.exists() and ready.read_text() == (HERE / "peers.txt").read_text():
        return python
    say("installing the peers once ...")
    try:
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(HERE / "peers.txt")]
        subprocess.run(install, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        say(f"no peers: {error}")
        return None
    ready.write_text((HERE / "peers.txt").read_text())
    return python


def _peer(python: Path, name: str, say: Say) -> RedactAll:
    def redact_all(rows: Sequence[Row]) -> list[Answer] | None:
        given = "\n".join(json.dumps([row.key, row.value]) for row in rows)
        command = [str(python), str(HERE / "peer_process.py"), name]
        try:
            done = subprocess.run(
                command, input=given, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True, cwd=HERE
            )
        except (OSError, subprocess.SubprocessError) as error:
            say(f"{name} left out: {error} {getattr(error, 'stderr', '') or ''}"[:500])
            return None
        return [Answer(*json.loads(line)) for line in done.stdout.splitlines()]

    return redact_all


_BATCH = 500
_INDEX = "row"


def through_otlp(rows: Sequence[Row]) -> list[Answer]:
    """Return what of each row's value arrives; None for an attribute that was taken off."""
    guard = Guard(Health())
    redactor = Redactor(OperationalPolicy(), Filter(PrivacyPolicy()), guard)
    found: dict[int, Any] = {}
    with OtlpSink() as sink:
        traces = RedactingSpanExporter(OTLPSpanExporter(endpoint=f"{sink.url}/v1/traces"), redactor, guard)
        _send_spans(traces, rows)
        logs = LoggerProvider(shutdown_on_exit=False)
        exporter = RedactingLogRecordExporter(OTLPLogExporter(endpoint=f"{sink.url}/v1/logs"), redactor, guard)
        logs.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=10_000 + len(rows)))
        logger = logs.get_logger("corpus")
        for index, row in enumerate(rows):
            if not _is_attribute(row.value):
                logger.emit(LogRecord(timestamp=1, body={row.key: row.value}, attributes={_INDEX: index}))
        logs.shutdown()
        for span in sink.spans:
            index = span.attributes.pop(_INDEX)
            found[index] = next(iter(span.attributes.values()), None)
        for log in sink.logs:
            found[log.attributes[_INDEX]] = next(iter(log.body.values()), None)
    return [Answer(_as_sent(row.value, found[index])) for index, row in enumerate(rows)]


def _send_spans(exporter: SpanExporter, rows: Sequence[Row]) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("corpus")
    batch: list[Any] = []
    for index, row in enumerate(rows):
        if _is_attribute(row.value):
            span = tracer.start_span("row", attributes={row.key: row.value, _INDEX: index})
            span.end()
            batch.append(span)
        if len(batch) == _BATCH or (batch and index == len(rows) - 1):
            if exporter.export(batch) is not SpanExportResult.SUCCESS:
                raise RuntimeError("the receiver did not take a batch")
            batch = []
    if batch:
        exporter.export(batch)


def _is_attribute(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(
            type(each) is type(value[0]) and isinstance(each, (str, int, float)) for each in value
        )
    return isinstance(value, (str, bool, int, float))


def _as_sent(sent: object, arrived: object) -> object:
    """Return `arrived` in the type in which it was sent: OTLP has one type for lists and tuples."""
    return list(arrived) if isinstance(sent, list) and isinstance(arrived, (list, tuple)) else arrived
