"""The gateway's life: settings, sockets, processes, signals."""

from __future__ import annotations

import argparse
import math
import os
import signal
import socket
import sys
from dataclasses import replace
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from otel_posthog import environment_variables as env
from otel_posthog.apps.gateway.connections import Connection
from otel_posthog.apps.gateway.options import Options
from otel_posthog.apps.gateway.settings import read_settings
from otel_posthog.apps.gateway.tokens import Tokens, read_tokens
from otel_posthog.apps.gateway.uuid_key import read_uuid_key
from otel_posthog.apps.gateway.worker import application
from otel_posthog.errors import ConfigurationError
from otel_posthog.privacy import without_secrets
from otel_posthog.setup.settings import Settings
from otel_posthog.state import spool_directory

STOPPED, CANNOT_START = 0, 2
_BACKLOG = 2048


def serve(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it, and return the exit status."""
    try:
        options = Options.of(arguments)
        settings = read_settings(os.environ, options)
        tokens = read_tokens(os.environ, options.tokens_file, options.host)
        # For all workers, also where none can be kept.
        os.environ[env.UUID_KEY] = read_uuid_key(os.environ, options.uuid_key_file).decode()
        sockets = [_listen(options.host, options.http_port, "--port")]
        if options.health_port is not None:
            sockets.append(_listen(options.host, options.health_port, "--health-port"))
            options = replace(options, health_port=sockets[1].getsockname()[1])
        if options.grpc_port:
            _listen(options.host, options.grpc_port, "--grpc-port").close()
    except ConfigurationError as error:
        print(f"otel-posthog gateway: {error}", file=sys.stderr)
        return CANNOT_START
    _tell(options, settings, tokens, sockets[0].getsockname()[1])
    return _run(options, sockets)


def _run(options: Options, sockets: list[socket.socket]) -> int:
    config = uvicorn.Config(
        partial(application, options),
        factory=True,
        workers=options.workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        backlog=_BACKLOG,
        http=Connection,
        timeout_keep_alive=math.ceil(options.header_timeout_s),
        timeout_graceful_shutdown=max(1, round(options.stop_timeout_s)),
    )
    # The server raises a signal once more when it has stopped; to be stopped by one is how a gateway ends well.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        if options.workers == 1:
            uvicorn.Server(config).run(sockets=sockets)
        else:
            Multiprocess(config, sockets=sockets).run()
    except KeyboardInterrupt:
        pass
    finally:
        for each in sockets:
            each.close()
    return STOPPED


def _listen(host: str, port: int, option: str) -> socket.socket:
    """Return a socket that listens.

    Raises:
        ConfigurationError: Nobody can listen there.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}; choose another {option}") from None
    listening.set_inheritable(True)
    return listening


def _tell(options: Options, settings: Settings, tokens: Tokens, port: int) -> None:
    shown = f"[{options.host}]" if ":" in options.host else options.host
    doors = f"OTLP/HTTP on http://{shown}:{port}"
    if options.grpc_port:
        doors += f", OTLP/gRPC on {shown}:{options.grpc_port}"
    if options.health_port is not None:
        doors += f", health on http://{shown}:{options.health_port}"
    number = len(tokens)
    who = f"whoever shows one of {number} token{'s' * (number > 1)}" if number else "programs of this machine"
    pages = f", pages from {', '.join(options.cors_origins)}" if options.cors_origins else ""
    hosts = ", ".join(sorted({without_secrets(each.host) for each in settings.policy.destinations}))
    to = "nowhere (preview)" if settings.collection.is_preview else hosts
    print(f"otel-posthog gateway: {doors}; for {who}{pages}", file=sys.stderr)
    print(f"product events wait in {spool_directory(os.environ)} and go to {to}; stop with Ctrl-C", file=sys.stderr)
    sys.stderr.flush()
