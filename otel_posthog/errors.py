"""The errors of this package, and the one guard that keeps every other error out of the host app.

    OtelPostHogError
    ├── ConfigurationError      raised at start, one line: what, where, what to write instead
    │   └── PolicyError         the same, with file and line
    ├── MalformedTelemetry      raised by a reader of OTLP: which field of the document cannot be read
    └── DropEvent               raised inside a stage to drop one event, with the reason that is counted

After start nothing is raised into the host: every callback that the SDK calls hands what it caught to `Guard.caught`,
which counts it by place and type. A value, message or traceback of a foreign error may hold user data: none is logged.
"""

from __future__ import annotations

from otel_posthog.health import DROPPED, Health
from otel_posthog.text import visible


class OtelPostHogError(Exception):
    """Every error that this package raises on purpose."""


class ConfigurationError(OtelPostHogError):
    """A setting that cannot work.

    Args:
        message: What, where, and what to write instead; what stands in it of a file or the environment is shown on one
            line, with nothing that a terminal would obey.
    """

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))


class PolicyError(ConfigurationError):
    """A policy that cannot be used.

    Args:
        problem: What is wrong, in one sentence.
        fix: What to write instead.
        path: The policy file, or where else the policy came from.
        line: 1-based line in that file; 0 when no line is to blame.

    Attributes:
        others: Further mistakes in the same file, by line.
    """

    others: tuple[PolicyError, ...] = ()

    def __init__(self, problem: str, *, fix: str, path: str, line: int = 0) -> None:
        self.problem, self.fix, self.path, self.line = problem, fix, path, line
        where = f"{path}:{line}" if line else path
        super().__init__(f"{where}: {problem}; {fix}")


class MalformedTelemetry(OtelPostHogError):  # noqa: N818 - it says what is malformed
    """A document of telemetry that is not what its format says.

    Args:
        path: Of the field, e.g. `resourceSpans[0].scopeSpans[0].spans[2].traceId`.
        problem: What it must be; never what is there.
    """

    def __init__(self, path: str, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path or 'the document'} {problem}")


class DropEvent(OtelPostHogError):  # noqa: N818 - a decision, not an error
    """Raised by a stage that decides that an event is not to be sent.

    Args:
        reason: A short, fixed identifier (`consent`, `name_invalid`, ...); it becomes a metric attribute.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Guard:
    """Keeps an error of ours out of the host app: counted with place and type, logged once a minute by `Health`.

    Attributes:
        reraise: Set by this project's own tests, so that a fault that production would count fails a test instead.
    """

    reraise = False

    def __init__(self, health: Health) -> None:
        self._health = health

    def lost(self, reason: str, amount: int) -> None:
        """Count `amount` items that were lost before they could become events, if there were any."""
        if amount:
            self._health.count(DROPPED, reason, amount)

    def caught(self, place: str, error: BaseException) -> None:
        """Count `error`, which was caught at `place`.

        Raises:
            BaseException: `error` itself, under test only.
        """
        self._health.fault(place, type(error).__name__)
        if self.reraise:
            raise error
