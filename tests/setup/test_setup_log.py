"""Who sees a warning of ours: whoever the program's handlers show it to, else whoever reads standard error."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec

import pytest
from opentelemetry.sdk._logs import LoggerProvider

from otel_posthog.logger import show_warnings

LINE = "a key is wrong"


class Elsewhere(logging.Handler):
    """A handler of a vendor that sends lines away: OpenTelemetry's, under another name."""

    __module__ = "opentelemetry.vendor.logs"

    def emit(self, record: logging.LogRecord) -> None:
        """Send it away."""


def of_the_sdk() -> logging.Handler:
    """OpenTelemetry's own, wherever this version keeps it."""
    if find_spec("opentelemetry.instrumentation.logging.handler"):
        module = import_module("opentelemetry.instrumentation.logging.handler")
    else:
        module = import_module("opentelemetry.sdk._logs")
    made: logging.Handler = module.LoggingHandler(logger_provider=LoggerProvider(shutdown_on_exit=False))
    return made


def of_a_subclass() -> logging.Handler:
    """A distribution's, made from OpenTelemetry's."""
    made: logging.Handler = type("Theirs", (Elsewhere,), {"__module__": "vendor.logs"})()
    return made


def for_criticals() -> logging.Handler:
    """Shows nothing below CRITICAL."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setLevel(logging.CRITICAL)
    return handler


@pytest.fixture
def ours() -> Iterator[logging.Logger]:
    """The package's logger below a root of its own, so that pytest's handlers are not there."""
    logger = logging.getLogger("otel_posthog")
    parent, handlers, level = logger.parent, logger.handlers[:], logger.level
    logger.parent, logger.handlers = logging.RootLogger(logging.WARNING), []
    logger.setLevel(logging.WARNING)
    yield logger
    logger.parent, logger.handlers = parent, handlers
    logger.setLevel(level)


@pytest.mark.parametrize("made", [None, logging.NullHandler, Elsewhere, of_a_subclass, of_the_sdk, for_criticals])
def test_a_warning_that_nobody_here_would_see_goes_to_standard_error(
    made: Callable[[], logging.Handler] | None, ours: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """No handler, one that keeps silent, or one that sends lines away: once, as a plain line."""
    assert ours.parent is not None
    if made is not None:
        ours.parent.addHandler(made())
    show_warnings()
    show_warnings()
    ours.error("%s", LINE)
    ours.info("not this one")
    assert capsys.readouterr().err == f"{LINE}\n"


@pytest.mark.parametrize("is_own", [True, False])
def test_a_warning_that_a_handler_shows_is_not_repeated(
    ours: logging.Logger, capsys: pytest.CaptureFixture[str], *, is_own: bool
) -> None:
    """A handler of the program's, on the root or on our logger, and nothing beside it."""
    stream = io.StringIO()
    logger = ours if is_own else ours.parent
    assert logger is not None
    logger.addHandler(logging.StreamHandler(stream))
    logger.addHandler(Elsewhere())
    show_warnings()
    ours.error("%s", LINE)
    assert stream.getvalue() == f"{LINE}\n"
    assert capsys.readouterr().err == ""


def test_who_silences_the_last_resort_is_obeyed(
    ours: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`logging.lastResort = None`, or a level of one's own for our logger: not a word."""
    monkeypatch.setattr(logging, "lastResort", None)
    show_warnings()
    ours.error("%s", LINE)
    monkeypatch.undo()
    ours.setLevel(logging.CRITICAL)
    ours.error("%s", LINE)
    assert capsys.readouterr().err == ""
