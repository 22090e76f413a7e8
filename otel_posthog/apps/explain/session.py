"""One call of `otel-posthog explain`: settings, file, view, progress, exit status."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import sys
from typing import Protocol

from otel_posthog import environment_variables as env
from otel_posthog.apps.explain.documents import STANDARD_INPUT, JsonDocuments, UnreadableFileError, open_text
from otel_posthog.apps.explain.explainer import Explainer
from otel_posthog.apps.explain.items import items_of
from otel_posthog.apps.explain.records import is_console
from otel_posthog.apps.explain.views import ColorView, JsonView, PlainView
from otel_posthog.apps.progress import Progress
from otel_posthog.apps.terminal import is_colored, styled
from otel_posthog.errors import ConfigurationError
from otel_posthog.inspection.explanation import Explanation, Summary
from otel_posthog.setup.settings import read_settings

EXPLAINED, UNREADABLE, WRONG_SETTING, INTERRUPTED = 0, 1, 2, 130

_INTERVAL_S = 0.5
_CLEAR = "\r\x1b[K"


class View(Protocol):
    """Shows explanations."""

    def show(self, explanation: Explanation) -> None:
        """Show one item."""

    def finish(self, summary: Summary) -> None:
        """Show what closes the page."""


def run_session(arguments: argparse.Namespace) -> int:
    """Explain the file that `arguments` name and return the exit status."""
    # What the package would log of an event (a catalog that does not know it) stands on the page.
    logging.getLogger("otel_posthog").addHandler(logging.NullHandler())
    name = "standard input" if arguments.file == STANDARD_INPUT else arguments.file
    try:
        explainer = explainer_of(arguments)
    except ConfigurationError as error:
        return _fail(str(error), WRONG_SETTING)
    try:
        return _explain(arguments, explainer, name)
    except UnreadableFileError as error:
        return _fail(f"{name}: {error}", UNREADABLE)
    except KeyboardInterrupt:
        return INTERRUPTED


def _explain(arguments: argparse.Namespace, explainer: Explainer, name: str) -> int:
    view, summary = _view(arguments), Summary()
    shows_all = arguments.all or arguments.json
    with open_text(arguments.file) as text, Progress(styled(sys.stderr), is_wanted=not sys.stdout.isatty()) as progress:
        documents = JsonDocuments(text, is_console)
        for document in documents:
            for item in items_of(document):
                explanation = explainer.explain(item)
                summary.add(explanation)
                if shows_all or explanation.events or explanation.dropped:
                    view.show(explanation)
                progress.show(summary.items)
    if not summary.items:
        return _fail(f"{name}: there are no spans, log records, metrics or events in it", UNREADABLE)
    view.finish(summary)
    sys.stdout.flush()
    if documents.left_out:
        print(f"left out, as no telemetry: {documents.left_out:,} of the program's other lines", file=sys.stderr)
    return EXPLAINED


def explainer_of(arguments: argparse.Namespace) -> Explainer:
    """Return what explains under the policy and identity that `arguments` name.

    Raises:
        ConfigurationError: They cannot work.
    """
    environ = dict(os.environ)
    if arguments.identity:
        environ.pop(env.ANALYTICS_ANONYMIZE_USER_IDS, None)
        environ[env.OTEL_POSTHOG_IDENTITY] = arguments.identity
    settings = read_settings(environ, policy=arguments.policy)
    return Explainer(settings.policy, keys=settings.keys)


def _view(arguments: argparse.Namespace) -> View:
    with_values = not arguments.no_values
    if arguments.json:
        return JsonView(sys.stdout, with_values=with_values)
    if not is_colored(sys.stdout) or importlib.util.find_spec("rich") is None:
        return PlainView(sys.stdout, with_values=with_values)
    from rich.console import Console  # noqa: PLC0415 - it comes with an extra

    console = Console(
        file=styled(sys.stdout), force_terminal=True, no_color=False, highlight=False, markup=False, emoji=False
    )
    return ColorView(console, with_values=with_values)


def _fail(message: str, status: int) -> int:
    print(f"otel-posthog explain: {message}", file=sys.stderr)
    return status
