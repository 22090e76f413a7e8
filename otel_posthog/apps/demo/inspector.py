"""The inspector of a demo on a terminal: it looks at the helpdesk from its start, and serves its page after its end.

What the helpdesk is sent is made up, so values from before the filters are shown. Elsewhere, and where the page's
server is not installed, there is none of this.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import final

from rich.console import Console

from otel_posthog import environment_variables as env
from otel_posthog.apps.demo.model import Options
from otel_posthog.apps.inspector.journal import Journal
from otel_posthog.apps.inspector.live import LiveSource

_MAX_ITEMS = 5000
_FOLDER = "inspect"


def is_wanted(options: Options, console: Console, *, is_json: bool) -> bool:
    """Return whether somebody is there who may look: on a terminal, and at what the package does."""
    has_server = all(find_spec(name) is not None for name in ("starlette", "uvicorn"))
    return console.is_terminal and not console.is_dumb_terminal and has_server and not (is_json or options.unprotected)


@final
class Look:
    """Looks at the helpdesk from within a `with`.

    Args:
        folder: Of the run, in which the helpdesk listens.
    """

    def __init__(self, folder: Path) -> None:
        self.directory = folder / _FOLDER
        self._journal, self.source = Journal(_MAX_ITEMS), LiveSource(self.directory)

    def __enter__(self) -> Look:
        """Begin."""
        self.source.start(self._journal)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Look for no further app; what has been read stays."""
        self.source.stop()

    def environment(self) -> dict[str, str]:
        """Return what has the helpdesk let this user look on."""
        return {env.OTEL_POSTHOG_INSPECT: str(self.directory), env.OTEL_POSTHOG_INSPECT_VALUES: "1"}

    def serve(self, console: Console) -> None:
        """Show what was seen on the page until Ctrl-C."""
        from otel_posthog.apps.inspector.access import Keys  # noqa: PLC0415 - starlette, uvicorn: only on a terminal
        from otel_posthog.apps.inspector.server import listen, serve  # noqa: PLC0415

        listening, keys = listen(0), Keys()
        address = keys.address(int(listening.getsockname()[1]))

        def announce() -> None:
            console.print(
                f"\nSee each event before and after: {address}", highlight=False, soft_wrap=True, markup=False
            )
            console.print("The address works once. Stop with Ctrl-C.", style="bright_black")

        serve(listening, self.source, keys, announce, journal=self._journal)
