"""One call of `otel-posthog inspect`: what is to be shown, the address, the browser, exit status."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import threading
import webbrowser
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

from otel_posthog.apps.explain.documents import UnreadableFileError
from otel_posthog.apps.explain.session import explainer_of
from otel_posthog.apps.inspector.access import Keys
from otel_posthog.apps.inspector.directory import live_directory
from otel_posthog.apps.inspector.file_source import FileSource
from otel_posthog.apps.inspector.live import LiveSource
from otel_posthog.apps.inspector.server import listen, serve
from otel_posthog.apps.inspector.source import Source
from otel_posthog.apps.inspector.spooled import SpoolSource
from otel_posthog.errors import ConfigurationError
from otel_posthog.inspection.form import Values
from otel_posthog.state import spool_directory

STOPPED, UNREADABLE, CANNOT_START = 0, 1, 2


def run_session(arguments: argparse.Namespace) -> int:
    """Serve what `arguments` ask for and return the exit status."""
    # What the package would log of an event stands on the page.
    logging.getLogger("otel_posthog").addHandler(logging.NullHandler())
    # Nobody is to hear of a tab that was closed.
    logging.getLogger("asyncio").addHandler(logging.NullHandler())
    try:
        source = _source(arguments)
        listening = listen(arguments.port)
    except ConfigurationError as error:
        return _fail(str(error), CANNOT_START)
    except UnreadableFileError as error:
        return _fail(f"{arguments.file}: {error}", UNREADABLE)
    keys, port = Keys(), int(listening.getsockname()[1])
    serve(listening, source, keys, lambda: _announce(arguments, keys.address(port), port))
    return STOPPED


def _source(arguments: argparse.Namespace) -> Source:
    """Return what is to be shown.

    Raises:
        ConfigurationError: That cannot be.
        UnreadableFileError: There is nothing to show in the file.
    """
    if arguments.spool:
        if arguments.file or arguments.socket:
            raise ConfigurationError("give FILE, --spool or --socket, not several of them")
        return SpoolSource(spool_directory(os.environ))
    if not arguments.file:
        return LiveSource(live_directory(arguments.socket, os.environ))
    values = Values.LEAVING if arguments.no_values else Values.ALL
    source = FileSource(arguments.file, explainer_of(arguments), values)
    source.look()
    return source


def _announce(arguments: argparse.Namespace, address: str, port: int) -> None:
    if arguments.json:
        print(json.dumps({"url": address, "port": port, "pid": os.getpid()}), flush=True)
    else:
        print(f"The inspector is at {address}", flush=True)
        print("The address works once, for the browser that opens it first. Stop with Ctrl-C.", flush=True)
    if arguments.open or (sys.stdout.isatty() and not arguments.no_browser and not arguments.json):
        threading.Thread(target=_open, args=(address,), daemon=True).start()


def _open(address: str) -> None:
    # A browser that is started from here has words of its own for the terminal.
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        webbrowser.open(address)


def _fail(message: str, status: int) -> int:
    print(f"otel-posthog inspect: {message}", file=sys.stderr)
    return status
