"""The gateway's processes: the parent, which listens and starts workers, and the ASGI application of a worker.

Settings are checked by the parent, so that a mistake is one line; each worker reads them again for itself.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import uvicorn
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from otel_posthog import environment_variables as env
from otel_posthog.apps.gateway.access import Tokens, read_tokens
from otel_posthog.apps.gateway.backend import Backend, read_endpoints
from otel_posthog.apps.gateway.consumer import Consumer
from otel_posthog.apps.gateway.grpc import GrpcReceiver
from otel_posthog.apps.gateway.http import Connection, HttpReceiver
from otel_posthog.apps.gateway.operational import Forwarder, ForwardingService
from otel_posthog.apps.gateway.service import Service
from otel_posthog.apps.gateway.settings import Options, read_gateway_settings, read_operational_policy, read_uuid_key
from otel_posthog.apps.gateway.telemetry import Telemetry, check_meter_provider, limit_log_lines, meter_provider
from otel_posthog.errors import ConfigurationError, Guard
from otel_posthog.health import Health
from otel_posthog.operational import Redactor
from otel_posthog.operational.otlp import OtlpFilter
from otel_posthog.pipeline import Pipeline
from otel_posthog.privacy import Filter, without_secrets
from otel_posthog.setup import configure
from otel_posthog.setup.instruments import instrument
from otel_posthog.state import spool_directory

STOPPED, CANNOT_START = 0, 2
_BACKLOG = 2048
# Of the youngest generation only: connections are cycles, which the others are for.
_GC_THRESHOLD = 20_000
_SWITCH_INTERVAL_S = 0.02


def serve(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it, and return the exit status."""
    try:
        options = Options.of(arguments)
        check_meter_provider(os.environ)
        to = _check(options)
        tokens = read_tokens(os.environ, options.tokens_file, options.host)
        sockets = [_listen(options.host, options.http_port, "--port")]
        if options.health_port is not None:
            sockets.append(_listen(options.host, options.health_port, "--health-port"))
            options = replace(options, health_port=sockets[1].getsockname()[1])
        if options.grpc_port:
            _listen(options.host, options.grpc_port, "--grpc-port").close()
    except ConfigurationError as error:
        print(f"otel-posthog gateway: {error}", file=sys.stderr)
        return CANNOT_START
    _announce(options, to, tokens, sockets[0].getsockname()[1])
    return _run(options, sockets)


def _check(options: Options) -> str:
    """Return where telemetry goes, in words.

    Raises:
        ConfigurationError: One of the settings cannot work.
    """
    if options.operational:
        endpoints = read_endpoints(os.environ, options)
        read_operational_policy(os.environ, options)
        return f"operational telemetry is filtered and goes to {_listed(endpoints.urls.values())}"
    if any((options.backend, options.backend_traces, options.backend_logs, options.backend_metrics)):
        raise ConfigurationError("--backend is for operational telemetry: give --operational as well")
    settings = read_gateway_settings(os.environ, options)
    if settings.policy.in_app_rules:
        named = ", ".join(settings.policy.in_app_rules)
        print(f"otel-posthog gateway: not followed here, but in apps only: the derive rules {named}", file=sys.stderr)
    # For all workers, also where none can be kept.
    os.environ[env.UUID_KEY] = read_uuid_key(os.environ, options.uuid_key_file).decode()
    if settings.collection.is_preview:
        return "product events are printed here and go nowhere (preview)"
    hosts = _listed(each.host for each in settings.policy.destinations)
    return f"product events wait in {spool_directory(os.environ)} and go to {hosts}"


def _listed(urls: Iterable[str]) -> str:
    return ", ".join(sorted({without_secrets(each) for each in urls}))


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


def _announce(options: Options, to: str, tokens: Tokens, port: int) -> None:
    shown = f"[{options.host}]" if ":" in options.host else options.host
    endpoints = f"OTLP/HTTP on http://{shown}:{port}"
    if options.grpc_port:
        endpoints += f", OTLP/gRPC on {shown}:{options.grpc_port}"
    if options.health_port is not None:
        endpoints += f", health on http://{shown}:{options.health_port}"
    if options.json:
        ends = {"http": f"http://{shown}:{port}", "grpc": options.grpc_port and f"{shown}:{options.grpc_port}"}
        print(json.dumps({**ends, "health": options.health_port, "tokens": len(tokens), "to": to}), flush=True)
        return
    number = len(tokens)
    who = f"whoever shows one of {number} token{'s' * (number > 1)}" if number else "programs of this machine"
    pages = f", pages from {', '.join(options.cors_origins)}" if options.cors_origins else ""
    print(f"otel-posthog gateway: {endpoints}; for {who}{pages}", file=sys.stderr)
    print(f"{to}; stop with Ctrl-C", file=sys.stderr)
    sys.stderr.flush()


def application(options: Options) -> Starlette:
    """Return the ASGI application of this worker process, with everything behind it started.

    Args:
        options: Of the command line.

    Raises:
        ConfigurationError: The settings, which the parent has checked, do not work here.
    """
    # What is made for the events of a request goes with it, without cycles.
    gc.set_threshold(_GC_THRESHOLD)
    # Three threads want the interpreter; each switch costs, and only `/healthz` waits for one.
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    provider = meter_provider(os.environ)
    service, pipeline = (_forwarding(options, provider), None) if options.operational else _keeping(options, provider)
    Connection.max_connections, Connection.header_timeout_s = options.max_connections, options.header_timeout_s
    Connection.health_port = options.health_port
    limit_log_lines()
    _raise_file_limit()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # It belongs to the event loop in which it is made.
        grpc = GrpcReceiver(service) if options.grpc_port else None
        if grpc is not None:
            await grpc.start()
        yield
        if grpc is not None:
            await grpc.stop()
        await service.close()
        if pipeline is not None:
            await asyncio.to_thread(pipeline.shutdown)
        if isinstance(provider, SdkMeterProvider):
            await asyncio.to_thread(provider.shutdown)

    return HttpReceiver(service).application(lifespan)


def _keeping(options: Options, provider: MeterProvider) -> tuple[Service, Pipeline | None]:
    """Return the service that makes product events, and what sends them."""
    running = configure.start_with(read_gateway_settings(os.environ, options), "the gateway")
    pipeline = running.pipeline
    if pipeline is None:
        raise ConfigurationError("nothing is collected")
    pipeline.start()
    # Nobody's start waits for it here, and the first request need not.
    _ = pipeline.stages
    instrument(provider, running.health)
    consumer = Consumer(pipeline, read_uuid_key(os.environ, options.uuid_key_file), options.max_items)
    tokens = read_tokens(os.environ, options.tokens_file, options.host)
    return Service(options, tokens, consumer, Telemetry(provider), running.guard), pipeline


def _forwarding(options: Options, provider: MeterProvider) -> Service:
    """Return the service that passes operational telemetry on."""
    policy, health = read_operational_policy(os.environ, options), Health()
    guard = Guard(health)
    instrument(provider, health)
    redactor = Redactor(policy.operational, Filter(policy.operational_privacy, note=health.count_actions), guard)
    return ForwardingService(
        Backend(read_endpoints(os.environ, options)),
        options,
        read_tokens(os.environ, options.tokens_file, options.host),
        Forwarder(OtlpFilter(redactor, guard), options.max_items),
        Telemetry(provider),
        guard,
    )


def _raise_file_limit() -> None:
    """Raise the limit of open files to the system's: the usual thousand is too few for both protocols."""
    try:
        import resource  # noqa: PLC0415 - not on every system

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (ImportError, ValueError, OSError):
        pass
