"""The two ends that the demo embeds, and how the app is told of them; neither is made where the user has their own."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import final

from otel_posthog import environment_variables as env
from otel_posthog.apps.demo.options import OTLP_ENDPOINT, OTLP_PROTOCOL, Options
from otel_posthog.testing import FakePostHog, OtlpSink

API_KEY = "phc_demo"


@final
class Receivers:
    """A running `FakePostHog` and `OtlpSink`, or None for each that the user's own replaces.

    Attributes:
        posthog: The embedded PostHog.
        otlp: The embedded OTLP receiver.
    """

    def __init__(self, options: Options) -> None:
        self.posthog = None if options.own_posthog else FakePostHog(api_key=API_KEY)
        self.otlp = None if options.own_otlp else OtlpSink()
        self._running = ExitStack()

    def __enter__(self) -> Receivers:
        """Start them."""
        for server in (self.posthog, self.otlp):
            if server is not None:
                self._running.enter_context(server)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop them."""
        self._running.close()

    def environment(self) -> dict[str, str]:
        """Return the variables that point the app at them."""
        variables: dict[str, str] = {}
        if self.posthog is not None:
            variables |= {env.POSTHOG_API_KEY: API_KEY, env.POSTHOG_HOST: self.posthog.url}
        if self.otlp is not None:
            variables |= {OTLP_ENDPOINT: self.otlp.url, OTLP_PROTOCOL: "http/protobuf"}
        return variables
