"""Servers to test against: real HTTP on 127.0.0.1, no mocks.

pytest loads this package in every run of its users: a name is imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_posthog.testing.fake_posthog import CapturedEvent, FakePostHog, Fault
    from otel_posthog.testing.otlp_sink import OtlpSink, SinkLog, SinkMetric, SinkSpan
    from otel_posthog.testing.server import RecordedRequest

_HOMES = {
    "CapturedEvent": "fake_posthog",
    "FakePostHog": "fake_posthog",
    "Fault": "fake_posthog",
    "OtlpSink": "otlp_sink",
    "RecordedRequest": "server",
    "SinkLog": "otlp_sink",
    "SinkMetric": "otlp_sink",
    "SinkSpan": "otlp_sink",
}

__all__ = [
    "CapturedEvent",
    "FakePostHog",
    "Fault",
    "OtlpSink",
    "RecordedRequest",
    "SinkLog",
    "SinkMetric",
    "SinkSpan",
]


# Hidden from type checkers, which would take every name that there is not for an object.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import `name` from the module that holds it."""
        from importlib import import_module  # noqa: PLC0415

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
