"""Start the helpdesk: `python -m helpdesk [--host HOST] [--port PORT] [--database FILE]`.

Port 0 takes a free one. The line `Helpdesk is listening on http://...` goes to standard output once it serves.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from types import FrameType

from werkzeug.serving import make_server

from .app import create_app


def main() -> None:
    """Serve until a signal ends it, in an orderly way: what OpenTelemetry holds is flushed at exit."""
    arguments = _parse()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # one line a request says what the spans say
    signal.signal(signal.SIGTERM, _exit)
    server = make_server(arguments.host, arguments.port, create_app(arguments.database), threaded=True)
    print(f"Helpdesk is listening on http://{arguments.host}:{server.server_port}", flush=True)  # noqa: T201
    try:
        server.serve_forever()
    finally:
        server.server_close()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m helpdesk", description="A small support desk.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on; 0: any (default: %(default)s)")
    parser.add_argument("--database", default="helpdesk.db", help="SQLite file (default: %(default)s)")
    return parser.parse_args()


def _exit(_signal: int, _frame: FrameType | None) -> None:
    # SystemExit runs the exit handlers; the default action of SIGTERM runs none and loses the last telemetry.
    sys.exit(0)


if __name__ == "__main__":
    main()
