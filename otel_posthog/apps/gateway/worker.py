"""One process of the gateway: pipeline, doors, and their start and end around the server's life."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opentelemetry.sdk.metrics import MeterProvider
from starlette.applications import Starlette

from otel_posthog.apps.gateway.connections import Connection
from otel_posthog.apps.gateway.grpc import GrpcDoor
from otel_posthog.apps.gateway.http import HttpDoor
from otel_posthog.apps.gateway.log_lines import limit_log_lines
from otel_posthog.apps.gateway.options import Options
from otel_posthog.apps.gateway.receiver import Receiver
from otel_posthog.apps.gateway.service import Service
from otel_posthog.apps.gateway.settings import read_settings
from otel_posthog.apps.gateway.telemetry import Telemetry, meter_provider
from otel_posthog.apps.gateway.tokens import read_tokens
from otel_posthog.apps.gateway.uuid_key import read_uuid_key
from otel_posthog.errors import ConfigurationError
from otel_posthog.setup import configure
from otel_posthog.setup.instruments import instrument

# Of the youngest generation only: connections are cycles, which the others are for.
_GC_THRESHOLD = 20_000
_SWITCH_INTERVAL_S = 0.02


def application(options: Options) -> Starlette:
    """Return the ASGI application of this process, with everything behind it started.

    Args:
        options: Of the command line.

    Raises:
        ConfigurationError: The settings, which the parent has checked, do not work here.
    """
    # What is made for the events of a request goes with it, without cycles.
    gc.set_threshold(_GC_THRESHOLD)
    # Three threads want the interpreter; each change of hands costs, and nobody waits for one but `/healthz`.
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    running = configure.start_with(read_settings(os.environ, options), "the gateway")
    pipeline = running.pipeline
    if pipeline is None:
        raise ConfigurationError("nothing is collected")
    pipeline.start()
    provider = meter_provider(os.environ)
    instrument(provider, running.health)
    service = Service(
        options,
        read_tokens(os.environ, options.tokens_file, options.host),
        Receiver(pipeline, read_uuid_key(os.environ, options.uuid_key_file), options.max_items),
        Telemetry(provider),
        running.guard,
    )
    Connection.max_connections, Connection.header_timeout_s = options.max_connections, options.header_timeout_s
    Connection.health_port = options.health_port
    limit_log_lines()
    _raise_file_limit()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # It belongs to the event loop in which it is made.
        grpc = GrpcDoor(service) if options.grpc_port else None
        if grpc is not None:
            await grpc.start()
        yield
        if grpc is not None:
            await grpc.stop()
        await asyncio.to_thread(service.turns.close)
        await asyncio.to_thread(pipeline.shutdown)
        if isinstance(provider, MeterProvider):
            await asyncio.to_thread(provider.shutdown)

    return HttpDoor(service).application(lifespan)


def _raise_file_limit() -> None:
    """Allow as many files as the system does: by default a thousand, which connections of both protocols may be."""
    try:
        import resource  # noqa: PLC0415 - not on every system

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (ImportError, ValueError, OSError):
        pass
