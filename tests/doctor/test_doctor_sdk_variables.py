"""What the doctor finds of variables with which the SDK does not start, each held against the SDK itself."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any, cast
from unittest.mock import MagicMock

import pytest
from doctored import doctor, healthy
from opentelemetry.instrumentation.auto_instrumentation._load import _load_configurators
from opentelemetry.sdk._configuration import _get_id_generator, _import_id_generator
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

KIND = "sdk_variable_unusable"


def batches_spans() -> None:
    """Have the SDK make what batches spans."""
    made: Any = BatchSpanProcessor(MagicMock())
    made.shutdown()


def batches_records() -> None:
    """Have the SDK make what batches log records."""
    made: Any = BatchLogRecordProcessor(MagicMock())
    made.shutdown()


def measures() -> None:
    """Have the SDK make what measures."""
    MeterProvider(shutdown_on_exit=False)


def makes_ids() -> None:
    """Have the SDK find what makes ids."""
    _import_id_generator(_get_id_generator())


def configures() -> None:
    """Have the launcher find what configures the SDK, without doing so."""
    with pytest.MonkeyPatch.context() as patch:
        configurator, look = MagicMock(), cast("Callable[[], None]", _load_configurators)
        patch.setattr(EntryPoint, "load", lambda _: configurator)
        look()
    assert configurator.called, "nothing is set up"


ROWS: list[tuple[Callable[[], None], str, tuple[str, ...], tuple[str, ...]]] = [
    (batches_spans, "OTEL_BSP_MAX_QUEUE_SIZE", ("5", "0", "-1", "511"), ("512", "x", "")),
    (batches_spans, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", ("0", "2049"), ("2048", "x")),
    (batches_spans, "OTEL_BSP_SCHEDULE_DELAY", ("0", "-5"), ("1", "x")),
    (batches_records, "OTEL_BLRP_MAX_QUEUE_SIZE", ("5", "0"), ("512", "x")),
    (batches_records, "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", ("0", "2049"), ("2048", "x")),
    (batches_records, "OTEL_BLRP_SCHEDULE_DELAY", ("0", "-5"), ("1", "x")),
    (measures, "OTEL_METRICS_EXEMPLAR_FILTER", ("foo", "", "ALWAYS_ON"), ("always_on", "always_off", "trace_based")),
    (makes_ids, "OTEL_PYTHON_ID_GENERATOR", ("nosuch", ""), ("random",)),
    (configures, "OTEL_PYTHON_CONFIGURATOR", ("nosuch", ""), ("configurator",)),
]


@pytest.mark.parametrize(("start", "variable", "bad", "good"), ROWS, ids=[row[1] for row in ROWS])
def test_what_the_sdk_cannot_start_with_is_found(
    start: Callable[[], None], variable: str, bad: tuple[str, ...], good: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """And nothing is said of what it can start with."""
    healthy(monkeypatch)
    for value in bad:
        monkeypatch.setenv(variable, value)
        with pytest.raises((ValueError, RuntimeError, AssertionError)):
            start()
        assert doctor()[KIND]["level"] == "wrong", value
    for value in good:
        monkeypatch.setenv(variable, value)
        start()
        assert KIND not in doctor().ids, value
